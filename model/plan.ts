import {
  addressAt,
  contains,
  formatNetwork,
  overlap,
  parseNetwork,
  size,
  subnetAt,
  type Network,
} from "./addresses.ts";
import type { Files } from "./bundle.ts";
import { clusterCertificates, type CertificateSpec, type ClusterCertificate } from "./certificates.ts";
import { downloadsOf, type Checksums } from "./downloads.ts";
import { nodeFiles } from "./files/node.ts";
import { keyOf, SettingsError, type NodeSettings, type Settings } from "./settings.ts";
import { cniPlugins, criDockerd, minorOf, releases, type Release } from "./versions.ts";

/** Everything about a cluster that its settings decide, as plain data. */
export interface ClusterPlan {
  settings: Settings;
  release: Release;
  /** First address of the service network: the API inside the cluster. */
  apiServiceAddress: string;
  dnsAddress: string;
  /** The API for machines of the node network. */
  apiServer: string;
  /** Range of the node network that Neutron may hand out itself; no node has an address in it. */
  allocationPool: { start: string; end: string };
  certificates: Record<ClusterCertificate, CertificateSpec>;
  controlPlane: NodePlan;
  workers: NodePlan[];
  /** All nodes, the control plane first, then by slot. */
  nodes: NodePlan[];
}

export interface NodePlan {
  name: string;
  role: NodeSettings["role"];
  address: string;
  podNetwork: string;
  /** First address of the pod network: the bridge cbr0. */
  podGateway: string;
  image: string;
  flavor: string;
  availabilityZone?: string;
  /** All files of the node but keys and certificates. */
  files: Files;
}

/** What is known of a node before its files are written. */
export type NodeBase = Omit<NodePlan, "files"> & Pick<NodeSettings, "labels" | "taints" | "slot">;
/** What is known of a cluster before the nodes' files are written. */
export type ClusterBase = Omit<ClusterPlan, "nodes" | "workers" | "controlPlane" | "certificates"> & {
  controlPlane: NodeBase;
  nodes: NodeBase[];
};

/**
 * Works a cluster out of its settings.
 *
 * Slots fix addresses: a node's address is the node network's slot-th, its pod network the pod network's slot-th,
 * so that no node's change moves another's.
 * @param checksums SHA-256 of every download by its path below the mirror's root
 * @throws SettingsError with all that does not fit together
 */
export function plan(settings: Settings, checksums: Checksums): ClusterPlan {
  const problems = [
    ...networkProblems(settings),
    ...nodeProblems(settings),
    ...downloadProblems(settings, checksums),
  ];
  if (problems.length > 0) throw new SettingsError(problems);

  const { cluster, network } = settings;
  const serviceNetwork = parseNetwork(cluster.serviceNetwork);
  const nodes = Object.entries(settings.nodes)
    .map(([name, node]) => nodeBase(settings, name, node))
    .sort((a, b) => Number(a.role === "worker") - Number(b.role === "worker") || a.slot - b.slot);
  const controlPlane = nodes[0]!;
  const base: ClusterBase = {
    settings,
    release: releases[minorOf(cluster.kubernetesVersion)]!,
    apiServiceAddress: addressAt(serviceNetwork, 1),
    dnsAddress: cluster.dnsAddress ?? addressAt(serviceNetwork, 10),
    apiServer: `https://${controlPlane.address}:${cluster.apiPort}`,
    allocationPool: allocationPool(parseNetwork(network.nodeNetwork)),
    controlPlane,
    nodes,
  };
  const planned = nodes.map(
    ({ labels: _labels, taints: _taints, slot: _slot, ...node }, index): NodePlan => ({
      ...node,
      files: nodeFiles(base, nodes[index]!, checksums),
    }),
  );
  return {
    ...base,
    certificates: clusterCertificates({
      controlPlane,
      domain: cluster.domain,
      apiServiceAddress: base.apiServiceAddress,
    }),
    controlPlane: planned[0]!,
    workers: planned.slice(1),
    nodes: planned,
  };
}

function nodeBase(settings: Settings, name: string, node: NodeSettings): NodeBase {
  const { cluster, network, machine } = settings;
  const podNetwork = subnetAt(parseNetwork(cluster.podNetwork), cluster.nodePodPrefix, node.slot);
  return {
    name,
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
  };
}

/** The last quarter of the node network: for DHCP ports and machines of others. */
function allocationPool(network: Network): { start: string; end: string } {
  return { start: addressAt(network, firstOfPool(network)), end: addressAt(network, size(network) - 2) };
}

