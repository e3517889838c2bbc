import type { Change } from "./change.ts";

/** Changes of the network and of what surrounds the nodes. */
export const surroundingChanges: Change[] = [
  {
    what: "the node network",
    after: { network: { nodeNetwork: "10.9.0.0/24" } },
    does: "refused",
    why: "Machines keep the addresses that they booted with.",
    resources: {},
  },
  {
    what: "the nodes' network to one that is there already",
    after: { network: { existing: { network: "office", subnet: "office", router: "office" } } },
    does: "refused",
    why: "Machines stay in the network in which they were made.",
    resources: {},
    notOnLab: "such a network has to fit the nodes before the change is looked at",
  },
  {
    what: "name servers",
    after: { network: { nameServers: ["10.0.0.2"] } },
    does: "in place",
    why: "Neutron tells them to machines by DHCP, at the latest when the lease ends.",
    resources: { update: ["network-subnet"] },
  },
  {
    what: "who may reach the nodes",
    after: { network: { access: { ssh: ["0.0.0.0/0", "10.30.0.0/16"] } } },
    does: "in place",
    why: "A rule for each network: one more touches no other.",
    resources: { create: ["security-groups-node-ssh-10-30-0-0-16"] },
  },
  {
    what: "networks without masquerade",
    after: { network: { routedNetworks: ["10.30.0.0/16"] } },
    does: "rolling",
    why: "The nodes' packet rules are exchanged as a whole.",
    resources: { update: ["every node: converge", "every node: membership", "ready"] },
  },
  {
    what: "routing by flannel",
    after: { network: { routing: "flannel" } },
    does: "rolling",
    why: "Neutron's address pairs and routes go, flannel comes: pods of different nodes do not reach each other until all nodes have been through.",
    resources: {
      update: ["every node: converge", "every node: membership", "every node: port", "ready"],
      delete: ["every node: route", "security-groups-node-pods"],
    },
  },
  {
    what: "flannel's backend",
    before: { network: { routing: "flannel" } },
    after: { network: { flannel: { backend: "host-gw" } } },
    does: "rolling",
    why: "flannel starts again with it, and ports get address pairs; the same holds.",
    resources: {
      create: ["security-groups-node-pods"],
      update: ["every node: converge", "every node: membership", "every node: port", "ready"],
    },
    notOnLab: "its cluster begins without flannel; flannel.e2e.ts does it",
  },
  {
    what: "the external network",
    after: { network: { externalNetwork: "other" } },
    does: "refused",
    why: "Neutron lets no router go from a network that its floating addresses are of.",
    resources: {},
  },
  {
    what: "a load balancer",
    after: { loadBalancers: { web: { listeners: { http: { port: 80, nodePort: 30080 } } } } },
    does: "adds",
    why: "It stands before the workers' node ports, and the nodes know nothing of it.",
    resources: {
      create: [
        "load-balancer-web-balancer",
        "load-balancer-web-floating-address",
        "load-balancer-web-http-listener",
        "load-balancer-web-http-members",
        "load-balancer-web-http-monitor",
        "load-balancer-web-http-pool",
      ],
    },
    notOnLab: "the lab has no Octavia",
  },
  {
    what: "a proxy",
    after: { proxy: { http: "http://proxy.example.org:3128" } },
    does: "rolling",
    why: "Docker, containerd and the kubelet start again with it.",
    resources: { update: ["every node: converge", "every node: membership", "ready"] },
  },
  {
    what: "time servers",
    after: { ntp: { servers: ["ntp.example.org"] } },
    does: "rolling",
    why: "systemd-timesyncd comes with the first; with others it only starts again, without a drain.",
    resources: { update: ["every node: converge", "every node: membership", "ready"] },
  },
  {
    what: "name servers of CoreDNS",
    after: { dns: { upstream: ["10.0.0.2"] } },
    does: "in place",
    why: "CoreDNS's pods are made anew, one after the other.",
    resources: { replace: ["coredns-config"] },
  },
  {
    what: "a DNS cache on each node",
    after: { dns: { nodeLocalCache: true } },
    does: "adds",
    why: "Pods made before that keep asking CoreDNS.",
    resources: {
      create: ["node-local-dns-config", "node-local-dns-daemon-set"],
      update: ["every node: converge", "every node: membership", "ready"],
    },
  },
  {
    what: "where Kubernetes is downloaded",
    after: { downloads: { kubernetes: "https://mirror.example.org" } },
    does: "rolling",
    why: "What is there with the right SHA-256 is not fetched again.",
    resources: { update: ["every node: converge", "every node: membership", "ready"] },
  },
  {
    what: "the distribution's packages",
    after: {
      packages: {
        sources: "Types: deb\nURIs: https://mirror.example.org/debian\nSuites: trixie\nComponents: main\n",
      },
    },
    does: "in place",
    why: "Packages that are there stay as they are, and no pod notices.",
    resources: { update: ["every node: converge", "every node: membership", "ready"] },
  },
  {
    what: "the registry",
    after: { images: { registry: "registry.example.org" } },
    does: "rolling",
    why: "Static pods and CoreDNS are made anew from it.",
    resources: { update: ["coredns-deployment", "every node: converge", "every node: membership", "ready"] },
  },
];
