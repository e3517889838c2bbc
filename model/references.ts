import { keyOfNode, nodesOf } from "./pools.ts";
import { keyOf, type NodeSettings, type Settings } from "./settings.ts";

/** Settings of a machine that name something OpenStack must already have. */
export type Reference = "image" | "flavor" | "availabilityZone" | "keyPair" | "securityGroups";

/**
 * What the machines of all nodes name of a kind, each name with the keys of the settings that have it.
 * @param role only of nodes that have it
 */
export function references(
  settings: Settings,
  kind: Reference,
  role?: NodeSettings["role"],
): Map<string, string[]> {
  const { machine } = settings;
  const keys = new Map<string, string[]>();
  for (const [node, own] of Object.entries(nodesOf(settings))) {
    if (role !== undefined && own.role !== role) continue;
    const key = own[kind] === undefined ? keyOf(["machine", kind]) : keyOfNode(node, own.pool, kind);
    for (const name of [own[kind] ?? machine[kind] ?? []].flat()) {
      const others = keys.get(name) ?? [];
      if (!others.includes(key)) keys.set(name, [...others, key]);
    }
  }
  return keys;
}
