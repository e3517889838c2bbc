import { Cluster } from "../../components/cluster.ts";
import { destroyLeftovers } from "../../components/destroy-leftovers.ts";
import type { CloudIds } from "../../components/lookups.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import { unpack, type Files } from "../../model/bundle.ts";
import { planOf } from "./cluster.ts";
import { run, type Registered, type Secret } from "./monitor.ts";

/** Of a cloud whose network the stack makes. */
export const cloud: CloudIds = {
  externalNetworkId: "external-network-id",
  securityGroupIds: {},
  existingNodes: [],
  unbuiltNodes: [],
};

/** A cluster with what it waits for, but its foundations, which change with every setting that they are about. */
export function newCluster(plan: ClusterPlan, ids = cloud): Cluster {
  const leftovers = destroyLeftovers("foundations-leftovers", {});
  return new Cluster(plan.settings.cluster.name, { plan, cloud: ids, leftovers });
}

/** The resources of the cluster `demo` under mocks, in their order and by name. */
export async function registerCluster(changes: Record<string, unknown> = {}, preview = false, ids = cloud) {
  const plan = planOf(changes);
  const { resources, result } = await run(() => newCluster(plan, ids), { preview });
  return { resources, cluster: result, graph: Object.fromEntries(resources.map((r) => [r.name, r])) };
}

/** The keys and certificates that a command sends to a node's machine. */
export function secretsSent({ inputs }: Registered): Files {
  const { value } = inputs.stdin as Secret & { value: string };
  return Object.fromEntries(Object.entries(unpack(value)).filter(([, { mode }]) => mode === "0600"));
}
