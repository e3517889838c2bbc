import { formatNetwork, includes, overlap, size, subnetAt, type Network } from "./addresses.ts";
import { networkOf, type Known } from "./known-settings.ts";
import { firstOfPool } from "./plan.ts";
import { keyOf, longestNodePodPrefix } from "./settings.ts";

/** Bits that the pod network leaves for slots at least, so that there are some from the first on. */
export const slotBits = 2;
/** The smallest node network, by its prefix length. */
export const longestNodeNetwork = 28;

/** The last slot that a network has room for, and why. */
interface SlotBound {
  last: number;
  reason: string;
}

/** The slots that there are, and why no others. */
export interface SlotBounds {
  first: number;
  last: number;
  reasons: string;
}

/** What is wrong with the nodes' roles, slots and pod networks. */
export function nodeProblems(known: Known): string[] {
  if (known.nodes === undefined) return [];
  return [...roleProblems(known.nodes), ...slotProblems(known), ...podNetworkProblems(known)];
}

function roleProblems(nodes: NonNullable<Known["nodes"]>): string[] {
  const roles = Object.values(nodes).map(({ role }) => role);
  const controlPlanes = Object.keys(nodes).filter((name) => nodes[name]!.role === "control-plane");
  // A role that is wrong by itself may be meant for the control plane's.
  if (controlPlanes.length === 1 || (controlPlanes.length === 0 && roles.includes(undefined))) return [];
  const found = controlPlanes.length === 0 ? "none has" : `${controlPlanes.join(", ")} have`;
  return [`${keyOf(["nodes"])}: exactly one node has the role control-plane; ${found} it`];
}

function slotProblems(known: Known): string[] {
  const problems: string[] = [];
  const taken = new Map<number, string>();
  for (const [name, { slot, podNetwork }] of Object.entries(known.nodes ?? {})) {
    if (slot === undefined) continue;
    const key = keyOf(["nodes", name, "slot"]);
    const other = taken.get(slot);
    if (other !== undefined) problems.push(`${key}: ${slot} is the slot of ${other}`);
    taken.set(slot, name);
    // A node with a pod network of its own needs none of the slot's.
    const bounds = slotBounds(known, podNetwork === undefined);
    if (bounds && (slot < bounds.first || slot > bounds.last))
      problems.push(`${key}: must be from ${bounds.first} to ${bounds.last}, not ${slot}: ${bounds.reasons}`);
  }
  return problems;
}

/**
 * The slots that the networks have room for; undefined where neither network is right.
 * @param ofPods whether the pod network is that of the slot
 */
export function slotBounds(known: Known, ofPods: boolean): SlotBounds | undefined {
  const bounds = [nodeNetworkBound(known), ofPods ? podNetworkBound(known) : undefined].filter(
    (bound) => bound !== undefined,
  );
  if (bounds.length === 0) return undefined;
  return {
    // 0 is the node network's own address; 1 the router's, unless it was there before.
    first: known.existingNetwork ? 1 : 2,
    last: Math.min(...bounds.map(({ last }) => last)),
    reasons: bounds.map(({ reason }) => reason).join(", "),
  };
}

/** What a node network that is right has room for. */
function nodeNetworkBound({ network, existingNetwork }: Known): SlotBound | undefined {
  const machines = networkOf(network.nodeNetwork);
  if (!machines || machines.prefix > longestNodeNetwork) return undefined;
  const text = formatNetwork(machines);
  return existingNetwork
    ? { last: size(machines) - 2, reason: `${text} keeps its first and its last address` }
    : {
        last: firstOfPool(machines) - 1,
        reason: `${text} has its router at 1 and Neutron's own range in its last quarter`,
      };
}

/** What a pod network that is right has room for. */
function podNetworkBound({ cluster }: Known): SlotBound | undefined {
  const pods = networkOf(cluster.podNetwork);
  const bits = (cluster.nodePodPrefix ?? 0) - (pods?.prefix ?? 0);
  if (!pods || bits < slotBits) return undefined;
  const reason = `${formatNetwork(pods)} has ${2 ** bits} networks of /${cluster.nodePodPrefix}`;
  return { last: 2 ** bits - 1, reason };
}

function podNetworkProblems({ cluster, nodes = {} }: Known): string[] {
  const pods = networkOf(cluster.podNetwork);
  const problems: string[] = [];
  const report = (name: string, text: string) =>
    problems.push(`${keyOf(["nodes", name, "podNetwork"])}: ${text}`);
  const others = new Map<string, Network>();
  if (pods && cluster.nodePodPrefix !== undefined) {
    for (const [name, { slot, podNetwork }] of Object.entries(nodes)) {
      if (podNetwork !== undefined || slot === undefined) continue;
      others.set(name, subnetAt(pods, cluster.nodePodPrefix, slot));
    }
  }
  for (const [name, { podNetwork }] of Object.entries(nodes)) {
    const own = networkOf(podNetwork);
    if (own === undefined) continue;
    if (own.prefix > longestNodePodPrefix)
      report(name, `must be a /${longestNodePodPrefix} or larger, not /${own.prefix}`);
    else if (pods && !includes(pods, own))
      report(
        name,
        `must be in ${keyOf(["cluster", "podNetwork"])} ${formatNetwork(pods)}, not ${podNetwork}`,
      );
    for (const [other, network] of others) {
      if (overlap(own, network)) report(name, `${podNetwork} overlaps ${formatNetwork(network)} of ${other}`);
    }
    others.set(name, own);
  }
  return problems;
}
