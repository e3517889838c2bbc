import * as z from "zod";
import { parseNetwork, type Network } from "./addresses.ts";
import { schema, type NodeSettings, type PoolSettings, type Settings } from "./settings.ts";

/** The settings that concern each other, without those that are wrong by themselves. */
export interface Known {
  cluster: Partial<Settings["cluster"]>;
  network: Partial<Settings["network"]>;
  /** Whether `network.existing` is given, right or wrong. */
  existingNetwork: boolean;
  nodes?: Record<string, Partial<NodeSettings>>;
  pools: Record<string, Partial<PoolSettings>>;
  runtime?: Settings["runtime"];
  kubelet: Partial<Settings["kubelet"]>;
  downloads: Partial<Settings["downloads"]>;
  dns: Partial<Settings["dns"]>;
}

/** What is known of settings that may be wrong. */
export function knownOf(input: unknown): Known {
  const { cluster, network, nodes, pools, runtime, kubelet, downloads, dns } = schema.shape;
  const given = fieldsOf(input);
  return {
    cluster: rightFields(cluster, given.cluster),
    network: rightFields(network, given.network),
    existingNetwork: fieldsOf(given.network).existing !== undefined,
    nodes: given.nodes === undefined ? undefined : rightEntries(nodes.valueType, given.nodes),
    pools: rightEntries(pools.unwrap().valueType, given.pools),
    runtime: runtime.safeParse(given.runtime).data,
    kubelet: kubelet.safeParse(given.kubelet).data ?? {},
    downloads: rightFields(downloads.unwrap(), given.downloads),
    dns: rightFields(dns.unwrap(), given.dns),
  };
}

/** The fields of an object that are right by themselves, with their defaults. */
function rightFields<T extends z.ZodObject>(object: T, input: unknown): Partial<z.output<T>> {
  const given = fieldsOf(input);
  const parsed = Object.entries(object.shape).map(
    ([name, field]) => [name, z.safeParse(field, given[name]).data] as const,
  );
  return Object.fromEntries(parsed) as Partial<z.output<T>>;
}

/** The same for each entry of a dictionary. */
function rightEntries<T extends z.ZodObject>(entry: T, input: unknown): Record<string, Partial<z.output<T>>> {
  const entries = Object.entries(fieldsOf(input)).map(([name, value]) => [name, rightFields(entry, value)]);
  return Object.fromEntries(entries) as Record<string, Partial<z.output<T>>>;
}

function fieldsOf(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? (input as Record<string, unknown>) : {};
}

/** The network of a text that is right; undefined where it is not. */
export function networkOf(text: string | undefined): Network | undefined {
  return text === undefined ? undefined : parseNetwork(text);
}
