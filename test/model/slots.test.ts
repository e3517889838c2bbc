import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressAt, contains, overlap, parseNetwork, size } from "../../model/addresses.ts";
import type { NodePlan } from "../../model/plan.ts";
import { planOf } from "../helpers/cluster.ts";

type Nodes = Record<
  string,
  { role: string; slot: number; podNetwork?: string; labels?: Record<string, string> }
>;

const nodeNetwork = parseNetwork("10.0.0.0/24");
const podNetwork = parseNetwork("10.100.0.0/16");

const names = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const slots = fc.integer({ min: 2, max: 191 });

/** A pod network of a node's own where no slot's is. */
const podNetworks = fc
  .tuple(fc.integer({ min: 192, max: 255 }), fc.integer({ min: 24, max: 27 }))
  .map(([third, prefix]) => `10.100.${third}.0/${prefix}`);
const third = (network = "") => network.split(".")[2];

/** One control-plane node and up to twelve workers, with slots and some with pod networks of their own. */
const clusters = fc
  .uniqueArray(fc.tuple(names, slots, fc.option(podNetworks, { nil: undefined })), {
    minLength: 1,
    maxLength: 13,
    comparator: ([name, slot, own], [otherName, otherSlot, other]) =>
      name === otherName || slot === otherSlot || (own !== undefined && third(own) === third(other)),
  })
  .map((nodes): Nodes =>
    Object.fromEntries(
      nodes.map(([name, slot, podNetwork], index) => [
        name,
        { role: index === 0 ? "control-plane" : "worker", slot, podNetwork },
      ]),
    ),
  );

function byName(nodes: Nodes): Record<string, NodePlan> {
  return Object.fromEntries(planOf({ nodes }).nodes.map((node) => [node.name, node]));
}

function expectSameExcept(
  before: Record<string, NodePlan>,
  after: Record<string, NodePlan>,
  changed: string,
) {
  for (const [name, node] of Object.entries(before)) {
    if (name !== changed) expect(after[name]).toEqual(node);
  }
}

