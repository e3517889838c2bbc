import {
  cluster,
  network,
  noNetwork,
  worker,
  type BadValue,
  type BadValues,
} from "../../helpers/bad-values.ts";

const outside = "must be in cluster.podNetwork 10.100.0.0/16, not";

const podNetworks: [title: string, podNetwork: unknown, problem: string][] = [
  ["that is none", "pods", "is no IPv4 network such as 10.0.0.0/16"],
  ["without a prefix", "10.100.99.0", "is no IPv4 network such as 10.0.0.0/16"],
  ["with host bits", "10.100.99.1/24", "has host bits set; the network is 10.100.99.0/24"],
  ["in a list", ["10.100.99.0/24"], 'must be text, not ["10.100.99.0/24"]'],
  ["that is too small", "10.100.99.0/28", "must be a /27 or larger, not /28"],
  ["outside of the cluster's", "10.200.0.0/24", `${outside} 10.200.0.0/24`],
  ["of the services", "10.254.0.0/24", `${outside} 10.254.0.0/24`],
  ["of the machines", "10.0.0.0/24", `${outside} 10.0.0.0/24`],
  ["that is another node's", "10.100.12.0/24", "10.100.12.0/24 overlaps 10.100.12.0/24 of worker-2"],
  ["in another node's", "10.100.10.128/25", "10.100.10.128/25 overlaps 10.100.10.0/24 of cp-1"],
];

/** Wrong values of the seed's rows 8, 9, 10, 12, 16, by row. */
export const networkValues: BadValues = {
  // pod networks
  8: [
    ["no network at all", cluster({ podNetwork: "pods" }), `cluster.podNetwork: ${noNetwork}`],
    ["an IPv6 network", cluster({ podNetwork: "fd00::/48" }), `cluster.podNetwork: ${noNetwork}`],
    [
      "a network with host bits",
      cluster({ podNetwork: "10.100.1.0/16" }),
      "cluster.podNetwork: has host bits set; the network is 10.100.0.0/16",
    ],
    [
      "too small a part of the pod network",
      cluster({ nodePodPrefix: 28 }),
      "cluster.nodePodPrefix: must be at most 27, not 28",
    ],
    [
      "too large a part of the pod network, without a word on the slots",
      cluster({ nodePodPrefix: 16 }),
      "cluster.nodePodPrefix: must be from 18 to 27, not 16: a node's part of 10.100.0.0/16",
    ],
    [
      "too small a pod network",
      cluster({ podNetwork: "10.100.0.0/26" }),
      "cluster.podNetwork: must be a /25 or larger, not /26",
    ],
    ["a network of three parts", cluster({ podNetwork: "10.100.0/16" }), `cluster.podNetwork: ${noNetwork}`],
    [
      "a pod network over the service network",
      cluster({ podNetwork: "10.254.0.0/16" }),
      "cluster.podNetwork: 10.254.0.0/16 overlaps cluster.serviceNetwork 10.254.0.0/16",
    ],
    [
      "a node network in the pod network",
      network({ nodeNetwork: "10.100.7.0/24" }),
      "cluster.podNetwork: 10.100.0.0/16 overlaps network.nodeNetwork 10.100.7.0/24",
    ],
    ...podNetworks.map(([title, podNetwork, problem]): BadValue => [
      `a node's pod network ${title}`,
      worker({ podNetwork }),
      `nodes.worker-1.podNetwork: ${problem}`,
    ]),
  ],
  // networks that the router knows
  9: [
    [
      "a routed network that is none",
      network({ routedNetworks: ["10.0.5.0"] }),
      "network.routedNetworks.0: is no IPv4 network such as 10.0.0.0/16",
    ],
    [
      "a routed network twice",
      network({ routedNetworks: ["10.0.5.0/24", "10.0.5.0/24"] }),
      "network.routedNetworks: has 10.0.5.0/24 more than once",
    ],
    [
      "a routed network over the services",
      network({ routedNetworks: ["10.0.4.0/24", "10.254.1.0/24"] }),
      "cluster.serviceNetwork: 10.254.0.0/16 overlaps network.routedNetworks.1 10.254.1.0/24",
    ],
    [
      "a routed network in another",
      network({ routedNetworks: ["10.1.0.0/16", "10.1.7.0/24"] }),
      "network.routedNetworks.0: 10.1.0.0/16 overlaps network.routedNetworks.1 10.1.7.0/24",
    ],
  ],
  // node ports
  10: [
    [
      "node ports for a network twice",
      network({ access: { nodePorts: ["192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24"] } }),
      "network.access.nodePorts: has 192.0.2.0/24 more than once",
    ],
    [
      "node ports for no network",
      network({ access: { nodePorts: ["192.0.2.0"] } }),
      `network.access.nodePorts.0: ${noNetwork}`,
    ],
    [
      "one node port by itself",
      network({ access: { nodePort: 31000 } }),
      "network.access: has no setting nodePort; see docs/settings.md",
    ],
  ],
  // kube-proxy and the service network
  12: [
    [
      "too small a service network",
      cluster({ serviceNetwork: "10.254.0.0/29" }),
      "cluster.serviceNetwork: must be between /12 and /28, not /29",
    ],
    [
      "too large a service network",
      cluster({ serviceNetwork: "172.0.0.0/8" }),
      "cluster.serviceNetwork: must be between /12 and /28, not /8",
    ],
    [
      "a service network over the node network",
      cluster({ serviceNetwork: "10.0.0.0/16" }),
      "cluster.serviceNetwork: 10.0.0.0/16 overlaps network.nodeNetwork 10.0.0.0/24",
    ],
    [
      "a mode that goes",
      { kubeProxy: { mode: "ipvs" } },
      'kubeProxy.mode: must be one of nftables, iptables, not "ipvs"',
    ],
  ],
  // flannel
  16: [
    [
      "a routing that there is not",
      network({ routing: "bgp" }),
      'network.routing: must be one of router, flannel, not "bgp"',
    ],
    [
      "flannel with another backend",
      network({ flannel: { backend: "udp" } }),
      'network.flannel.backend: must be one of vxlan, host-gw, not "udp"',
    ],
    [
      "flannel with its own name for the backend",
      network({ flannel: { Type: "vxlan" } }),
      "network.flannel: has no setting Type; see docs/settings.md",
    ],
    [
      "the router with settings of flannel",
      network({ flannel: { backend: "host-gw" } }),
      "network.flannel.backend: is only for network.routing flannel, not router",
    ],
    [
      "flannel as one word",
      network({ flannel: "vxlan" }),
      'network.flannel: must be a dictionary, not "vxlan"',
    ],
    [
      "flannel with further networks, whose machines know no way to a pod",
      network({ routing: "flannel", routedNetworks: ["10.30.0.0/24"] }),
      "network.routedNetworks: is only for network.routing router, not flannel",
    ],
  ],
};
