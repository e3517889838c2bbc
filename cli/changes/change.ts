/** What the engine does to a resource. */
export type Operation = "create" | "update" | "replace" | "delete";

/** Resources by what is done to them, as `worker-1: instance` or `ready`. */
export type Touched = Partial<Record<Operation, string[]>>;

/** A kind of change to the settings of a stack, and what it does. */
export interface Change {
  /** The kind of change, in words. */
  what: string;
  /** What is set before, laid over the example's settings. */
  before?: object;
  /** What is set after, laid over what was set before; `undefined` takes a setting away. */
  after: object;
  does: "in place" | "rolling" | "makes the node anew" | "adds" | "removes" | "refused";
  why: string;
  /** The resources that are changed. */
  resources: Touched;
  /** Why the lab cannot show it. */
  notOnLab?: string;
}

/** The settings that the changes are made to. */
export const example = {
  cluster: { name: "demo", kubernetesVersion: "1.36.3" },
  network: { externalNetwork: "public" },
  machine: { image: "debian-13", flavor: "m1.medium" },
  nodes: {
    "cp-1": { role: "control-plane", slot: 10, flavor: "m1.large" },
    "worker-1": { role: "worker", slot: 11 },
    "worker-2": { role: "worker", slot: 12 },
  },
};

/** Lays a change over settings: dictionaries are merged, `undefined` takes away, all else is put in. */
export function changed<T extends object>(settings: T, change: object): T {
  const result = { ...settings } as Record<string, unknown>;
  for (const [key, value] of Object.entries(change)) {
    const before = result[key];
    if (value === undefined) delete result[key];
    else result[key] = isDictionary(before) && isDictionary(value) ? changed(before, value) : value;
  }
  return result as T;
}

function isDictionary(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Resources of nodes whose Pulumi names begin with a group's, not with the node's component's. */
const groups: Record<string, string> = {
  "address-pairs": "port",
  "floating-addresses": "floating address",
  "pod-routes": "route",
};

/** `worker-1: instance` of `demo-workers-worker-1-instance`, `ready` of `demo-ready`. */
export function resourceOf(name: string, cluster: string): string {
  const rest = name.slice(cluster.length + 1);
  const [, group, node, part] =
    /^(workers|control-plane|address-pairs|floating-addresses|pod-routes)-((?:cp|worker)-\d+)-?(.*)$/.exec(
      rest,
    ) ?? [];
  return group === undefined ? rest : `${node}: ${groups[group] ?? part}`;
}

/** All resources of a node by what they are, in the order of their names. */
const wholeNode = [
  ...["certificate", "converge", "floating address", "host-key", "instance", "membership", "node-key"],
  ...["port", "request", "route"],
];
/** More resources of a component than these are counted, not named. */
const named = 6;

/** The same resources in an order of their own, those told once that are of all nodes, of all workers or of one kind. */
export function summary(touched: Touched): Touched {
  return Object.fromEntries(
    Object.entries(touched)
      .filter(([, resources]) => resources.length > 0)
      .map(([operation, resources]) => [operation, summaryOf(resources)]),
  );
}

function summaryOf(resources: string[]): string[] {
  const nodes = Object.keys(example.nodes);
  const all = (names: string[], parts: string[]) =>
    names.every((name) => parts.every((part) => resources.includes(`${name}: ${part}`)));
  const result = new Set<string>();
  for (const resource of [...resources].sort()) {
    const [node, part] = resource.split(": ");
    const group = resource.split("-")[0]!;
    const alike = resources.filter((other) => other.startsWith(`${group}-`) && !other.includes(":"));
    if (part === undefined) result.add(alike.length > named ? `${group} (${alike.length})` : resource);
    else if (all([node!], wholeNode)) result.add(`${node}: the whole node`);
    else if (all(nodes, [part])) result.add(`every node: ${part}`);
    else if (all(nodes.slice(1), [part]) && node !== nodes[0]) result.add(`every worker: ${part}`);
    else result.add(resource);
  }
  return [...result].sort();
}
