import { formatNetwork, size, subnetAt, type Network } from "./addresses.ts";
import { networkOf, type Known } from "./known-settings.ts";
import { slotBounds } from "./node-checks.ts";
import { numberOf, slotsOf } from "./pools.ts";
import { keyOf, type PoolSettings } from "./settings.ts";

/** A pool whose slots are right by themselves. */
interface Ranged {
  name: string;
  pool: Partial<PoolSettings>;
  slots: string;
  first: number;
  last: number;
}

/** What is wrong with the pools, each by itself, with the other pools and with the nodes. */
export function poolProblems(known: Known): string[] {
  const pools = Object.entries(known.pools).flatMap(([name, pool]): Ranged[] =>
    pool.slots === undefined ? [] : [{ name, pool, slots: pool.slots, ...slotsOf({ slots: pool.slots }) }],
  );
  return pools.flatMap((pool, index) => [
    ...slotProblems(known, pool),
    ...removeProblems(pool),
    ...countProblems(pool),
    ...pools
      .slice(0, index)
      .filter(({ first, last }) => first <= pool.last && pool.first <= last)
      .map((other) => `${slotsKey(pool)}: ${pool.slots} overlaps ${slotsKey(other)} ${other.slots}`),
    ...nodeProblems(known, pool),
  ]);
}

const slotsKey = ({ name }: Ranged) => keyOf(["pools", name, "slots"]);

/** How many numbers the pool's slots are enough for. */
const sizeOf = ({ first, last }: Ranged) => last - first + 1;

function slotProblems(known: Known, pool: Ranged): string[] {
  const bounds = slotBounds(known, true);
  if (!bounds || (pool.first >= bounds.first && pool.last <= bounds.last)) return [];
  const { first, last, reasons } = bounds;
  return [`${slotsKey(pool)}: must be within ${first} to ${last}, not ${pool.slots}: ${reasons}`];
}

function removeProblems(pool: Ranged): string[] {
  const seen = new Set<number>();
  return (pool.pool.remove ?? []).flatMap((node, index) => {
    const key = keyOf(["pools", pool.name, "remove", index]);
    const number = numberOf(pool.name, node);
    if (number === undefined)
      return [`${key}: must be a number or a name such as 2 or ${pool.name}-2, not ${JSON.stringify(node)}`];
    if (number > sizeOf(pool))
      return [`${key}: ${pool.name} has no number ${number}: ${pool.slots} has ${sizeOf(pool)} slots`];
    if (seen.has(number)) return [`${key}: names ${pool.name}-${number} once more`];
    seen.add(number);
    return [];
  });
}

function countProblems(pool: Ranged): string[] {
  const { count, remove = [] } = pool.pool;
  if (count === undefined) return [];
  const numbers = remove.flatMap((node) => numberOf(pool.name, node) ?? []);
  const removed = new Set(numbers.filter((number) => number <= sizeOf(pool))).size;
  const room = sizeOf(pool) - removed;
  if (count <= room) return [];
  const without = removed === 0 ? "" : `, without the ${removed} that remove names`;
  return [
    `${keyOf(["pools", pool.name, "count"])}: must be at most ${room}, not ${count}: ` +
      `${pool.slots} has ${sizeOf(pool)} slots${without}`,
  ];
}

/** Nodes that have what is the pool's alone, now or when it grows: a slot, a name, or a part of its pod networks. */
function nodeProblems(known: Known, pool: Ranged): string[] {
  return Object.entries(known.nodes ?? {}).flatMap(([name, { slot, podNetwork }]) => {
    const report = (path: string[], text: string) => `${keyOf(["nodes", name, ...path])}: ${text}`;
    const number = numberOf(pool.name, name);
    const own = networkOf(podNetwork);
    return [
      ...(number !== undefined && number <= sizeOf(pool)
        ? [report([], `is the name of a node of ${keyOf(["pools", pool.name])}; take another name`)]
        : []),
      ...(slot !== undefined && slot >= pool.first && slot <= pool.last
        ? [report(["slot"], `${slot} is one of ${slotsKey(pool)} ${pool.slots}`)]
        : []),
      ...(own && isOfPool(own, known, pool)
        ? [
            report(
              ["podNetwork"],
              `${formatNetwork(own)} overlaps pod networks of ${slotsKey(pool)} ${pool.slots}`,
            ),
          ]
        : []),
    ];
  });
}

/** Whether a network has addresses of the pod networks of a pool's slots. */
function isOfPool(own: Network, { cluster }: Known, { first, last }: Ranged): boolean {
  const pods = networkOf(cluster.podNetwork);
  if (!pods || cluster.nodePodPrefix === undefined) return false;
  const base = (slot: number) => subnetAt(pods, cluster.nodePodPrefix!, slot).base;
  return own.base < base(last + 1) && base(first) < own.base + size(own);
}
