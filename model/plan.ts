import { addressAt, formatNetwork, parseNetwork, size, subnetAt, type Network } from "./addresses.ts";
import type { Files } from "./bundle.ts";
import {
  authoritiesOf,
  clusterCertificates,
  type Authority,
  type CertificateSpec,
  type ClusterCertificate,
} from "./certificates.ts";
import type { Checksums } from "./downloads.ts";
import { nodeFiles } from "./files/node.ts";
import { loadBalancersOf, type LoadBalancerPlan } from "./load-balancers.ts";
import { includes } from "./phases.ts";
import { nodesOf, type AnyNode } from "./pools.ts";
import { routingOf, type Routing } from "./routing.ts";
import type { NodeSettings, PoolSettings, Settings } from "./settings.ts";
import { minorOf, releases, type Release } from "./versions.ts";

/** Everything about a cluster that its settings decide, as plain data. */
export interface ClusterPlan {
  settings: Settings;
  release: Release;
  routing: Routing;
  /** First address of the service network: the API inside the cluster. */
  apiServiceAddress: string;
  dnsAddress: string;
  /** The API for machines of the node network. */
  apiServer: string;
  /** Range of a node network of the program's that Neutron may hand out itself; no node has an address in it. */
  allocationPool: { start: string; end: string };
  /** Policies of the pools' server groups, by pool, of those that have one. */
  serverGroups: Record<string, NonNullable<PoolSettings["serverGroup"]>>;
  /** The authorities of the stack's phase, and the certificates that they sign for the cluster itself. */
  authorities: Authority[];
  certificates: Partial<Record<ClusterCertificate, CertificateSpec>>;
  controlPlane: NodePlan;
  workers: NodePlan[];
  /** All nodes, the control plane first, then by slot. */
  nodes: NodePlan[];
  loadBalancers: LoadBalancerPlan[];
}

export interface NodePlan {
  name: string;
  /** The pool that it is of; none where it stands in the settings by itself. */
  pool?: string;
  role: NodeSettings["role"];
  address: string;
  podNetwork: string;
  /** First address of the pod network: the bridge cbr0. */
  podGateway: string;
  image: string;
  flavor: string;
  availabilityZone?: string;
  keyPair?: string;
  /** Names of the groups that its port has beside the program's. */
  securityGroups: string[];
  /** All files of the node but keys and certificates. */
  files: Files;
}

/** What is known of a node before its files are written. */
export type NodeBase = Omit<NodePlan, "files"> & Pick<NodeSettings, "labels" | "taints" | "slot">;
/** What is known of a cluster before the nodes' files are written. */
export type ClusterBase = Omit<
  ClusterPlan,
  "nodes" | "workers" | "controlPlane" | "authorities" | "certificates" | "loadBalancers"
> & {
  controlPlane: NodeBase;
  nodes: NodeBase[];
};

/**
 * Works a cluster out of settings that fit together (checks.ts).
 *
 * Slots fix addresses: a node's address is the node network's slot-th, its pod network the pod network's slot-th
 * or the one that the settings give it, so that no node's change moves another's. A pool's nodes have their slots by
 * their numbers.
 * @param checksums SHA-256 of every download by its path below the mirror's root
 */
export function plan(settings: Settings, checksums: Checksums): ClusterPlan {
  const { cluster, network } = settings;
  const serviceNetwork = parseNetwork(cluster.serviceNetwork);
  const nodes = Object.entries(nodesOf(settings))
    .map(([name, node]) => nodeBase(settings, name, node))
    .sort((a, b) => Number(a.role === "worker") - Number(b.role === "worker") || a.slot - b.slot);
  const controlPlane = nodes[0]!;
  const base: ClusterBase = {
    settings,
    release: releases[minorOf(cluster.kubernetesVersion)]!,
    routing: routingOf(network),
    apiServiceAddress: addressAt(serviceNetwork, 1),
    dnsAddress: dnsAddressOf(cluster),
    apiServer: `https://${controlPlane.address}:${cluster.apiPort}`,
    allocationPool: allocationPool(parseNetwork(network.nodeNetwork)),
    serverGroups: Object.fromEntries(
      Object.entries(settings.pools).flatMap(([pool, { serverGroup }]) =>
        serverGroup === undefined ? [] : [[pool, serverGroup]],
      ),
    ),
    controlPlane,
    nodes,
  };
  const planned = nodes.map(
    ({ labels: _labels, taints: _taints, slot: _slot, ...node }, index): NodePlan => ({
      ...node,
      files: nodeFiles(base, nodes[index]!, checksums),
    }),
  );
  const certificates = clusterCertificates({
    controlPlane,
    domain: cluster.domain,
    apiServiceAddress: base.apiServiceAddress,
  });
  return {
    ...base,
    authorities: authoritiesOf(settings.phase),
    certificates: Object.fromEntries(
      Object.entries(certificates).filter(([, { authority }]) =>
        includes(settings.phase, authority === "docker" ? "docker" : "kubernetes"),
      ),
    ),
    controlPlane: planned[0]!,
    workers: planned.slice(1),
    nodes: planned,
    loadBalancers: loadBalancersOf(settings, nodes),
  };
}

function nodeBase(settings: Settings, name: string, node: AnyNode): NodeBase {
  const { cluster, network, machine } = settings;
  const podNetwork =
    node.podNetwork === undefined
      ? subnetAt(parseNetwork(cluster.podNetwork), cluster.nodePodPrefix, node.slot)
      : parseNetwork(node.podNetwork);
  return {
    name,
    pool: node.pool,
    role: node.role,
    slot: node.slot,
    labels: node.labels,
    taints: node.taints,
    address: addressAt(parseNetwork(network.nodeNetwork), node.slot),
    podNetwork: formatNetwork(podNetwork),
    podGateway: addressAt(podNetwork, 1),
    image: node.image ?? machine.image,
    flavor: node.flavor ?? machine.flavor,
    availabilityZone: node.availabilityZone ?? machine.availabilityZone,
    keyPair: node.keyPair ?? machine.keyPair,
    securityGroups: node.securityGroups ?? machine.securityGroups ?? [],
  };
}

/** Service address of the cluster's DNS: the 10th of the service network, or what the settings say. */
export function dnsAddressOf({
  serviceNetwork,
  dnsAddress,
}: Pick<Settings["cluster"], "serviceNetwork" | "dnsAddress">): string {
  return dnsAddress ?? addressAt(parseNetwork(serviceNetwork), 10);
}

/** The last quarter of the node network: for DHCP ports and machines of others. */
function allocationPool(network: Network): { start: string; end: string } {
  return { start: addressAt(network, firstOfPool(network)), end: addressAt(network, size(network) - 2) };
}

/** Where the last quarter of the node network begins, counted in addresses. */
export function firstOfPool(network: Network): number {
  return Math.floor((size(network) * 3) / 4);
}
