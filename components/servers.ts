import { includes, type Phase } from "../model/phases.ts";
import type { NodePlan } from "../model/plan.ts";
import type { Fields, OpenStackApi } from "./openstack-api.ts";
import { stackName } from "./ownership.ts";

/** Metadata of a node's server: classifies it, and says whose it is. */
export function serverMetadata(cluster: string, { role, pool }: NodePlan): Record<string, string> {
  return { cluster, role, ...(pool !== undefined && { pool }), stack: stackName() };
}

/**
 * Changes by which a node's machine is made anew, where the plugin would change it in place. It would overwrite the disk
 * under a running node, and stop a worker with what runs on it, which leaves first when the machine is made anew. The
 * control plane's machine keeps its disk, with etcd on it: Nova resizes it to another flavor.
 * @param unbuiltNodes names of the nodes whose machines could not be built: for these everything counts, that they
 * were not finished in an earlier run too
 */
export function replacingChanges({ name, role }: NodePlan, unbuiltNodes: readonly string[]): string[] {
  if (unbuiltNodes.includes(name)) return ["*"];
  return role === "control-plane" ? ["imageName"] : ["imageName", "flavorName"];
}

/**
 * Inputs of a machine that no longer count. A refresh reads another name, or none, once the cloud has renamed or deleted
 * the image that a machine came from; the control plane's would be made anew for it, and etcd is on its disk. That the
 * settings name another image for it is refused before (model/transitions.ts).
 * @param existingNodes names of the nodes whose machines are there
 */
export function ignoredChanges(
  { name, role }: NodePlan,
  phase: Phase,
  existingNodes: readonly string[],
): string[] {
  const holdsEtcd = role === "control-plane" && includes(phase, "kubernetes") && existingNodes.includes(name);
  return holdsEtcd ? ["imageName"] : [];
}

/** A server that Nova could not build, and why. */
interface UnbuiltServer {
  name: string;
  reason: string;
}

/**
 * The stack's servers that Nova could not build: they ended in ERROR and never ran, so that nothing is on them. The
 * engine keeps such a machine as one that is to be finished, which the plugin takes for done.
 */
export async function unbuiltServers(api: OpenStackApi, cluster: string): Promise<UnbuiltServer[]> {
  const failed = await serversOf(api, { cluster, stack: stackName() }, { status: "ERROR" });
  const unbuilt = failed.filter(({ "OS-SRV-USG:launched_at": launched }) => !launched);
  return Promise.all(
    unbuilt.map(async ({ id, name }) => {
      // A list leaves the fault out of servers that came to no host.
      const answer = await api.call("compute", `servers/${id}`);
      return { name, reason: answer?.server.fault?.message ?? "Nova does not say why" };
    }),
  );
}

/**
 * Ids of the servers of a name that have a stack's metadata and no address yet, or none any more, since Nova could not
 * build them.
 */
export async function serversWithoutPort(api: OpenStackApi, owner: Owner, name: string): Promise<string[]> {
  // Nova takes a regular expression.
  const servers = await serversOf(api, owner, { name: `^${name}$` });
  return servers
    .filter(({ addresses = {} }) => Object.keys(addresses as object).length === 0)
    .map(({ id }) => id as string);
}

/** Names of the stack's servers that were made with a key pair. */
export async function serversWithKeyPair(
  api: OpenStackApi,
  cluster: string,
  keyPair: string,
): Promise<string[]> {
  const servers = await serversOf(api, { cluster, stack: stackName() }, { name: "." });
  return servers.filter(({ key_name }) => key_name === keyPair).map(({ name }) => name as string);
}

/** Whose a server is, by its metadata. */
interface Owner {
  cluster: string;
  stack: string;
}

/** https://docs.openstack.org/api-ref/compute/#list-servers-detailed */
async function serversOf(
  api: OpenStackApi,
  { cluster, stack }: Owner,
  filter: Record<string, string>,
): Promise<Fields[]> {
  const servers = await api.list("servers/detail", filter, "compute");
  return servers.filter(({ metadata }) => metadata.cluster === cluster && metadata.stack === stack);
}
