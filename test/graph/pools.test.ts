import { describe, expect, it } from "vitest";
import { stackSettings } from "../helpers/cluster.ts";
import { cloud, registerCluster } from "../helpers/graph.ts";
import type { Registered } from "../helpers/monitor.ts";

// Pools and what they ask of OpenStack, by the requests that the program sends.

interface Pool {
  count: number;
  slots: string;
  serverGroup?: string;
  remove?: number[];
}
type Pools = Record<string, Pool>;

const graphOf = async (pools: Pools, changes: object = {}) =>
  (await registerCluster({ pools, ...changes })).graph;
const batch = (more: object = {}): Pools => ({ batch: { count: 2, slots: "100-109", ...more } });

/** What a request says, but for what mocks count up. */
const said = ({ urn: _urn, outputs: _outputs, ...request }: Registered) => request;

/** The names of resources that one graph has and the other has not, or not so. */
function compare(before: Record<string, Registered>, after: Record<string, Registered>) {
  const names = Object.keys(after);
  return {
    added: names.filter((name) => !(name in before)).sort(),
    removed: Object.keys(before)
      .filter((name) => !(name in after))
      .sort(),
    changed: names.filter(
      (name) => name in before && JSON.stringify(said(before[name]!)) !== JSON.stringify(said(after[name]!)),
    ),
  };
}

/** What waits for all nodes: the gate, and by its dependencies alone, which no preview names, what goes before their ports. */
const dependent = ["demo-floating-addresses-leftovers", "demo-ready"];

/** All that is a node's own. */
const resourcesOf = (node: string) =>
  [
    `demo-address-pairs-${node}`,
    `demo-floating-addresses-${node}`,
    `demo-pod-routes-${node}`,
    `demo-workers-${node}`,
    ...["certificate", "converge", "host-key", "instance", "membership", "node-key", "request"].map(
      (part) => `demo-workers-${node}-${part}`,
    ),
  ].sort();

describe("a node more in a pool", () => {
  it.each([
    ["without a server group", {}],
    ["with a server group", { serverGroup: "anti-affinity" }],
  ])(
    "%s adds its own resources, and of all others only the gate asks for something else",
    async (_what, more) => {
      // They are there already, and the new one comes between them.
      const existingNodes = ["cp-1", "batch-1", "batch-2", "worker-1", "worker-2"];
      const graph = async (count: number) => {
        const pools = batch({ ...more, count, slots: "2-9" });
        return (await registerCluster({ pools }, false, { ...cloud, existingNodes })).graph;
      };
      const [before, after] = [await graph(2), await graph(3)];
      expect(compare(before, after)).toEqual({
        added: resourcesOf("batch-3"),
        removed: [],
        changed: dependent,
      });
    },
  );

  it("is the next number where one is left out, and the one that is left out alone goes", async () => {
    const [before, after] = [await graphOf(batch()), await graphOf(batch({ remove: [1] }))];
    expect(compare(before, after)).toEqual({
      added: resourcesOf("batch-3"),
      removed: resourcesOf("batch-1"),
      changed: dependent,
    });
  });
});

describe("a pool more", () => {
  it("adds its nodes and its server group, and changes no other", async () => {
    const [before, after] = [
      await graphOf(batch()),
      await graphOf({ ...batch(), spare: { count: 1, slots: "50-59", serverGroup: "soft-anti-affinity" } }),
    ];
    expect(compare(before, after)).toEqual({
      added: [...resourcesOf("spare-1"), "demo-server-groups", "demo-server-groups-spare"].sort(),
      removed: [],
      changed: dependent,
    });
  });
});

describe("a pool's server group", () => {
  it("is named by cluster, pool and stack, and its machines ask for it", async () => {
    const graph = await graphOf({
      ...batch({ serverGroup: "anti-affinity" }),
      spare: { count: 1, slots: "50-59" },
    });
    expect(graph["demo-server-groups-batch"]).toMatchObject({
      type: "openstack:compute/serverGroup:ServerGroup",
      inputs: { name: "demo-batch of openstack-kubernetes/test", policies: ["anti-affinity"] },
    });
    for (const node of ["batch-1", "batch-2"]) {
      const { inputs, dependencies } = graph[`demo-workers-${node}-instance`]!;
      expect(inputs.schedulerHints).toEqual([{ group: "demo-server-groups-batch-id" }]);
      expect(dependencies).toContain("demo-server-groups-batch");
    }
    for (const node of ["worker-1", "spare-1"])
      expect(graph[`demo-workers-${node}-instance`]!.inputs.schedulerHints).toBeUndefined();
  });

  it("is there before the pool has a node", async () => {
    const graph = await graphOf(batch({ count: 0, serverGroup: "anti-affinity" }));
    expect(graph["demo-server-groups-batch"]).toBeDefined();
  });
});

describe("a node of a pool", () => {
  it("has its pool in the server's metadata and in the inventory", async () => {
    const { graph, cluster } = await registerCluster({ pools: batch() });
    expect(graph["demo-workers-batch-1-instance"]!.inputs.metadata).toEqual({
      cluster: "demo",
      role: "worker",
      pool: "batch",
      stack: "openstack-kubernetes/test",
    });
    expect(graph["demo-workers-worker-1-instance"]!.inputs.metadata).toEqual({
      cluster: "demo",
      role: "worker",
      stack: "openstack-kubernetes/test",
    });
    expect(cluster.inventory["batch-2"]).toMatchObject({ pool: "batch", address: "10.0.0.101" });
    expect(cluster.inventory["worker-1"]).not.toHaveProperty("pool");
  });

  it("was a node of `nodes` before, or becomes one: its resources stay, only its label and metadata change", async () => {
    const { "cp-1": controlPlane } = stackSettings.nodes;
    const worker = { count: 2, slots: "11-19" };
    const [before, after] = [
      await graphOf({}),
      await graphOf({ worker }, { nodes: { "cp-1": controlPlane } }),
    ];
    const { added, removed, changed } = compare(before, after);
    expect([added, removed]).toEqual([[], []]);
    const ofNode = (node: string) =>
      ["", "-instance", "-converge", "-membership"].map((part) => `demo-workers-${node}${part}`);
    expect(changed.sort()).toEqual([...["worker-1", "worker-2"].flatMap(ofNode), "demo-ready"].sort());

    const { metadata, ...instance } = after["demo-workers-worker-1-instance"]!.inputs;
    const { metadata: old, ...same } = before["demo-workers-worker-1-instance"]!.inputs;
    expect(instance).toEqual(same);
    expect(metadata).toEqual({ ...(old as object), pool: "worker" });

    const [files, oldFiles] = [after, before].map(
      (graph) => graph["demo-workers-worker-1"]!.inputs.files as Record<string, string>,
    );
    const env = "/etc/openstack-kubernetes/registration.env";
    expect({ ...files, [env]: "" }).toEqual({ ...oldFiles, [env]: "" });
    expect(files![env]!.replace("openstack-kubernetes/pool=worker,", "")).toBe(oldFiles![env]);
  });
});

describe("the gate", () => {
  it("waits for pools' nodes as for others", async () => {
    const graph = await graphOf(batch());
    const { dependencies, inputs } = graph["demo-ready"]!;
    expect(dependencies).toContain("demo-workers-batch-2-converge");
    expect(inputs.stdin).toMatch(/^batch-2 worker 10\.100\.101\.0\/24 /m);
  });
});
