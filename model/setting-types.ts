import * as z from "zod";
import { isAddress, parseNetwork } from "./addresses.ts";
import { kubeletMayLabel } from "./labels.ts";

// What single settings may be, each with the words for a wrong one.

/** An RFC 1123 label: what Kubernetes allows as a node's name and Nova makes a host name of. */
export const label = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "must be a DNS label: a-z, 0-9 and -, at most 63 characters, not beginning or ending with -",
  );

/** An IPv4 network in CIDR notation. */
export const network = z.string().superRefine((text, context) => {
  try {
    parseNetwork(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

/** A range of slots, its first and its last, which may be the same. */
export const slotRange = z.string().superRefine((text, context) => {
  const [, first, last] = /^(\d{1,9})-(\d{1,9})$/.exec(text) ?? [];
  if (first === undefined || Number(first) > Number(last))
    context.addIssue({ code: "custom", message: "must be a range of slots such as 100-149" });
});

/** An IPv4 address. */
export const address = z.string().refine(isAddress, "must be an IPv4 address such as 10.0.0.10");

/** A TCP or UDP port. */
export const port = z.int().min(1).max(65535);

/** Service node ports (kube-apiserver's default --service-node-port-range). */
export const nodePorts = { min: 30000, max: 32767 };

/** Folders whose every file others take for theirs: the kubelet's static pods, the system's authorities, etcd's data. */
const takenFolders = ["/etc/kubernetes/manifests", "/etc/ssl/certs", "/var/lib/etcd"];

/**
 * A folder on the nodes that outlives a boot and that static pods see at the same path; its path makes the name of a
 * volume, a DNS label.
 */
export const folder = z
  .string()
  .regex(
    /^\/(etc|opt|srv|var\/lib)(\/[a-z0-9]([-.a-z0-9]*[a-z0-9])?)+$/,
    "must be a folder below /etc, /opt, /srv or /var/lib, of a-z, 0-9, - and ., such as /etc/kubernetes/pki",
  )
  .max(58, "must have at most 58 characters")
  .refine(
    (path) => !takenFolders.some((taken) => `${path}/`.startsWith(`${taken}/`)),
    `must not be in ${takenFolders.join(", ")}`,
  );

/** A host by name or IPv4 address. */
export const host = z
  .string()
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/,
    "must be a host's name or address, such as ntp.example.org",
  );

/** A proxy: a host, perhaps with a port. */
export const proxyAddress = z.string().superRefine((text, context) => {
  const report = (message: string) => context.addIssue({ code: "custom", message });
  if (text.includes("@")) {
    report(
      "must not hold a user or a password, since every program on the machines can read it; " +
        "let the proxy know the machines by their addresses",
    );
  } else if (!/^https?:\/\/[A-Za-z0-9][-A-Za-z0-9.]*(:\d+)?$/.test(text) || !URL.canParse(text)) {
    report(
      "must be an http or https address of a host, perhaps with a port, such as http://proxy.example.org:3128",
    );
  }
});

/** What is reached without a proxy, as Go and curl read `no_proxy`: a host, a domain with a dot in front, a network. */
export const directHost = z.string().superRefine((text, context) => {
  if (/^\.?[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/.test(text)) return;
  if (text.includes("/") && network.safeParse(text).success) return;
  const message =
    "must be a host's name or address, a domain such as .example.org, or a network such as 192.0.2.0/24";
  context.addIssue({ code: "custom", message });
});

/**
 * The address that paths of downloads are put behind; loses the slashes at its end.
 * Its default is given by `prefault`: zod shows no `default` of what is transformed in a JSON Schema.
 */
export const baseAddress = z
  .string()
  // A node's list of downloads has a line each, and paths are put behind the address.
  .refine(
    (text) => /^https?:\/\/[^\s?#]+$/.test(text) && URL.canParse(text),
    "must be an http or https address without blanks, such as https://mirror.example.org/kubernetes",
  )
  .transform((url) => url.replace(/\/+$/, ""));

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    "must be a label's key such as example.org/disk",
  );

/** The same document. */
export const labelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    "must be a label's value: a-z, A-Z, 0-9, - _ and ., at most 63",
  );

/** A command-line flag without the dashes in front. */
export const flag = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, "must be a flag without dashes in front, such as event-ttl");

/** A label that a kubelet may give its own node. */
export const nodeLabelKey = labelKey.refine(
  kubeletMayLabel,
  "is a label that no kubelet may give its own node; take a key outside of kubernetes.io and k8s.io",
);

/** A list in which nothing comes twice. */
export function distinct<T extends z.ZodType>(item: T, nameOf: (item: z.output<T>) => string = String) {
  return z.array(item).superRefine((items, context) => {
    const names = items.map(nameOf);
    const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index));
    for (const name of repeated) context.addIssue({ code: "custom", message: `has ${name} more than once` });
  });
}
