import type { Change } from "./change.ts";

const taint = { key: "example.org/gpu", value: "yes", effect: "NoSchedule" };

/** Changes of nodes and of their machines. */
export const nodeChanges: Change[] = [
  {
    what: "a node more",
    after: { nodes: { "worker-3": { role: "worker", slot: 13 } } },
    does: "adds",
    why: "A node's resources depend on no other worker's; only the gate `ready` knows all nodes.",
    resources: { create: ["worker-3: the whole node"], replace: ["ready"] },
  },
  {
    what: "a node less",
    after: { nodes: { "worker-2": undefined } },
    does: "removes",
    why: "It is drained and its Node object deleted before its machine goes.",
    resources: { replace: ["ready"], delete: ["worker-2: the whole node"] },
  },
  {
    what: "a node renamed",
    after: { nodes: { "worker-2": undefined, "worker-9": { role: "worker", slot: 19 } } },
    does: "makes the node anew",
    why: "A node is its name: the old one is drained and goes, a new machine comes.",
    resources: {
      create: ["worker-9: the whole node"],
      replace: ["ready"],
      delete: ["worker-2: the whole node"],
    },
  },
  {
    what: "a node renamed that keeps its slot",
    after: { nodes: { "worker-2": undefined, "worker-9": { role: "worker", slot: 12 } } },
    does: "refused",
    why: "The new node's port comes before the old one's goes, and Neutron gives an address to one port only.",
    resources: {},
  },
  {
    what: "a node's slot",
    after: { nodes: { "worker-1": { slot: 21 } } },
    does: "refused",
    why: "A machine keeps the address that it booted with; renamed, with a slot that no node has, the node moves.",
    resources: {},
  },
  {
    what: "a node's pod network",
    after: { nodes: { "worker-1": { podNetwork: "10.100.77.0/24" } } },
    does: "refused",
    why: "Kubernetes never changes a Node's podCIDR; renamed, with another slot, the node has another.",
    resources: {},
  },
  {
    what: "the control plane's node renamed",
    after: { nodes: { "cp-1": undefined, "cp-2": { role: "control-plane", slot: 20, flavor: "m1.large" } } },
    does: "refused",
    why: "etcd is on its disk.",
    resources: {},
  },
  {
    what: "a worker's flavor",
    after: { nodes: { "worker-1": { flavor: "m1.large" } } },
    does: "makes the node anew",
    why: "Nova would stop the machine with what runs on it; made anew, the node is drained before.",
    resources: {
      replace: ["ready", "worker-1: converge", "worker-1: instance", "worker-1: membership"],
    },
  },
  {
    what: "the control plane's flavor",
    after: { nodes: { "cp-1": { flavor: "m1.xlarge" } } },
    does: "in place",
    why: "Nova resizes the machine, which keeps its disk with etcd; the API is away while it boots.",
    resources: { update: ["cp-1: instance"] },
  },
  {
    what: "a worker's image",
    after: { nodes: { "worker-1": { image: "debian-13.1" } } },
    does: "makes the node anew",
    why: "A machine boots from its image once.",
    resources: {
      replace: ["ready", "worker-1: converge", "worker-1: instance", "worker-1: membership"],
    },
  },
  {
    what: "the image of all nodes",
    after: { machine: { image: "debian-13.1" } },
    does: "refused",
    why: "The control plane's machine would be made anew, and etcd is on its disk.",
    resources: {},
  },
  {
    what: "the flavor of all workers",
    after: { machine: { flavor: "m1.large" } },
    does: "makes the node anew",
    why: "As that of one, one worker after the other.",
    resources: {
      replace: ["every worker: converge", "every worker: instance", "every worker: membership", "ready"],
    },
  },
  {
    what: "a worker's key pair",
    after: { nodes: { "worker-1": { keyPair: "operator" } } },
    does: "makes the node anew",
    why: "Nova hands a key pair to a machine only when it makes it.",
    resources: {
      replace: ["ready", "worker-1: converge", "worker-1: instance", "worker-1: membership"],
    },
  },
  {
    what: "a worker's availability zone",
    after: { nodes: { "worker-1": { availabilityZone: "zone-2" } } },
    does: "makes the node anew",
    why: "Nova keeps a machine in the zone where it was made.",
    resources: {
      replace: ["ready", "worker-1: converge", "worker-1: instance", "worker-1: membership"],
    },
    notOnLab: "the lab has one zone",
  },
  {
    what: "a worker's security groups",
    after: { nodes: { "worker-1": { securityGroups: ["office"] } } },
    does: "in place",
    why: "Neutron changes the groups of a port at once.",
    resources: { update: ["worker-1: port"] },
  },
  {
    what: "a node's labels",
    after: { nodes: { "worker-1": { labels: { disk: "fast" } } } },
    does: "in place",
    why: "The Node object is changed by way of the control plane, one node after the other; no pod moves. Labels that others gave it stay.",
    resources: { update: ["ready", "worker-1: converge", "worker-1: membership"] },
  },
  {
    what: "a node's taints",
    after: { nodes: { "worker-1": { taints: [taint] } } },
    does: "in place",
    why: "As labels; a taint with `NoExecute` sends pods away that do not tolerate it.",
    resources: { update: ["ready", "worker-1: converge", "worker-1: membership"] },
  },
  {
    what: "keys that may log in",
    after: { ssh: { authorizedKeys: ["ssh-ed25519 AAAA operator"] } },
    does: "refused",
    why: "They are in what a machine boots with, so every machine would be made anew, the control plane's too.",
    resources: {},
  },
  {
    what: "the login of the image",
    after: { ssh: { user: "ubuntu" } },
    does: "in place",
    why: "The commands log in as that user, who must be there; so does the control plane where it updates nodes.",
    resources: { update: ["every node: converge", "every node: membership", "ready"] },
  },
];
