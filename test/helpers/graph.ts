import { Cluster } from "../../components/cluster.ts";
import type { CloudIds } from "../../components/lookups.ts";
import { planOf } from "./cluster.ts";
import { run } from "./monitor.ts";

const cloud: CloudIds = {
  externalNetworkId: "external-network-id",
  imageIds: { "debian-13": "image-id" },
  securityGroupIds: {},
};

/** The resources of the cluster `demo` under mocks, in their order and by name. */
export async function registerCluster(changes: Record<string, unknown> = {}, preview = false) {
  const plan = planOf(changes);
  const { resources, result } = await run(() => new Cluster("demo", { plan, cloud }), { preview });
  return { resources, cluster: result, graph: Object.fromEntries(resources.map((r) => [r.name, r])) };
}