function firstOfPool(network: Network): number {
  return Math.floor((size(network) * 3) / 4);
}

function networkProblems({ cluster, network }: Settings): string[] {
  const problems: string[] = [];
  const networks = [
    [keyOf(["cluster", "podNetwork"]), cluster.podNetwork],
    [keyOf(["cluster", "serviceNetwork"]), cluster.serviceNetwork],
    [keyOf(["network", "nodeNetwork"]), network.nodeNetwork],
  ] as const;
  networks.forEach(([key, text], index) => {
    for (const [otherKey, other] of networks.slice(index + 1)) {
      if (overlap(parseNetwork(text), parseNetwork(other)))
        problems.push(`${key}: ${text} overlaps ${otherKey} ${other}`);
    }
  });
  const podNetwork = parseNetwork(cluster.podNetwork);
  if (cluster.nodePodPrefix <= podNetwork.prefix) {
    problems.push(
      `${keyOf(["cluster", "nodePodPrefix"])}: must be longer than the pod network's /${podNetwork.prefix}`,
    );
  }
  const serviceNetwork = parseNetwork(cluster.serviceNetwork);
  // The API server takes no larger service network than 2^20 addresses; the DNS default needs 16.
  if (serviceNetwork.prefix < 12 || serviceNetwork.prefix > 28) {
    problems.push(
      `${keyOf(["cluster", "serviceNetwork"])}: must be between /12 and /28, not /${serviceNetwork.prefix}`,
    );
  }
  if (cluster.dnsAddress !== undefined) {
    const inside = contains(serviceNetwork, cluster.dnsAddress);
    if (
      !inside ||
      [addressAt(serviceNetwork, 0), addressAt(serviceNetwork, 1)].includes(cluster.dnsAddress)
    ) {
      problems.push(
        `${keyOf(["cluster", "dnsAddress"])}: must be an address of ${cluster.serviceNetwork} after ${addressAt(serviceNetwork, 1)}`,
      );
    }
  }
  const nodeNetwork = parseNetwork(network.nodeNetwork);
  if (nodeNetwork.prefix > 28) problems.push(`${keyOf(["network", "nodeNetwork"])}: must be a /28 or larger`);
  return problems;
}

function nodeProblems({ cluster, network, nodes }: Settings): string[] {
  const problems: string[] = [];
  const controlPlanes = Object.entries(nodes).filter(([, node]) => node.role === "control-plane");
  if (controlPlanes.length !== 1) {
    const found =
      controlPlanes.length === 0 ? "none has" : `${controlPlanes.map(([name]) => name).join(", ")} have`;
    problems.push(`${keyOf(["nodes"])}: exactly one node has the role control-plane; ${found} it`);
  }
  const podNetwork = parseNetwork(cluster.podNetwork);
  const slots = Math.min(
    firstOfPool(parseNetwork(network.nodeNetwork)),
    2 ** (cluster.nodePodPrefix - podNetwork.prefix),
  );
  const taken = new Map<number, string>();
  for (const [name, { slot }] of Object.entries(nodes)) {
    const key = keyOf(["nodes", name, "slot"]);
    const other = taken.get(slot);
    if (other !== undefined) problems.push(`${key}: ${slot} is the slot of ${other}`);
    taken.set(slot, name);
    // 0 is the network's own address, 1 the router's.
    if (slot < 2 || slot >= slots) {
      problems.push(
        `${key}: must be from 2 to ${slots - 1}, not ${slot}: ${network.nodeNetwork} has its router at 1 and Neutron's own range in its last quarter, ` +
          `${cluster.podNetwork} has ${2 ** Math.max(0, cluster.nodePodPrefix - podNetwork.prefix)} networks of /${cluster.nodePodPrefix}`,
      );
    }
  }
  return problems;
}

function downloadProblems(settings: Settings, checksums: Checksums): string[] {
  const missing = downloadsOf({
    kubernetesVersion: settings.cluster.kubernetesVersion,
    cniPlugins,
    criDockerd: settings.runtime === "docker" ? criDockerd : undefined,
  }).filter(({ path }) => checksums[path] === undefined);
  if (missing.length === 0) return [];
  return [
    `${keyOf(["downloads", "checksums"])}: no SHA-256 is known for ${missing.map(({ path }) => path).join(", ")}; ` +
      "name a file of them in sha256sum format",
  ];
}
