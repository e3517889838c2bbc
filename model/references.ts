import { keyOf, type Settings } from "./settings.ts";

/** Settings of a machine that name something OpenStack must already have. */
export type Reference = "image" | "flavor" | "availabilityZone" | "keyPair" | "securityGroups";

/** What the machines of all nodes name of a kind, each name with the keys of the settings that have it. */
export function references({ machine, nodes }: Settings, kind: Reference): Map<string, string[]> {
  const keys = new Map<string, string[]>();
  for (const [node, own] of Object.entries(nodes)) {
    const key = keyOf(own[kind] === undefined ? ["machine", kind] : ["nodes", node, kind]);
    for (const name of [own[kind] ?? machine[kind] ?? []].flat()) {
      const others = keys.get(name) ?? [];
      if (!others.includes(key)) keys.set(name, [...others, key]);
    }
  }
  return keys;
}
