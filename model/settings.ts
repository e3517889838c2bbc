import * as z from "zod";
import { isAddress, parseNetwork } from "./addresses.ts";
import { kubeletMayLabel } from "./labels.ts";
import { releases } from "./versions.ts";

/** Namespace of the settings in a stack's configuration. */
export const namespace = "openstack-kubernetes";

/** Docker takes a quarter of a node's part of the pod network. */
export const longestNodePodPrefix = 27;

// RFC 1123 label: what Kubernetes allows as a node's name and Nova makes a host name of.
const label = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "must be a DNS label: a-z, 0-9 and -, at most 63 characters, not beginning or ending with -",
  );

const network = z.string().superRefine((text, context) => {
  try {
    parseNetwork(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const address = z.string().refine(isAddress, "must be an IPv4 address such as 10.0.0.10");
const port = z.int().min(1).max(65535);
const baseAddress = z
  .string()
  // A node's list of downloads has a line each, and paths are put behind the address.
  .refine(
    (text) => /^https?:\/\/[^\s?#]+$/.test(text) && URL.canParse(text),
    "must be an http or https address without blanks, such as https://mirror.example.org/kubernetes",
  )
  .transform((url) => url.replace(/\/+$/, ""));
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    "must be a label's key such as example.org/disk",
  );
const labelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    "must be a label's value: a-z, A-Z, 0-9, - _ and ., at most 63",
  );
const flag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, "must be a flag without dashes in front, such as event-ttl");
const nodeLabelKey = labelKey.refine(
  kubeletMayLabel,
  "is a label that no kubelet may give its own node; take a key outside of kubernetes.io and k8s.io",
);
/** Part of a component's own configuration, merged over what the program renders. */
const overrides = z.record(z.string(), z.json()).default({});

/** A list in which nothing comes twice. */
function distinct<T extends z.ZodType>(item: T, nameOf: (item: z.output<T>) => string = String) {
  return z.array(item).superRefine((items, context) => {
    const names = items.map(nameOf);
    const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
    for (const name of repeated) context.addIssue({ code: "custom", message: `has ${name} more than once` });
  });
}

const cluster = z.strictObject({
  /** Name of the cluster; names of OpenStack resources begin with it, but those of machines are the nodes'. */
  name: label,
  /** Kubernetes version, quoted: `"1.36.3"`. */
  kubernetesVersion: z
    .string()
    .refine(
      (version) => /^\d+\.\d+\.\d+$/.test(version) && version.split(".", 2).join(".") in releases,
      `must be a patch version of ${Object.keys(releases).join(", ")}, such as "1.36.3"`,
    )
    .default("1.36.3"),
  /** DNS domain of services and pods. */
  domain: z
    .string()
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      "must be a DNS domain such as cluster.local",
    )
    .default("cluster.local"),
  /** Network of all pods; each node has a part of it. */
  podNetwork: network.default("10.100.0.0/16"),
  /** Prefix length of one node's part of the pod network. */
  nodePodPrefix: z.int().min(8).max(longestNodePodPrefix).default(24),
  /** Network of service addresses. */
  serviceNetwork: network.default("10.254.0.0/16"),
  /** Service address of the cluster's DNS; the 10th address of the service network by default. */
  dnsAddress: address.optional(),
  /** Port of the Kubernetes API. */
  apiPort: port.default(6443),
});

const neutron = z.strictObject({
  /** Name of the external network: the router's gateway and the floating addresses. */
  externalNetwork: z.string().min(1),
  /** Network of the machines. */
  nodeNetwork: network.default("10.0.0.0/24"),
  /** Name servers of the machines; those of the cloud by default. */
  nameServers: distinct(address).default([]),
  /** Who may reach the nodes' floating addresses, as networks, per kind of port. */
  access: z
    .strictObject({
      ssh: distinct(network).default(["0.0.0.0/0"]),
      api: distinct(network).default(["0.0.0.0/0"]),
      nodePorts: distinct(network).default(["0.0.0.0/0"]),
      docker: distinct(network).default([]),
    })
    .prefault({}),
});

const taint = z.strictObject({
  key: labelKey,
  value: labelValue.default(""),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

const machine = z.strictObject({
  /** Name of the Glance image: Debian 13 or Ubuntu 24.04, with cloud-init and systemd-networkd. */
  image: z.string().min(1),
  /** Name of the flavor. */
  flavor: z.string().min(1),
  availabilityZone: z.string().min(1).optional(),
});

const node = z.strictObject({
  role: z.enum(["control-plane", "worker"]),
  /** Fixes the node's address and pod network: the slot-th of each. Never reuse the slot of a living node. */
  slot: z.int().min(0),
  labels: z.record(nodeLabelKey, labelValue).default({}),
  taints: distinct(taint, ({ key, effect }) => `${key}:${effect}`).optional(),
  ...machine.partial().shape,
});

/** Every setting, below `openstack-kubernetes:` in a stack's configuration. */
export const schema = z.strictObject({
  cluster,
  network: neutron,
  /** Defaults of all nodes. */
  machine,
  /** The dictionary of nodes, by name. A name is the machine's host name. */
  nodes: z.record(label, node),
  /** What runs the pods. Docker Engine is on every node either way. */
  runtime: z.enum(["docker", "containerd"]).default("containerd"),
  ssh: z
    .strictObject({
      /** Login of the image with sudo. */
      user: z
        .string()
        .regex(/^[a-z_][-a-z0-9_]*$/, "must be a user's name")
        .default("debian"),
      /** Further public keys that may log in. */
      authorizedKeys: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
  downloads: z
    .strictObject({
      kubernetes: baseAddress.default("https://dl.k8s.io"),
      github: baseAddress.default("https://github.com"),
      /** File in sha256sum format with the checksums of a mirror of one's own, relative to the project. */
      checksums: z.string().min(1).optional(),
    })
    .prefault({}),
  packages: z
    .strictObject({
      /** A deb822 text for /etc/apt/sources.list.d; the image's own sources by default. */
      sources: z.string().min(1).optional(),
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
        .default("registry.k8s.io"),
      /** The registry speaks HTTP, not HTTPS. */
      plainHttp: z.boolean().default(false),
    })
    .prefault({}),
  /** Merged over the KubeletConfiguration. */
  kubelet: overrides,
  kubeProxy: z
    .strictObject({
      mode: z.enum(["nftables", "iptables"]).default("nftables"),
      /** Merged over the KubeProxyConfiguration. */
      config: overrides,
    })
    .prefault({}),
  apiServer: z
    .strictObject({
      /** Flags of kube-apiserver, without the dashes. */
      extraArgs: z.record(flag, z.string()).default({}),
    })
    .prefault({}),
});

export type Settings = z.output<typeof schema>;
export type NodeSettings = Settings["nodes"][string];

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
