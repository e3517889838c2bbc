import type { Phase } from "./phases.ts";
import type { ClusterPlan } from "./plan.ts";

/** What a cluster is built on, and a change must not take away from under what runs. */
export interface Foundations {
  phase: Phase;
  clusterName: string;
  kubernetesVersion: string;
  runtime: string;
  domain: string;
  podNetwork: string;
  nodePodPrefix: number;
  serviceNetwork: string;
  dnsAddress: string;
  apiPort: number;
  nodeNetwork: string;
  externalNetwork: string;
  /** Names or ids of network, subnet and router; absent where the program makes its own. */
  existingNetwork?: string;
  authorizedKeys: string[];
  /** By name. */
  nodes: Record<string, NodeFoundations>;
}

interface NodeFoundations {
  role: string;
  address: string;
  podNetwork: string;
  image: string;
  flavor: string;
  availabilityZone?: string;
  keyPair?: string;
}

/** The foundations of a plan. */
export function foundationsOf({ settings, dnsAddress, nodes }: ClusterPlan): Foundations {
  const { cluster, network, phase, ssh } = settings;
  const { existing } = network;
  return {
    phase,
    clusterName: cluster.name,
    kubernetesVersion: cluster.kubernetesVersion,
    runtime: settings.runtime,
    domain: cluster.domain,
    podNetwork: cluster.podNetwork,
    nodePodPrefix: cluster.nodePodPrefix,
    serviceNetwork: cluster.serviceNetwork,
    dnsAddress,
    apiPort: cluster.apiPort,
    nodeNetwork: network.nodeNetwork,
    externalNetwork: network.externalNetwork,
    existingNetwork: existing && [existing.network, existing.subnet, existing.router].join(", "),
    authorizedKeys: ssh.authorizedKeys,
    nodes: Object.fromEntries(
      nodes.map(({ name, role, address, podNetwork, image, flavor, availabilityZone, keyPair }) => [
        name,
        { role, address, podNetwork, image, flavor, availabilityZone, keyPair },
      ]),
    ),
  };
}
