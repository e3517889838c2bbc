import * as openstack from "@pulumi/openstack";
import type { ClusterPlan } from "../model/plan.ts";
import { keyOf, type Settings } from "../model/settings.ts";

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
export async function lookUp({ settings }: ClusterPlan): Promise<CloudIds> {
  const problems = new Set<string>();
  const ask = async <T>(keys: string[], kind: string, name: string, query: Promise<T>) => {
    try {
      return await query;
    } catch (error) {
      problems.add(explain(keys.join(", "), kind, name, error));
      return undefined;
    }
  };
  const { externalNetwork } = settings.network;
  const images = [...named(settings, "image")];
  const flavors = [...named(settings, "flavor")];
  const [network, found] = await Promise.all([
    ask(
      [keyOf(["network", "externalNetwork"])],
      "external network",
      externalNetwork,
      openstack.networking.getNetwork({ name: externalNetwork, external: true }),
    ),
    Promise.all(images.map(([name, keys]) => ask(keys, "image", name, openstack.images.getImage({ name })))),
    Promise.all(
      flavors.map(([name, keys]) => ask(keys, "flavor", name, openstack.compute.getFlavor({ name }))),
    ),
  ]);
  if (problems.size > 0) throw new Error([...problems].join("\n"));
  return {
    externalNetworkId: network!.id,
    imageIds: Object.fromEntries(images.map(([name], index) => [name, found[index]!.id])),
  };
}

/** The images or flavors of all nodes, each with the keys of the settings that name it. */
function named({ machine, nodes }: Settings, what: "image" | "flavor"): Map<string, string[]> {
  const keys = new Map<string, string[]>();
  for (const [node, own] of Object.entries(nodes)) {
    const name = own[what] ?? machine[what];
    const key = keyOf(own[what] === undefined ? ["machine", what] : ["nodes", node, what]);
    const others = keys.get(name) ?? [];
    if (!others.includes(key)) keys.set(name, [...others, key]);
  }
  return keys;
}

function explain(key: string, kind: string, name: string, error: unknown): string {
  const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
  if (reason.includes("returned no results")) {
    return `${key}: this OpenStack project sees no ${kind} named ${name}`;
  }
  if (reason.includes("returned more than one result"))
    return `${key}: more than one ${kind} is named ${name}`;
  // The same trouble comes once per service, wrapped in the names of what was asked.
  const cause = reason
    .replace(/^.*1 error occurred: \* /, "")
    .replace(/^Error creating OpenStack \w+ client: /, "");
  return `OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: ${cause.trim()}`;
}
