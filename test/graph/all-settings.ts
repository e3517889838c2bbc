import { stackSettings } from "../helpers/cluster.ts";

/** A value of its own for each setting that shows in the graph of a stack with a network of the program's own. */
export const allSettings = {
  cluster: {
    ...stackSettings.cluster,
    domain: "example.org",
    podNetwork: "10.128.0.0/16",
    nodePodPrefix: 25,
    serviceNetwork: "10.96.0.0/16",
    dnsAddress: "10.96.0.53",
    apiPort: 8443,
    certificateFolder: "/etc/kubernetes/ssl",
  },
  network: {
    externalNetwork: "public",
    floatingPool: "pool",
    nodeNetwork: "10.1.0.0/24",
    nameServers: ["10.1.0.2"],
    routedNetworks: ["10.30.0.0/16"],
    access: {
      ssh: ["10.30.0.0/16"],
      api: ["10.30.0.0/16", "10.40.0.0/16"],
      nodePorts: ["10.30.0.0/16"],
      docker: ["10.30.0.0/16"],
    },
  },
  machine: {
    image: "debian-13",
    flavor: "m1.medium",
    availabilityZone: "zone-1",
    keyPair: "operator",
    securityGroups: ["office"],
  },
  nodes: {
    "cp-1": stackSettings.nodes["cp-1"],
    "worker-1": {
      role: "worker",
      slot: 11,
      podNetwork: "10.128.77.0/25",
      labels: { disk: "fast" },
      taints: [{ key: "example.org/disk", value: "fast", effect: "NoSchedule" }],
      image: "debian-13.1",
      flavor: "m1.large",
      availabilityZone: "zone-2",
      keyPair: "other",
      securityGroups: [],
    },
  },
  proxy: {
    http: "http://proxy.example.org:3128",
    https: "http://proxy.example.org:3128",
    noProxy: [".example.org"],
  },
  ntp: { servers: ["ntp.example.org"] },
  dns: { upstream: ["10.1.0.2"], nodeLocalCache: true },
  ssh: { user: "ubuntu", authorizedKeys: ["ssh-ed25519 AAAA operator"] },
  downloads: { kubernetes: "https://mirror.example.org/k8s", github: "https://mirror.example.org/github" },
  images: { registry: "registry.example.org", plainHttp: true },
  kubelet: { maxPods: 50 },
  kubeProxy: { mode: "iptables", config: { conntrack: { min: 0 } } },
  apiServer: { extraArgs: { "event-ttl": "2h" } },
};
