import { describe, expect, it } from "vitest";
import { planOf } from "../helpers/cluster.ts";
import { cloud, newCluster, registerCluster } from "../helpers/graph.ts";
import { run, unknown } from "../helpers/monitor.ts";

const all = ["cp-1", "worker-1", "worker-2"];
const instance = (worker: string) => `demo-workers-${worker}-instance`;
const membership = (worker: string) => `demo-workers-${worker}-membership`;

/** The names of a cluster's resources in the order in which the engine hears of them. */
async function order({ existingNodes = all, maxUnavailable = 1, preview = false } = {}) {
  const rollout = { maxUnavailable };
  const { resources } = await registerCluster({ rollout }, preview, { ...cloud, existingNodes });
  const names = resources.map(({ name }) => name);
  return (first: string, second: string) => names.indexOf(first) < names.indexOf(second);
}

describe("nodes that are there", () => {
  it.each([false, true])(
    "change one after the other, the control plane first (preview: %s)",
    async (preview) => {
      const isBefore = await order({ preview });
      expect(isBefore("demo-control-plane-cp-1-membership", instance("worker-1"))).toBe(true);
      expect(isBefore(membership("worker-1"), instance("worker-2"))).toBe(true);
    },
  );

  it("change as many at a time as may be away", async () => {
    const isBefore = await order({ maxUnavailable: 2 });
    expect(isBefore("demo-control-plane-cp-1-membership", instance("worker-2"))).toBe(true);
    expect(isBefore(membership("worker-1"), instance("worker-2"))).toBe(false);
  });

  it("depend on no other node for that, so that they go all at once", async () => {
    const { graph } = await registerCluster({}, false, { ...cloud, existingNodes: all });
    const others = graph[instance("worker-2")]!.dependencies.filter((name) => /cp-1|worker-1/.test(name));
    expect(others).toEqual([]);
  });
});

it("a node's update hears of every staging of files, of those of before as well", async () => {
  const isKnown = ({ name }: { name: string }) => name !== "demo-workers-worker-1-converge";
  const { resources } = await run(() => newCluster(planOf()), { preview: true, isKnown });
  const inputs = (worker: string) => resources.find(({ name }) => name === membership(worker))!.inputs.stdin;
  expect(inputs("worker-1")).toBe(unknown);
  expect(inputs("worker-2")).toEqual(expect.any(String));
});

describe("nodes that are new", () => {
  it("come at the same time as all others", async () => {
    const isBefore = await order({ existingNodes: [] });
    expect(isBefore(instance("worker-2"), membership("worker-1"))).toBe(true);
    expect(isBefore(instance("worker-1"), "demo-control-plane-cp-1-membership")).toBe(true);
  });

  it("wait for no change of those that are there", async () => {
    const isBefore = await order({ existingNodes: ["cp-1", "worker-1"] });
    expect(isBefore(instance("worker-2"), membership("worker-1"))).toBe(true);
  });
});
