import { Cluster } from "../../components/cluster.ts";
import type { CloudIds } from "../../components/lookups.ts";
import { planOf } from "./cluster.ts";
import { run } from "./monitor.ts";

/** Of a cloud whose network the stack makes. */
export const cloud: CloudIds = {
  externalNetworkId: "external-network-id",
  securityGroupIds: {},
  existingNodes: [],
  unbuiltNodes: [],
};

/** The resources of the cluster `demo` under mocks, in their order and by name. */
export async function registerCluster(changes: Record<string, unknown> = {}, preview = false, ids = cloud) {
  const plan = planOf(changes);
  const { resources, result } = await run(() => new Cluster("demo", { plan, cloud: ids }), { preview });
  return { resources, cluster: result, graph: Object.fromEntries(resources.map((r) => [r.name, r])) };
}
