import * as z from "zod";
import { certificateSettings } from "./certificate-settings.ts";
import { etcdSettings } from "./etcd-settings.ts";
import { loadBalancerSettings } from "./load-balancer-settings.ts";
import { networkSettings } from "./network-settings.ts";
import { machineSettings, nodeSettings, poolName, poolSettings } from "./node-settings.ts";
import { phases } from "./phases.ts";
import { address, baseAddress, distinct, flag, folder, label, network, port } from "./setting-types.ts";
import { dnsSettings, ntpSettings, proxySettings } from "./surroundings-settings.ts";
import { releases } from "./versions.ts";

/** Namespace of the settings in a stack's configuration. */
export const namespace = "openstack-kubernetes";

/** Docker takes a quarter of a node's part of the pod network. */
export const longestNodePodPrefix = 27;

/** Settings whose change disrupts what runs without ending it (transitions.ts), so that it may be allowed. */
const disruptions = ["cluster.domain", "cluster.dnsAddress"] as const;
export type Disruption = (typeof disruptions)[number];

/** Part of a component's own configuration, merged over what the program renders. */
const overrides = z.record(z.string(), z.json()).default({});

const cluster = z.strictObject({
  name: label.describe("DNS label; names of OpenStack resources but the machines' begin with it"),
  kubernetesVersion: z
    .string()
    .refine(
      (version) => /^\d+\.\d+\.\d+$/.test(version) && version.split(".", 2).join(".") in releases,
      `must be a patch version of ${Object.keys(releases).join(", ")}, such as "1.36.3"`,
    )
    .default("1.36.3")
    .describe(`a patch version of ${Object.keys(releases).join(", ")}, in quotes`),
  domain: z
    .string()
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      "must be a DNS domain such as cluster.local",
    )
    .default("cluster.local")
    .describe("DNS domain of services and pods"),
  podNetwork: network.default("10.100.0.0/16").describe("network of all pods; each node has a part of it"),
  nodePodPrefix: z
    .int()
    .min(8)
    .max(longestNodePodPrefix)
    .default(24)
    .describe(
      "prefix length of one node's part of the pod network, and at least 2 longer than that network's",
    ),
  serviceNetwork: network.default("10.254.0.0/16").describe("network of service addresses, /12 to /28"),
  dnsAddress: address
    .optional()
    .describe("service address of the cluster's DNS; without it the 10th of the service network"),
  apiPort: port.default(6443).describe("port of the Kubernetes API"),
  certificateFolder: folder
    .default("/etc/kubernetes/pki")
    .describe("folder of Kubernetes' keys and certificates on the nodes, below /etc, /opt, /srv or /var/lib"),
});