describe("a node's slot", () => {
  it("is its place in the node network and in the pod network", () => {
    const node = byName({ cp: { role: "control-plane", slot: 7 }, far: { role: "worker", slot: 191 } });
    expect(node.cp).toMatchObject({
      address: "10.0.0.7",
      podNetwork: "10.100.7.0/24",
      podGateway: "10.100.7.1",
    });
    expect(node.far).toMatchObject({ address: "10.0.0.191", podNetwork: "10.100.191.0/24" });
  });

  it("counts in parts of the given size", () => {
    const { controlPlane } = planOf({
      cluster: { name: "demo", podNetwork: "10.96.0.0/20", nodePodPrefix: 26 },
      nodes: { cp: { role: "control-plane", slot: 5 } },
    });
    expect(controlPlane).toMatchObject({ podNetwork: "10.96.1.64/26", podGateway: "10.96.1.65" });
  });

  it("leaves the pod network to the settings where they name one", () => {
    const nodes = {
      cp: { role: "control-plane", slot: 5, podNetwork: "10.100.200.0/22" },
      far: { role: "worker", slot: 6 },
    };
    expect(byName(nodes)).toMatchObject({
      cp: { address: "10.0.0.5", podNetwork: "10.100.200.0/22", podGateway: "10.100.200.1" },
      far: { address: "10.0.0.6", podNetwork: "10.100.6.0/24" },
    });
  });

  it("gives an address and a pod network inside the cluster's, shared with nobody", () => {
    fc.assert(
      fc.property(clusters, (nodes) => {
        const { nodes: planned, allocationPool } = planOf({ nodes });
        for (const [index, node] of planned.entries()) {
          const pods = parseNetwork(node.podNetwork);
          expect(contains(nodeNetwork, node.address)).toBe(true);
          expect(contains(podNetwork, addressAt(pods, 0))).toBe(true);
          expect(contains(podNetwork, addressAt(pods, size(pods) - 1))).toBe(true);
          expect(Number(node.address.split(".")[3])).toBeLessThan(Number(allocationPool.start.split(".")[3]));
          for (const other of planned.slice(index + 1)) {
            expect(other.address).not.toBe(node.address);
            expect(overlap(pods, parseNetwork(other.podNetwork))).toBe(false);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("no other node's address, pod network or file changes when", () => {
  const change = (run: (nodes: Nodes, fresh: string, slot: number) => [Nodes, string]) =>
    fc.assert(
      fc.property(clusters, names, slots, (nodes, fresh, slot) => {
        fc.pre(!(fresh in nodes) && Object.values(nodes).every((node) => node.slot !== slot));
        const [changed, name] = run(nodes, fresh, slot);
        expectSameExcept(byName(nodes), byName(changed), name);
      }),
      { numRuns: 30 },
    );
  const lastWorker = (nodes: Nodes) => Object.keys(nodes).findLast((name) => nodes[name]!.role === "worker");

  it("a node comes", () => {
    change((nodes, fresh, slot) => [{ [fresh]: { role: "worker", slot }, ...nodes }, fresh]);
  });

  it("a node goes", () => {
    change((nodes) => {
      const name = lastWorker(nodes);
      fc.pre(name !== undefined);
      const { [name]: _gone, ...rest } = nodes;
      return [rest, name];
    });
  });

  it("a node gets another name", () => {
    change((nodes, fresh) => {
      const name = lastWorker(nodes);
      fc.pre(name !== undefined);
      const { [name]: node, ...rest } = nodes;
      return [{ ...rest, [fresh]: node! }, name];
    });
  });

  it("the control plane gets another name", () => {
    change((nodes, fresh) => {
      const [name] = Object.keys(nodes);
      const { [name!]: node, ...rest } = nodes;
      return [{ [fresh]: node!, ...rest }, name!];
    });
  });

  it("a node gets another slot, other labels", () => {
    change((nodes, _fresh, slot) => {
      const name = lastWorker(nodes);
      fc.pre(name !== undefined);
      return [{ ...nodes, [name]: { role: "worker", slot, labels: { disk: "fast" } } }, name];
    });
  });

  it("a node gets another pod network of its own, or that of its slot", () => {
    const free = (nodes: Nodes) =>
      Array.from({ length: 64 }, (_, n) => `10.100.${192 + n}.0/24`).find((network) =>
        Object.values(nodes).every(({ podNetwork }) => third(podNetwork) !== third(network)),
      );
    change((nodes) => {
      const name = lastWorker(nodes);
      fc.pre(name !== undefined);
      const { podNetwork, ...node } = nodes[name]!;
      const changed = podNetwork === undefined ? { ...node, podNetwork: free(nodes) } : node;
      return [{ ...nodes, [name]: changed }, name];
    });
  });

  it("the dictionary is written in another order", () => {
    change((nodes) => [Object.fromEntries(Object.entries(nodes).reverse()), ""]);
  });
});

it("a control plane of another slot reaches all nodes, their addresses stay", () => {
  const before = byName({ cp: { role: "control-plane", slot: 10 }, worker: { role: "worker", slot: 11 } });
  const after = byName({ cp: { role: "control-plane", slot: 20 }, worker: { role: "worker", slot: 11 } });
  const changed = Object.keys(after.worker!.files).filter(
    (path) => after.worker!.files[path]!.content !== before.worker!.files[path]!.content,
  );
  expect(changed).toEqual(["/etc/kubernetes/kubelet.conf", "/etc/kubernetes/kube-proxy.conf"]);
  expect(after.worker).toMatchObject({
    address: before.worker!.address,
    podNetwork: before.worker!.podNetwork,
  });
});

it("the control plane is first, then the nodes by slot", () => {
  const { nodes, workers, controlPlane } = planOf({
    nodes: {
      b: { role: "worker", slot: 30 },
      a: { role: "worker", slot: 31 },
      c: { role: "worker", slot: 2 },
      cp: { role: "control-plane", slot: 99 },
    },
  });
  expect(nodes.map(({ name }) => name)).toEqual(["cp", "c", "b", "a"]);
  expect(controlPlane.name).toBe("cp");
  expect(workers.map(({ name }) => name)).toEqual(["c", "b", "a"]);
});
