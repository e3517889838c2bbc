import * as openstack from "@pulumi/openstack";
import type { ClusterPlan } from "../model/plan.ts";
import { references } from "../model/references.ts";
import { keyOf } from "../model/settings.ts";
import { lookUpInProject, type ProjectIds } from "./project-lookups.ts";

/** Ids of what the settings name and OpenStack must already have. */
export interface CloudIds extends ProjectIds {
  externalNetworkId: string;
  /** By name. */
  imageIds: Record<string, string>;
}

/**
 * Looks up everything that the settings name before anything is made.
 * @throws Error naming every one that is not there or does not fit, or why OpenStack could not be asked
 */
export async function lookUp(plan: ClusterPlan): Promise<CloudIds> {
  const { settings } = plan;
  const problems = new Set<string>();
  const ask = async <T>(keys: string[], kind: string, name: string, query: Promise<T>) => {
    try {
      return await query;
    } catch (error) {
      problems.add(explain(keys.join(", "), kind, name, error));
      return undefined;
    }
  };
  const external = (key: "externalNetwork" | "floatingPool", name: string) =>
    ask(
      [keyOf(["network", key])],
      "external network",
      name,
      openstack.networking.getNetwork({ name, external: true }),
    );
  const { externalNetwork, floatingPool } = settings.network;
  const images = [...references(settings, "image")];
  const flavors = [...references(settings, "flavor")];
  const [network, found] = await Promise.all([
    external("externalNetwork", externalNetwork),
    Promise.all(images.map(([name, keys]) => ask(keys, "image", name, openstack.images.getImage({ name })))),
    Promise.all(
      flavors.map(([name, keys]) => ask(keys, "flavor", name, openstack.compute.getFlavor({ name }))),
    ),
    floatingPool === undefined ? undefined : external("floatingPool", floatingPool),
  ]);
  const project = await lookUpInProject(plan, network?.id, (problem) => problems.add(problem)).catch(
    (error: unknown) => void problems.add(unanswered(error)),
  );
  if (problems.size > 0) throw new Error([...problems].join("\n"));
  return {
    ...project!,
    externalNetworkId: network!.id,
    imageIds: Object.fromEntries(images.map(([name], index) => [name, found[index]!.id])),
  };
}

function explain(key: string, kind: string, name: string, error: unknown): string {
  const reason = reasonOf(error);
  if (reason.includes("returned no results")) {
    return `${key}: this OpenStack project sees no ${kind} named ${name}`;
  }
  if (reason.includes("returned more than one result"))
    return `${key}: more than one ${kind} is named ${name}`;
  return unanswered(error);
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ");
}

function unanswered(error: unknown): string {
  // The same trouble comes once per service, wrapped in the names of what was asked.
  const cause = reasonOf(error)
    .replace(/^.*1 error occurred: \* /, "")
    .replace(/^Error creating OpenStack \w+ client: /, "");
  return `OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: ${cause.trim()}`;
}
