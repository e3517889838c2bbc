import * as z from "zod";
import { isAddress, parseNetwork } from "./addresses.ts";
import { releases } from "./versions.ts";

/** Namespace of the settings in a stack's configuration. */
export const namespace = "openstack-kubernetes";

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
    const reason =
      error instanceof Error && error.message.startsWith("has")
        ? error.message
        : "is no IPv4 network such as 10.0.0.0/16";
    context.addIssue({ code: "custom", message: reason });
  }
});

const address = z.string().refine(isAddress, "must be an IPv4 address such as 10.0.0.10");
const port = z.int().min(1).max(65535);
const baseAddress = z
  .url({ protocol: /^https?$/, message: "must be an http or https address" })
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
/** Part of a component's own configuration, merged over what the program renders. */
const overrides = z.record(z.string(), z.json()).default({});

const cluster = z.strictObject({
  /** Name of the cluster; every OpenStack resource's name begins with it. */
  name: label,
  /** Kubernetes version, quoted: `"1.36.3"`. */
  kubernetesVersion: z
    .string("must be text; put the version in quotes")
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
  nodePodPrefix: z.int().min(8).max(27).default(24),
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
  nameServers: z.array(address).default([]),
  /** Who may reach the nodes' floating addresses, as networks, per kind of port. */
  access: z
    .strictObject({
      ssh: z.array(network).default(["0.0.0.0/0"]),
      api: z.array(network).default(["0.0.0.0/0"]),
      nodePorts: z.array(network).default(["0.0.0.0/0"]),
      docker: z.array(network).default([]),
    })
    .prefault({}),
});

const taint = z.strictObject({
  key: labelKey,
  value: labelValue.default(""),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

const machine = z.strictObject({
  /** Name or id of the Glance image: Debian 13 or Ubuntu 24.04, with cloud-init and systemd-networkd. */
  image: z.string().min(1),
  /** Name of the flavor. */
  flavor: z.string().min(1),
  availabilityZone: z.string().min(1).optional(),
});

const node = z.strictObject({
  role: z.enum(["control-plane", "worker"]),
  /** Fixes the node's address and pod network: the slot-th of each. Never reuse the slot of a living node. */
  slot: z.int().min(0),
  labels: z.record(labelKey, labelValue).default({}),
  taints: z.array(taint).optional(),
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
      extraArgs: z.record(z.string().regex(/^[a-z0-9-]+$/), z.string()).default({}),
    })
    .prefault({}),
});

export type Settings = z.output<typeof schema>;
export type NodeSettings = Settings["nodes"][string];

/** All mistakes of a stack's settings, one a line. */
export class SettingsError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(
      `${problems.length} wrong setting${problems.length === 1 ? "" : "s"}:\n` +
        problems.map((p) => `  ${p}`).join("\n"),
    );
    this.problems = problems;
  }
}

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

/** Checks settings by themselves; throws a SettingsError with all mistakes. What concerns two of them is checked by `plan`. */
export function parseSettings(input: unknown): Settings {
  const result = schema.safeParse(input, { error: describe });
  if (result.success) return result.data;
  throw new SettingsError(result.error.issues.map((issue) => `${keyOf(issue.path)}: ${messageOf(issue)}`));
}

/** `openstack-kubernetes:nodes.worker-1.slot` of a path into the settings. */
export function keyOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? namespace : `${namespace}:${path.map(String).join(".")}`;
}

function messageOf(issue: z.core.$ZodIssue): string {
  // A record's key that is no node name is reported inside another issue.
  if (issue.code === "invalid_key") return issue.issues.map((inner) => inner.message).join("; ");
  return issue.message;
}

function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type" && issue.input === undefined) return "is missing";
  if (issue.code === "unrecognized_keys")
    return `has no setting ${issue.keys.join(", ")}; see docs/settings.md`;
  if (issue.code === "invalid_type") return `must be ${issue.expected}, not ${JSON.stringify(issue.input)}`;
  if (issue.code === "invalid_value")
    return `must be one of ${issue.values.join(", ")}, not ${JSON.stringify(issue.input)}`;
  return undefined;
}
