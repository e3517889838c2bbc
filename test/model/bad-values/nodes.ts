import { cluster, label, nodesOf, worker, type BadValue, type BadValues } from "../../helpers/bad-values.ts";
import { stackSettings } from "../../helpers/cluster.ts";

const noKubeletLabel =
  "is a label that no kubelet may give its own node; take a key outside of kubernetes.io and k8s.io";
const slotRange =
  "10.0.0.0/24 has its router at 1 and Neutron's own range in its last quarter, 10.100.0.0/16 has 256 networks of /24";

/** Wrong values of the seed's rows 1, 3, by row. */
export const nodesValues: BadValues = {
  // a dictionary of nodes of any names
  1: [
    ["no cluster", { cluster: undefined }, "cluster: is missing"],
    [
      "a node name in capitals",
      { nodes: { ...stackSettings.nodes, Worker_9: { role: "worker", slot: 9 } } },
      `nodes.Worker_9: ${label}`,
    ],
    [
      "an empty node",
      { nodes: { ...stackSettings.nodes, "worker-1": null } },
      "nodes.worker-1: must be a dictionary, not null",
    ],
    [
      "taints by the kubelet's own field",
      { kubelet: { registerWithTaints: [] } },
      "kubelet: takes no registerWithTaints: the taints of nodes and pools have settings of their own",
    ],
    ["no slot", worker({ slot: undefined }), "nodes.worker-1.slot: is missing"],
    ["a slot as text", worker({ slot: "11" }), 'nodes.worker-1.slot: must be a number, not "11"'],
    ["half a slot", worker({ slot: 1.5 }), "nodes.worker-1.slot: must be a whole number, not 1.5"],
    [
      "the router's slot",
      worker({ slot: 1 }),
      `nodes.worker-1.slot: must be from 2 to 191, not 1: ${slotRange}`,
    ],
    [
      "a slot of Neutron's",
      worker({ slot: 192 }),
      `nodes.worker-1.slot: must be from 2 to 191, not 192: ${slotRange}`,
    ],
    ["a slot taken", worker({ slot: 12 }), "nodes.worker-2.slot: 12 is the slot of worker-1"],
    [
      "no control plane",
      { nodes: { "worker-1": { role: "worker", slot: 11 } } },
      "nodes: exactly one node has the role control-plane; none has it",
    ],
    [
      "two control planes",
      { nodes: { ...stackSettings.nodes, "cp-2": { role: "control-plane", slot: 9 } } },
      "nodes: exactly one node has the role control-plane; cp-1, cp-2 have it",
    ],
    [
      "an unknown key of a node",
      worker({ flavour: "x" }),
      "nodes.worker-1: has no setting flavour; see docs/settings.md",
    ],
    ...["w.x", "W", "a_b", "-a", "a-", "", "bücher", "a b", "x".repeat(64)].map((name): BadValue => [
      `the name ${JSON.stringify(name)}`,
      nodesOf({ [name]: { role: "control-plane", slot: 10 } }),
      `nodes.${name}: ${label}`,
    ]),
  ],
  // what servers and nodes are classified by
  3: [
    ["no name", { cluster: {} }, "cluster.name: is missing"],
    ["a name in capitals", cluster({ name: "Demo" }), `cluster.name: ${label}`],
    ["a name that is a number", cluster({ name: 5 }), "cluster.name: must be text, not 5; put it in quotes"],
    [
      "another role",
      worker({ role: "master" }),
      'nodes.worker-1.role: must be one of control-plane, worker, not "master"',
    ],
    ["no role", worker({ role: undefined }), "nodes.worker-1.role: is missing"],
    [
      "a label's key",
      worker({ labels: { "a b": "c" } }),
      "nodes.worker-1.labels.a b: must be a label's key such as example.org/disk",
    ],
    [
      "a label's value",
      worker({ labels: { disk: "very fast" } }),
      "nodes.worker-1.labels.disk: must be a label's value: a-z, A-Z, 0-9, - _ and ., at most 63",
    ],
    [
      "a label that a kubelet may not give",
      worker({ labels: { "node-role.kubernetes.io/gpu": "" } }),
      `nodes.worker-1.labels.node-role.kubernetes.io/gpu: ${noKubeletLabel}`,
    ],
    [
      "a taint twice",
      worker({
        taints: [
          { key: "gpu", effect: "NoSchedule" },
          { key: "gpu", effect: "NoExecute" },
          { key: "gpu", value: "a", effect: "NoSchedule" },
        ],
      }),
      "nodes.worker-1.taints: has gpu:NoSchedule more than once",
    ],
    [
      "a taint's effect",
      worker({ taints: [{ key: "gpu", effect: "Never" }] }),
      'nodes.worker-1.taints.0.effect: must be one of NoSchedule, PreferNoSchedule, NoExecute, not "Never"',
    ],
  ],
};
