import { stackSettings } from "./cluster.ts";

/** A wrong setting: what it is, which of `stackSettings` it replaces, and what is said of it. */
export type BadValue = [title: string, changes: object, problem: string];
/** Wrong settings by the row of docs/seed.md that they belong to. */
export type BadValues = Record<number, BadValue[]>;

/** Parts of a stack with some of their settings replaced. */
export const cluster = (settings: object) => ({ cluster: { ...stackSettings.cluster, ...settings } });
export const network = (settings: object) => ({ network: { ...stackSettings.network, ...settings } });
export const machine = (settings: object) => ({ machine: { ...stackSettings.machine, ...settings } });
export const nodesOf = (nodes: object) => ({ nodes });
export const worker = (settings: object) =>
  nodesOf({ ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, ...settings } });

/** What is said in many places. */
export const label =
  "must be a DNS label: a-z, 0-9 and -, at most 63 characters, not beginning or ending with -";
export const noNetwork = "is no IPv4 network such as 10.0.0.0/16";
