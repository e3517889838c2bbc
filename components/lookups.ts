import * as openstack from "@pulumi/openstack";
import type { ClusterPlan } from "../model/plan.ts";
import { keyOf } from "../model/settings.ts";

/** Ids of what the settings name and OpenStack must already have. */
export interface CloudIds {
  externalNetworkId: string;
  /** By name. */
  imageIds: Record<string, string>;
}

/**
 * Looks up images, flavors and the external network before anything is made.
 * @throws Error naming every one that is not there, or why OpenStack could not be asked
 */
export async function lookUp(plan: ClusterPlan): Promise<CloudIds> {
  const images = [...new Set(plan.nodes.map((node) => node.image))];
  const flavors = [...new Set(plan.nodes.map((node) => node.flavor))];
  const { externalNetwork } = plan.settings.network;
  const problems = new Set<string>();
  const ask = async <T>(
    key: string[],
    kind: string,
    name: string,
    query: Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await query;
    } catch (error) {
      problems.add(explain(keyOf(key), kind, name, error));
      return undefined;
    }
  };
  const [network, found] = await Promise.all([
    ask(
      ["network", "externalNetwork"],
      "external network",
      externalNetwork,
      openstack.networking.getNetwork({ name: externalNetwork, external: true }),
    ),
    Promise.all(
      images.map((name) => ask(["machine", "image"], "image", name, openstack.images.getImage({ name }))),
    ),
    Promise.all(
      flavors.map((name) =>
        ask(["machine", "flavor"], "flavor", name, openstack.compute.getFlavor({ name })),
      ),
    ),
  ]);
  if (problems.size > 0) throw new Error([...problems].join("\n"));
  return {
    externalNetworkId: network!.id,
    imageIds: Object.fromEntries(images.map((name, index) => [name, found[index]!.id])),
  };
}

function explain(key: string, kind: string, name: string, error: unknown): string {
  const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
  if (/returned no results|could not be found|404|Unable to find/i.test(reason)) {
    return `${key}: this OpenStack project sees no ${kind} named ${name}`;
  }
  if (/more than one/i.test(reason)) return `${key}: more than one ${kind} is named ${name}`;
  // The same trouble comes once per service, wrapped in the names of what was asked.
  const cause = reason.replace(/^.*1 error occurred: \* /, "").replace(/^Error creating OpenStack \w+ client: /, "");
  return `OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: ${cause.trim()}`;
}
