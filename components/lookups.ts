import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { Flavor } from "../model/needs.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { references } from "../model/references.ts";
import { keyOf } from "../model/settings.ts";
import { clusterDescription } from "./ownership.ts";
import { OpenStackApi, reasonOf } from "./openstack-api.ts";
import { preflight } from "./preflight.ts";
import { lookUpInProject, type ProjectIds } from "./project-lookups.ts";
import { ignoredChanges, unbuiltServers } from "./servers.ts";

const oneByOne =
  "which of them are there already cannot be told, so they come and change one after the other";

/** Ids of what the settings name and OpenStack must already have. */
export interface CloudIds extends ProjectIds {
  externalNetworkId: string;
  /** Names of the stack's nodes whose machines are there already. */
  existingNodes: string[];
  /** Names of the stack's nodes whose machines Nova could not build. */
  unbuiltNodes: string[];
}

/**
 * Looks up everything that the settings name before anything is made, and whether there is room for it (preflight.ts).
 * @throws Error naming every one that is not there or does not fit, or why OpenStack could not be asked
 */
export async function lookUp(plan: ClusterPlan): Promise<CloudIds> {
  const { settings } = plan;
  const problems = new Set<string>();
  const warnings: string[] = [];
  const ask = async <T>(keys: string[], kind: string, name: string, query: Promise<T>) => {
    try {
      return await query;
    } catch (error) {
      const problem = explain(keys.join(", "), kind, name, error);
      // It keeps what it booted from, and the settings may name no other image for it (model/transitions.ts).
      if (kind === "image" && (await isOfRunningControlPlane(name))) warnings.push(problem);
      else problems.add(problem);
      return undefined;
    }
  };
  /** Whether it is the image of the control plane alone, which is there with etcd on it. */
  const isOfRunningControlPlane = async (image: string) => {
    const { existingNodes } = await askedNodes;
    const named = plan.nodes.filter((node) => node.image === image);
    return named.every((node) => ignoredChanges(node, settings.phase, existingNodes).length > 0);
  };
  const external = (key: "externalNetwork" | "floatingPool", name: string) =>
    ask(
      [keyOf(["network", key])],
      "external network",
      name,
      openstack.networking.getNetwork({ name, external: true }),
    );
  const all = <T>(kind: "image" | "flavor", query: (name: string) => Promise<T>) =>
    Promise.all(
      [...references(settings, kind)].map(
        async ([name, keys]) => [name, await ask(keys, kind, name, query(name))] as const,
      ),
    );
  const { externalNetwork, floatingPool } = settings.network;
  const connection = OpenStackApi.connect();
  const askedNodes = connection
    .then((api) => nodesOf(plan, api, warnings))
    .catch((error: unknown) => {
      warnings.push(`nodes: ${oneByOne}: ${reasonOf(error)}`);
      return { existingNodes: plan.nodes.map((node) => node.name), unbuiltNodes: [] };
    });
  const askedNetwork = external("externalNetwork", externalNetwork);
  const askedProject = lookUpInProject({
    plan,
    connection,
    externalNetworkId: askedNetwork.then((found) => found?.id),
    report: (problem) => problems.add(problem),
    warn: (warning) => warnings.push(warning),
  }).catch((error: unknown) => void problems.add(unanswered(error)));
  const [network, project, findings, nodes, pool] = await Promise.all([
    askedNetwork,
    askedProject,
    preflight({
      plan,
      connection,
      flavors: all("flavor", (name) => openstack.compute.getFlavor({ name })).then(sizes),
      surroundings: askedProject.then((found) => found?.surroundings),
    }),
    askedNodes,
    floatingPool === undefined ? undefined : external("floatingPool", floatingPool),
    all("image", (name) => openstack.images.getImage({ name })),
  ]);
  // https://docs.openstack.org/api-ref/network/v2/#floating-ips-floatingips: of a network that the router leads to.
  const leadsTo = project?.surroundings?.router.leadsTo ?? [network?.id];
  if (network && pool && !leadsTo.includes(pool.id))
    problems.add(
      `${keyOf(["network", "floatingPool"])}: the router does not lead to ${floatingPool}, and Neutron gives machines ` +
        "behind it no addresses of another network; leave the setting out",
    );
  findings.problems.forEach((problem) => problems.add(problem));
  const api = await connection.catch(() => undefined);
  if (plan.loadBalancers.length > 0 && api?.has("load-balancer") === false)
    problems.add(`${keyOf(["loadBalancers"])}: this OpenStack has no load balancer service (Octavia)`);
  // Without a login every look-up says the same.
  if (problems.size === 0 || api)
    await Promise.all([...findings.warnings, ...warnings].map((warning) => pulumi.log.warn(warning)));
  if (problems.size > 0) throw new Error([...problems].join("\n"));
  const { surroundings: _surroundings, ...ids } = project!;
  return { ...ids, ...nodes, externalNetworkId: network!.id };
}

/** The nodes on whose ports there is a machine, and those whose machine could not be built, with a warning each. */
async function nodesOf(
  plan: ClusterPlan,
  api: OpenStackApi,
  warnings: string[],
): Promise<Pick<CloudIds, "existingNodes" | "unbuiltNodes">> {
  const { name } = plan.settings.cluster;
  const [ports, unbuilt] = await Promise.all([
    api.list("ports", { description: clusterDescription(name) }),
    unbuiltServers(api, name),
  ]);
  const used = new Set(ports.filter(({ device_id }) => device_id).map((port) => port.name as string));
  const nodes = plan.nodes.map((node) => node.name);
  const failed = unbuilt.filter((server) => nodes.includes(server.name));
  for (const { name: node, reason } of failed)
    warnings.push(`${node}: Nova could not build its machine, pulumi up makes it anew: ${reason}`);
  return {
    existingNodes: nodes.filter((node) => used.has(`${name}-${node}`)),
    unbuiltNodes: failed.map((server) => server.name),
  };
}

/** What the flavors have, of those that were found. */
function sizes(
  found: (readonly [name: string, flavor?: openstack.compute.GetFlavorResult])[],
): Record<string, Flavor> {
  const sizes: Record<string, Flavor> = {};
  for (const [name, flavor] of found) {
    const { vcpus: cores, ram: memory, disk } = flavor ?? {};
    if (cores !== undefined && memory !== undefined && disk !== undefined)
      sizes[name] = { cores, memory, disk };
  }
  return sizes;
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

function unanswered(error: unknown): string {
  // The same trouble comes once per service, wrapped in the names of what was asked.
  const cause = reasonOf(error)
    .replace(/^.*1 error occurred: \* /, "")
    .replace(/^Error creating OpenStack \w+ client: /, "");
  return `OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: ${cause.trim()}`;
}
