import { isDeepStrictEqual } from "node:util";
import { resourceOf, type Operation, type Touched } from "../../cli/changes/change.ts";
import { replacedBy, type KubeObject } from "../../lab/plugins/kubernetes/kinds.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import { cloud, newCluster } from "./graph.ts";
import { run, Secret, type Registered } from "./monitor.ts";

type Asked = Omit<Registered, "urn">;

/**
 * Inputs of OpenStack's resources that the plugin cannot change in place, of those that the program uses (`ForceNew` in
 * terraform-provider-openstack 1.54.1).
 */
const forcesNew: Record<string, string[]> = {
  "compute/instance:Instance": ["availabilityZone", "keyPair", "networks", "userData"],
  "networking/network:Network": [],
  "networking/subnet:Subnet": ["cidr", "ipVersion", "networkId"],
  "networking/router:Router": [],
  "networking/routerInterface:RouterInterface": ["routerId", "subnetId"],
  "networking/routerRoute:RouterRoute": ["routerId", "destinationCidr", "nextHop"],
  "networking/port:Port": ["networkId"],
  "networking/floatingIp:FloatingIp": ["pool"],
  "networking/secGroup:SecGroup": [],
  "networking/secGroupRule:SecGroupRule": [
    ...["securityGroupId", "direction", "ethertype", "protocol", "portRangeMin", "portRangeMax"],
    "remoteIpPrefix",
  ],
};

const graphs = new Map<string, Promise<Registered[]>>();

/** The resources of a plan that was applied. */
function graphOf(plan: ClusterPlan): Promise<Registered[]> {
  const key = JSON.stringify(plan.settings);
  const made = async () => (await run(() => newCluster(plan))).resources;
  const graph = graphs.get(key) ?? made();
  graphs.set(key, graph);
  return graph;
}

/** What the engine would do to the resources of one plan to get those of another, by the plugins' rules. */
export async function previewOf(before: ClusterPlan, after: ClusterPlan): Promise<Touched> {
  const resources = await graphOf(before);
  const old = new Map(resources.map((resource) => [resource.name, resource]));
  const operations = new Map<string, Operation | "same">();
  const operationOn = (asked: Asked): Operation | "same" => {
    const was = old.get(asked.name);
    if (was === undefined) return "create";
    const change = changeOf(was, asked);
    // A preview that does not know how to reach a cluster takes every object for changed.
    const isUnreached =
      asked.type.startsWith("kubernetes:") && operations.get(asked.provider ?? "") === "update";
    return change === "same" && isUnreached ? "update" : change;
  };
  const nowThere = { ...cloud, existingNodes: before.nodes.map(({ name }) => name) };
  const there = await run(() => newCluster(after, nowThere), {
    preview: true,
    isKnown: (asked) => {
      const operation = operationOn(asked);
      operations.set(asked.name, operation);
      return operation === "same" || operation === "update";
    },
  });
  const names = new Set(there.resources.map(({ name }) => name));
  const touched: Touched = {};
  const add = (operation: Operation, { name, custom }: Registered) => {
    if (custom) (touched[operation] ??= []).push(resourceOf(name, before.settings.cluster.name));
  };
  for (const resource of there.resources) {
    const operation = operations.get(resource.name)!;
    if (operation !== "same") add(operation, resource);
  }
  for (const resource of resources.filter(({ name }) => !names.has(name))) add("delete", resource);
  return touched;
}

function changeOf(before: Registered, after: Asked): "same" | "update" | "replace" {
  const [old, now] = [plain(before.inputs), plain(after.inputs)] as Record<string, unknown>[];
  const changed = [...new Set([...Object.keys(old!), ...Object.keys(now!)])].filter(
    (key) => !isDeepStrictEqual(old![key], now![key]),
  );
  if (changed.length === 0) return "same";
  const replaces = replacedByPlugin(after.type, changed, old!, now!);
  return replaces || changed.some((key) => after.replaceOnChanges.includes(key)) ? "replace" : "update";
}

function replacedByPlugin(type: string, changed: string[], old: object, now: object): boolean {
  const [plugin, kind] = [type.split(":")[0]!, type.slice(type.indexOf(":") + 1)];
  switch (plugin) {
    case "openstack":
      return changed.some((key) => forcesNew[kind]!.includes(key));
    case "command":
      return changed.includes("triggers");
    case "tls":
      return true;
    case "kubernetes":
      return replacedBy(old as KubeObject, now as KubeObject, {}).length > 0;
    default:
      return false;
  }
}

/** The inputs with secrets readable. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
