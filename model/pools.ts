import { keyOf, type NodeSettings, type PoolSettings, type Settings } from "./settings.ts";

/** A node of the settings, and the pool that it is of. */
export type AnyNode = NodeSettings & { pool?: string };

/** The first and the last of a pool's slots. */
export function slotsOf({ slots }: Pick<PoolSettings, "slots">): { first: number; last: number } {
  const [first, last] = slots.split("-").map(Number);
  return { first: first!, last: last! };
}

/** The number of a pool's node that is known by this number or name; undefined where the pool has none of that name. */
export function numberOf(pool: string, node: number | string): number | undefined {
  if (typeof node === "number") return node;
  const suffix = node.startsWith(`${pool}-`) ? node.slice(pool.length + 1) : "";
  return /^[1-9]\d*$/.test(suffix) ? Number(suffix) : undefined;
}

/** The numbers of a pool's nodes: the first `count`, counted from 1, without those that `remove` names. */
function numbersOf(pool: string, { count, remove }: Pick<PoolSettings, "count" | "remove">): number[] {
  const removed = new Set(remove.map((node) => numberOf(pool, node)));
  const numbers: number[] = [];
  for (let number = 1; numbers.length < count; number++) if (!removed.has(number)) numbers.push(number);
  return numbers;
}

/** All nodes of a cluster by name: those of `nodes`, and of each pool as if they stood there. */
export function nodesOf({ nodes, pools }: Pick<Settings, "nodes" | "pools">): Record<string, AnyNode> {
  const ofPools = Object.entries(pools).flatMap(([pool, settings]) =>
    numbersOf(pool, settings).map(
      (number) => [`${pool}-${number}`, poolNode(pool, settings, number)] as const,
    ),
  );
  return { ...nodes, ...Object.fromEntries(ofPools) };
}

/** What a pool's node of this number has depends on no other node. */
function poolNode(pool: string, settings: PoolSettings, number: number): AnyNode {
  const { count: _count, slots: _slots, remove: _remove, serverGroup: _group, ...alike } = settings;
  const { availabilityZones: zones, ...machine } = alike;
  return {
    ...machine,
    pool,
    role: "worker",
    slot: slotsOf(settings).first + number - 1,
    availabilityZone: zones?.[(number - 1) % zones.length],
  };
}

/** Settings of a node that its pool has under another name. */
const poolKeys: Partial<Record<keyof NodeSettings, keyof PoolSettings>> = {
  slot: "slots",
  availabilityZone: "availabilityZones",
};

/** Where a setting of a node stands: with the node itself, or with its pool. */
export function keyOfNode(name: string, pool: string | undefined, setting: keyof NodeSettings): string {
  return keyOf(pool === undefined ? ["nodes", name, setting] : ["pools", pool, poolKeys[setting] ?? setting]);
}
