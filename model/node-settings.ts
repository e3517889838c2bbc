import * as z from "zod";
import { distinct, label, labelKey, labelValue, network, nodeLabelKey, slotRange } from "./setting-types.ts";

/** Kubernetes' own limit of a cluster's nodes (https://kubernetes.io/docs/setup/best-practices/cluster-large/). */
const mostNodes = 5000;

/** Longer names would leave no room for the numbers of the pool's nodes, whose names are labels of 63 characters. */
const longestPoolName = 56;

const taint = z.strictObject({
  key: labelKey.describe("key of the taint, such as `example.org/disk`"),
  value: labelValue.default("").describe("value of the taint"),
  effect: z
    .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
    .describe("what it does to pods that do not tolerate it"),
});

const zone = z.string().min(1);

/** What a machine is made of. */
export const machineSettings = z.strictObject({
  image: z
    .string()
    .min(1)
    .describe("name of the Glance image: Debian 13 or Ubuntu 24.04, with cloud-init and systemd-networkd"),
  flavor: z.string().min(1).describe("name of the flavor"),
  availabilityZone: zone.optional().describe("Nova's availability zone; without it Nova's choice"),
  keyPair: z
    .string()
    .min(1)
    .optional()
    .describe(
      "name of a key pair of Nova that may log in, beside the program's own key; another one makes the machine anew",
    ),
  securityGroups: distinct(z.string().min(1))
    .optional()
    .describe("names of security groups of one's own, which the machine's port has beside the program's"),
});

const labels = z
  .record(nodeLabelKey, labelValue)
  .default({})
  .describe(
    "labels of the node, key to value; below `kubernetes.io` and `k8s.io` only those that a kubelet may give " +
      "to its node, such as `topology.kubernetes.io/zone`",
  );
const taints = distinct(taint, ({ key, effect }) => `${key}:${effect}`)
  .optional()
  .describe("taints of the node; without it the usual one on the control plane and none on workers");

/** Settings of a node. */
export const nodeSettings = z.strictObject({
  role: z.enum(["control-plane", "worker"]).describe("exactly one node is the control plane for now"),
  slot: z
    .int()
    .min(0)
    .describe("the node's address is the node network's slot-th, its pod network the pod network's slot-th"),
  podNetwork: network
    .optional()
    .describe("the node's part of the pod network, /27 or larger; without it that of the slot"),
  labels,
  taints,
  ...machineSettings.partial().shape,
});

/** A pool's name begins those of its nodes. */
export const poolName = label.max(
  longestPoolName,
  `must have at most ${longestPoolName} characters, as the names of its nodes are longer by their numbers`,
);

/** Settings of a pool: workers that are alike. */
export const poolSettings = z.strictObject({
  count: z.int().min(0).max(mostNodes).describe("how many nodes there are"),
  slots: slotRange.describe(
    "slots that are the pool's alone, such as `100-149`; the node POOL-1 has the first, POOL-2 the next, and so on",
  ),
  remove: z
    .array(z.union([z.int().min(1), z.string()], "must be the number or the name of a node of the pool"))
    .default([])
    .describe(
      "nodes to leave out, by number or name; there are `count` nodes all the same, and no other gets their numbers",
    ),
  availabilityZones: distinct(zone)
    .min(1, "must name a zone; leave it out for Nova's choice")
    .optional()
    .describe("zones that the nodes take in turn by their numbers; without it `machine.availabilityZone`"),
  serverGroup: z
    .enum(["anti-affinity", "soft-anti-affinity"])
    .optional()
    .describe(
      "policy of the pool's server group: no two machines on one host, or none where that is possible; without it no " +
        "group. Another one makes the pool's machines anew",
    ),
  labels,
  taints,
  ...machineSettings.omit({ availabilityZone: true }).partial().shape,
});
