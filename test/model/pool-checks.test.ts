import { describe, expect, it } from "vitest";
import { checked, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

const pools = (pools: object) => ({ pools });
const batch = (settings: object) => pools({ batch: { count: 2, slots: "100-109", ...settings } });
const withNode = (name: string, node: object, more: object) => ({
  nodes: { ...stackSettings.nodes, [name]: { role: "worker", ...node } },
  ...more,
});
const existing = { network: "office", subnet: "office-a", router: "office" };

const label = "must be a DNS label: a-z, 0-9 and -, at most 63 characters, not beginning or ending with -";
const noRange = "must be a range of slots such as 100-149";
const slotRange =
  "10.0.0.0/24 has its router at 1 and Neutron's own range in its last quarter, 10.100.0.0/16 has 256 networks of /24";

describe("a wrong setting of a pool", () => {
  it.each<[title: string, changes: object, ...problems: string[]]>([
    ["pools as a list", pools([]), "pools: must be a dictionary, not []"],
    ["an empty pool", pools({ batch: null }), "pools.batch: must be a dictionary, not null"],
    ["a name in capitals", pools({ Batch: { count: 1, slots: "100-109" } }), `pools.Batch: ${label}`],
    [
      "a name that leaves no room for numbers",
      pools({ ["x".repeat(57)]: { count: 1, slots: "100-109" } }),
      `pools.${"x".repeat(57)}: must have at most 56 characters, as the names of its nodes are longer by their numbers`,
    ],
    ["no count", batch({ count: undefined }), "pools.batch.count: is missing"],
    ["a count below 0", batch({ count: -1 }), "pools.batch.count: must be at least 0, not -1"],
    ["half a node", batch({ count: 1.5 }), "pools.batch.count: must be a whole number, not 1.5"],
    [
      "more nodes than Kubernetes takes",
      batch({ count: 1_000_000_000 }),
      "pools.batch.count: must be at most 5000, not 1000000000",
    ],
    ["no slots", batch({ slots: undefined }), "pools.batch.slots: is missing"],
    ["one slot", batch({ slots: "100" }), `pools.batch.slots: ${noRange}`],
    [
      "slots as a number",
      batch({ slots: 100 }),
      "pools.batch.slots: must be text, not 100; put it in quotes",
    ],
    ["slots the wrong way round", batch({ slots: "109-100" }), `pools.batch.slots: ${noRange}`],
    [
      "the control plane in a pool",
      batch({ role: "control-plane" }),
      "pools.batch: has no setting role; see docs/settings.md",
    ],
    [
      "one zone for all",
      batch({ availabilityZone: "a" }),
      "pools.batch: has no setting availabilityZone; see docs/settings.md",
    ],
    [
      "no zone at all",
      batch({ availabilityZones: [] }),
      "pools.batch.availabilityZones: must name a zone; leave it out for Nova's choice",
    ],
    [
      "a zone twice",
      batch({ availabilityZones: ["a", "a"] }),
      "pools.batch.availabilityZones: has a more than once",
    ],
    [
      "machines together on one host",
      batch({ serverGroup: "affinity" }),
      'pools.batch.serverGroup: must be one of anti-affinity, soft-anti-affinity, not "affinity"',
    ],
    [
      "a label that a kubelet may not give",
      batch({ labels: { "node-role.kubernetes.io/batch": "" } }),
      "pools.batch.labels.node-role.kubernetes.io/batch: is a label that no kubelet may give its own node; take a key outside of kubernetes.io and k8s.io",
    ],
    [
      "the router's slot",
      batch({ slots: "1-20" }),
      `pools.batch.slots: must be within 2 to 191, not 1-20: ${slotRange}`,
      "nodes.cp-1.slot: 10 is one of pools.batch.slots 1-20",
      "nodes.worker-1.slot: 11 is one of pools.batch.slots 1-20",
      "nodes.worker-2.slot: 12 is one of pools.batch.slots 1-20",
    ],
    [
      "slots of Neutron's own range",
      batch({ slots: "150-199" }),
      `pools.batch.slots: must be within 2 to 191, not 150-199: ${slotRange}`,
    ],
    [
      "slots beyond the node network",
      batch({ slots: "100-300" }),
      `pools.batch.slots: must be within 2 to 191, not 100-300: ${slotRange}`,
    ],
    [
      "the last address of an existing subnet",
      { ...batch({ slots: "200-255" }), network: { ...stackSettings.network, existing } },
      "pools.batch.slots: must be within 1 to 254, not 200-255: 10.0.0.0/24 keeps its first and its last address, 10.100.0.0/16 has 256 networks of /24",
    ],
    [
      "slots without pod networks",
      { ...batch({}), cluster: { ...stackSettings.cluster, nodePodPrefix: 22 } },
      "pools.batch.slots: must be within 2 to 63, not 100-109: 10.0.0.0/24 has its router at 1 and Neutron's own range in its last quarter, 10.100.0.0/16 has 64 networks of /22",
    ],
    [
      "more nodes than slots",
      batch({ count: 11 }),
      "pools.batch.count: must be at most 10, not 11: 100-109 has 10 slots",
    ],
    [
      "more nodes than slots without those that are left out",
      batch({ count: 9, remove: [2, "batch-5"] }),
      "pools.batch.count: must be at most 8, not 9: 100-109 has 10 slots, without the 2 that remove names",
    ],
    [
      "another pool's node to leave out",
      batch({ remove: ["worker-1"] }),
      'pools.batch.remove.0: must be a number or a name such as 2 or batch-2, not "worker-1"',
    ],
    [
      "a name with a number that none has",
      batch({ remove: ["batch-02"] }),
      'pools.batch.remove.0: must be a number or a name such as 2 or batch-2, not "batch-02"',
    ],
    [
      "a number that the pool never has",
      batch({ remove: [11] }),
      "pools.batch.remove.0: batch has no number 11: 100-109 has 10 slots",
    ],
    [
      "the same node twice",
      batch({ remove: [2, 3, "batch-2"] }),
      "pools.batch.remove.2: names batch-2 once more",
    ],
    [
      "true to leave out",
      batch({ remove: [true] }),
      "pools.batch.remove.0: must be the number or the name of a node of the pool",
    ],
    ["number 0", batch({ remove: [0] }), "pools.batch.remove.0: must be at least 1, not 0"],
    [
      "slots of another pool",
      pools({ a: { count: 1, slots: "100-120" }, b: { count: 1, slots: "120-130" } }),
      "pools.b.slots: 120-130 overlaps pools.a.slots 100-120",
    ],
    [
      "slots inside of another pool's",
      pools({ a: { count: 1, slots: "100-120" }, b: { count: 1, slots: "105-106" } }),
      "pools.b.slots: 105-106 overlaps pools.a.slots 100-120",
    ],
    [
      "a node's slot that the pool may need when it grows",
      withNode("db", { slot: 109 }, batch({ count: 1 })),
      "nodes.db.slot: 109 is one of pools.batch.slots 100-109",
    ],
    [
      "a node's name that the pool may need when it grows",
      withNode("batch-10", { slot: 50 }, batch({ count: 1 })),
      "nodes.batch-10: is the name of a node of pools.batch; take another name",
    ],
    [
      "a node's pod network that the pool may need when it grows",
      withNode("db", { slot: 50, podNetwork: "10.100.108.0/23" }, batch({ count: 1 })),
      "nodes.db.podNetwork: 10.100.108.0/23 overlaps pod networks of pools.batch.slots 100-109",
    ],
  ])("%s", (_title, changes, ...problems) => {
    expect(problemsOf({ ...stackSettings, ...changes })).toEqual(problems);
  });

  it("is told with all others at once", () => {
    const wrong = withNode(
      "a-1",
      { slot: 105 },
      {
        pools: {
          a: { count: 20, slots: "100-109", remove: ["b-1"] },
          b: { count: 1, slots: "109-200", flavour: "x" },
        },
      },
    );
    expect(problemsOf({ ...stackSettings, ...wrong })).toEqual([
      "pools.b: has no setting flavour; see docs/settings.md",
      'pools.a.remove.0: must be a number or a name such as 2 or a-2, not "b-1"',
      "pools.a.count: must be at most 10, not 20: 100-109 has 10 slots",
      "nodes.a-1: is the name of a node of pools.a; take another name",
      "nodes.a-1.slot: 105 is one of pools.a.slots 100-109",
      `pools.b.slots: must be within 2 to 191, not 109-200: ${slotRange}`,
      "pools.b.slots: 109-200 overlaps pools.a.slots 100-109",
    ]);
  });
});

describe("right settings of a pool", () => {
  it("may use the slots up to the last, and those beside others", () => {
    const neighbours = {
      a: { count: 10, slots: "100-109" },
      b: { count: 1, slots: "110-110" },
      c: { count: 81, slots: "111-191" },
    };
    const { settings } = checked(
      withNode("db", { slot: 99, podNetwork: "10.100.192.0/24" }, pools(neighbours)),
    );
    expect(Object.keys(settings.pools)).toEqual(["a", "b", "c"]);
  });

  it("let nodes have names that are nearly the pool's", () => {
    const nodes = { "batch-0": 50, "batch-11": 51, "batch-x": 52, "batch-01": 53, batch: 54 };
    const entries = Object.entries(nodes).map(([name, slot]) => [name, { role: "worker", slot }]);
    const more = Object.fromEntries(entries) as object;
    expect(
      problemsOf({ ...stackSettings, nodes: { ...stackSettings.nodes, ...more }, ...batch({}) }),
    ).toEqual([]);
  });

  it("leave out no node and have no zones and no server group by themselves", () => {
    const { batch: pool } = checked(batch({})).settings.pools;
    expect(pool).toEqual({ count: 2, slots: "100-109", remove: [], labels: {} });
  });
});
