import * as z from "zod";
import { parseNetwork, type Network } from "./addresses.ts";
import { listenerSettings } from "./load-balancer-settings.ts";
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
  /** Octavia's provider by load balancer. */
  providers: Record<string, unknown>;
  /** Listeners by load balancer and name. */
  listeners: Record<string, Record<string, Partial<z.output<typeof listenerSettings>>>>;
}

/** What is known of settings that may be wrong. */
export function knownOf(input: unknown): Known {
  const { cluster, network, nodes, pools, runtime, kubelet, downloads, dns } = schema.shape;
  const given = fieldsOf(input);
  return {
    cluster: rightFields(cluster, given.cluster),
    network: rightFields(network, given.network),
    existingNetwork: fieldsOf(given.network).existing !== undefined,
    nodes:
      given.nodes === undefined
        ? undefined
        : byName(given.nodes, (node) => rightFields(nodes.valueType, node)),
    pools: byName(given.pools, (pool) => rightFields(pools.unwrap().valueType, pool)),
    runtime: runtime.safeParse(given.runtime).data,
    kubelet: kubelet.safeParse(given.kubelet).data ?? {},
    downloads: rightFields(downloads.unwrap(), given.downloads),
    dns: rightFields(dns.unwrap(), given.dns),
    providers: byName(given.loadBalancers, (balancer) => fieldsOf(balancer).provider),
    listeners: byName(given.loadBalancers, (balancer) =>
      byName(fieldsOf(balancer).listeners, (listener) => rightFields(listenerSettings, listener)),
    ),
  };
}

/** The same dictionary with other values. */
function byName<T>(input: unknown, value: (given: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(fieldsOf(input)).map(([name, given]) => [name, value(given)]));
}

/** The fields of an object that are right by themselves, with their defaults. */
function rightFields<T extends z.ZodObject>(object: T, input: unknown): Partial<z.output<T>> {
  const given = fieldsOf(input);
  const parsed = Object.entries(object.shape).map(
    ([name, field]) => [name, z.safeParse(field, given[name]).data] as const,
  );
  return Object.fromEntries(parsed) as Partial<z.output<T>>;
}

function fieldsOf(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? (input as Record<string, unknown>) : {};
}

/** The network of a text that is right; undefined where it is not. */
export function networkOf(text: string | undefined): Network | undefined {
  return text === undefined ? undefined : parseNetwork(text);
}