/** Every setting, below `openstack-kubernetes:` in a stack's configuration; docs/settings.md is made from it. */
export const schema = z.strictObject({
  phase: z
    .enum(phases)
    .default("kubernetes")
    .describe(
      "how far the stack goes: machines alone, Docker Engine on them too, or Kubernetes; " +
        "a later phase adds to an earlier one, and no stack goes back",
    ),
  allowDisruption: distinct(z.enum(disruptions))
    .default([])
    .describe(
      "settings whose change is let through although it disrupts a running cluster; docs/changes.md says what it does",
    ),
  cluster,
  network: networkSettings,
  machine: machineSettings.describe("the machine of every node that does not say otherwise"),
  nodes: z
    .record(label, nodeSettings.describe("a machine; its name is its host name and the Kubernetes node's"))
    .describe("the dictionary of nodes, by name"),
  pools: z
    .record(poolName, poolSettings.describe("workers that are alike, named POOL-1, POOL-2 and so on"))
    .default({})
    .describe("the dictionary of pools, by name; their nodes are as those of `nodes`"),
  certificates: certificateSettings,
  runtime: z
    .enum(["docker", "containerd"])
    .default("containerd")
    .describe("what runs the pods, docker through cri-dockerd; Docker Engine is on every node either way"),
  rollout: z
    .strictObject({
      maxUnavailable: z
        .int()
        .min(1)
        .default(1)
        .describe(
          "how many nodes may be away at once while changes reach them, workers after the control plane",
        ),
      drainSeconds: z
        .int()
        .min(10)
        .max(86_400)
        .default(300)
        .describe(
          "how long a node's pods have to leave, in seconds; a node that they do not leave is not updated or removed",
        ),
      forceDrain: z
        .boolean()
        .default(false)
        .describe("pods leave a node also where their disruption budgets do not allow it"),
    })
    .prefault({}),
  proxy: proxySettings,
  ntp: ntpSettings,
  dns: dnsSettings,
  loadBalancers: loadBalancerSettings,
  ssh: z
    .strictObject({
      user: z
        .string()
        .regex(/^[a-z_][-a-z0-9_]*$/, "must be a user's name")
        .default("debian")
        .describe("login of the image, with sudo"),
      authorizedKeys: z.array(z.string().min(1)).default([]).describe("further public keys that may log in"),
    })
    .prefault({}),
  downloads: z
    .strictObject({
      kubernetes: baseAddress
        .prefault("https://dl.k8s.io")
        .describe("where Kubernetes comes from; every program is checked by SHA-256"),
      github: baseAddress
        .prefault("https://github.com")
        .describe("where CNI plugins, cri-dockerd and flannel come from; every one is checked by SHA-256"),
      checksums: z
        .string()
        .min(1)
        .optional()
        .describe(
          "file, relative to the project, of SHA-256 that go before the pinned ones of `model/checksums.json`: " +
            "a mirror's own, or of versions not pinned; in the format of `sha256sum`, with paths such as " +
            "`dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet`",
        ),
    })
    .prefault({}),
  packages: z
    .strictObject({
      sources: z
        .string()
        .min(1)
        .optional()
        .describe("a deb822 text for `/etc/apt/sources.list.d`; without it the image's own sources"),
    })
    .prefault({}),
  images: z
    .strictObject({
      registry: z
        .string()
        .regex(
          /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*$/,
          "must be a host, perhaps with a port and a path, such as registry.k8s.io",
        )
        .default("registry.k8s.io")
        .describe("where images come from: a host, perhaps with a port and a path"),
      plainHttp: z.boolean().default(false).describe("the registry speaks HTTP, not HTTPS"),
    })
    .prefault({}),
  kubelet: z
    .record(z.string(), z.json())
    .refine(
      (fields) => !("registerWithTaints" in fields),
      "takes no registerWithTaints: the taints of nodes and pools have settings of their own",
    )
    .default({})
    .describe("merged over the KubeletConfiguration"),
  kubeProxy: z
    .strictObject({
      mode: z.enum(["nftables", "iptables"]).default("nftables").describe("how it handles packets"),
      config: overrides.describe("merged over the KubeProxyConfiguration"),
    })
    .prefault({}),
  apiServer: z
    .strictObject({
      extraArgs: z
        .record(flag, z.string())
        .default({})
        .describe("flags of kube-apiserver, without the dashes, to their values"),
    })
    .prefault({}),
  etcd: etcdSettings,
});

export type Settings = z.output<typeof schema>;
export type NodeSettings = Settings["nodes"][string];
export type PoolSettings = Settings["pools"][string];

/**
 * Takes the settings out of a stack's whole configuration, `{"openstack-kubernetes:cluster": "{…}", …}`.
 * Structured values arrive there as JSON.
 */
export function settingsFromConfig(config: Record<string, string>): unknown {
  const entries = Object.entries(config)
    .filter(([key]) => key.startsWith(`${namespace}:`))
    .map(([key, value]) => [key.slice(namespace.length + 1), parseValue(value)]);
  return Object.fromEntries(entries);
}

function parseValue(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** `openstack-kubernetes:nodes.worker-1.slot` of a path into the settings. */
export function keyOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? namespace : `${namespace}:${path.map(String).join(".")}`;
}
