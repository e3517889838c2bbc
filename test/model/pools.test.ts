import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NodePlan } from "../../model/plan.ts";
import { references } from "../../model/references.ts";
import { checked, planOf, stackSettings } from "../helpers/cluster.ts";

interface Pool {
  count: number;
  slots: string;
  remove?: (number | string)[];
  availabilityZones?: readonly string[];
  labels?: Record<string, string>;
}
type Pools = Record<string, Pool>;

const nodes = { cp: { role: "control-plane", slot: 2 }, db: { role: "worker", slot: 3 } };
const byName = (pools: Pools): Record<string, NodePlan> =>
  Object.fromEntries(planOf({ nodes, pools }).nodes.map((node) => [node.name, node]));
const namesOf = (pools: Pools) => Object.keys(byName(pools)).filter((name) => !(name in nodes));

describe("a pool's nodes", () => {
  it("are those of `nodes` that say the same, but for the pool's label", () => {
    const alike = {
      labels: { disk: "fast" },
      taints: [{ key: "gpu", effect: "NoSchedule" }],
      image: "ubuntu-24.04",
      flavor: "m1.large",
      keyPair: "mine",
      securityGroups: ["office"],
    };
    const pools = { batch: { ...alike, count: 2, slots: "100-149", availabilityZones: ["a", "b"] } };
    const written = {
      "batch-1": { role: "worker", slot: 100, availabilityZone: "a", ...alike },
      "batch-2": { role: "worker", slot: 101, availabilityZone: "b", ...alike },
    };
    const label = (labels: object) => ({ ...labels, "openstack-kubernetes/pool": "batch" });
    const labelled = Object.entries(written).map(([name, node]) => [
      name,
      { ...node, labels: label(node.labels) },
    ]);
    const plain = planOf({ nodes: { ...nodes, ...(Object.fromEntries(labelled) as object) } });
    const pooled = planOf({ nodes, pools });
    expect(pooled.nodes.map((node) => ({ ...node, pool: undefined }))).toEqual(plain.nodes);
    expect(pooled.nodes.map(({ name, pool }) => [name, pool])).toEqual([
      ["cp", undefined],
      ["db", undefined],
      ["batch-1", "batch"],
      ["batch-2", "batch"],
    ]);
  });

  it("have what is said of all machines where the pool says nothing", () => {
    const { workers } = planOf({
      nodes,
      machine: {
        ...stackSettings.machine,
        availabilityZone: "z",
        keyPair: "ours",
        securityGroups: ["office"],
      },
      pools: { batch: { count: 1, slots: "100-149" } },
    });
    expect(workers[1]).toMatchObject({
      name: "batch-1",
      role: "worker",
      address: "10.0.0.100",
      podNetwork: "10.100.100.0/24",
      image: "debian-13",
      flavor: "m1.medium",
      availabilityZone: "z",
      keyPair: "ours",
      securityGroups: ["office"],
    });
  });

  it("know their pool by a label", () => {
    const env = byName({ batch: { count: 1, slots: "9-9" } })["batch-1"]!.files[
      "/etc/openstack-kubernetes/registration.env"
    ]!.content;
    expect(env).toContain("NODE_LABELS=openstack-kubernetes/pool=batch,openstack-kubernetes/role=worker\n");
  });

  it("are none where the count is 0", () => {
    expect(namesOf({ batch: { count: 0, slots: "100-149" } })).toEqual([]);
  });

  it("have their policy with their pool, where it has one", () => {
    const pools = {
      batch: { count: 0, slots: "100-149", serverGroup: "soft-anti-affinity" },
      spare: { count: 1, slots: "50-59" },
    };
    expect(planOf({ nodes, pools }).serverGroups).toEqual({ batch: "soft-anti-affinity" });
  });
});

describe("what a pool names of OpenStack's", () => {
  const batch = { count: 3, slots: "100-149", image: "ubuntu-24.04", availabilityZones: ["a", "b"] };
  const { settings } = checked({ nodes, pools: { batch } });

  it("is named by the pool's settings, once for all of its nodes", () => {
    expect(references(settings, "availabilityZone")).toEqual(
      new Map([
        ["a", ["openstack-kubernetes:pools.batch.availabilityZones"]],
        ["b", ["openstack-kubernetes:pools.batch.availabilityZones"]],
      ]),
    );
    expect(references(settings, "image")).toEqual(
      new Map([
        ["debian-13", ["openstack-kubernetes:machine.image"]],
        ["ubuntu-24.04", ["openstack-kubernetes:pools.batch.image"]],
      ]),
    );
  });

  it("counts for workers alone", () => {
    expect([...references(settings, "image", "control-plane").keys()]).toEqual(["debian-13"]);
  });
});

describe("numbers to leave out", () => {
  const batch = (count: number, ...remove: (number | string)[]) =>
    namesOf({ batch: { count, slots: "100-149", remove } });

  it.each<[count: number, remove: (number | string)[], numbers: number[]]>([
    [3, [], [1, 2, 3]],
    [3, [2], [1, 3, 4]],
    [3, ["batch-2"], [1, 3, 4]],
    [2, [1, "batch-2"], [3, 4]],
    [3, [7], [1, 2, 3]],
    [0, [1], []],
    [1, [1, 2, 3], [4]],
  ])("%i nodes without %j", (count, remove, numbers) => {
    expect(batch(count, ...remove)).toEqual(numbers.map((number) => `batch-${number}`));
  });

  it("take one node out of four, and no other", () => {
    expect(batch(4)).toEqual(["batch-1", "batch-2", "batch-3", "batch-4"]);
    expect(batch(3, 2)).toEqual(["batch-1", "batch-3", "batch-4"]);
  });
});

/** Up to three pools with ranges of their own of 30 slots each, which their counts and what is left out leave room in. */
const pool = (index: number) =>
  fc
    .record({
      count: fc.integer({ min: 0, max: 12 }),
      remove: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }),
      availabilityZones: fc.option(fc.constantFrom(["a"], ["a", "b"], ["a", "b", "c"]), { nil: undefined }),
    })
    .map((settings): Pool => ({ ...settings, slots: `${10 + index * 30}-${39 + index * 30}` }));
const poolNames = ["a", "a-1", "batch"];
const somePools = fc
  .tuple(...poolNames.map((_, index) => fc.option(pool(index), { nil: undefined })))
  .map((settings): Pools =>
    Object.fromEntries(
      settings.flatMap((one, index) => (one === undefined ? [] : [[poolNames[index]!, one]])),
    ),
  );

describe("of any pools", () => {
  const property = (check: (pools: Pools, changed: string, pool: Pool) => void) =>
    fc.assert(
      fc.property(somePools, fc.integer({ min: 0, max: 2 }), pool(0), (pools, index, { count, remove }) => {
        const changed = poolNames[index]!;
        const slots = `${10 + index * 30}-${39 + index * 30}`;
        check(pools, changed, { ...pools[changed], slots, count, remove });
      }),
      { numRuns: 40 },
    );

  it("each has as many nodes as it says, at the slots of their numbers, in zones in turn", () => {
    property((pools) => {
      const planned = byName(pools);
      for (const [name, { count, slots, remove, availabilityZones: zones }] of Object.entries(pools)) {
        const own = Object.values(planned).filter(({ pool }) => pool === name);
        expect(own).toHaveLength(count);
        for (const node of own) {
          const number = Number(node.name.slice(name.length + 1));
          expect(node.name).toBe(`${name}-${number}`);
          expect(remove).not.toContain(number);
          const slot = Number(slots.split("-")[0]) + number - 1;
          expect(node).toMatchObject({ address: `10.0.0.${slot}`, podNetwork: `10.100.${slot}.0/24` });
          expect(node.availabilityZone).toBe(zones?.[(number - 1) % zones.length]);
        }
      }
    });
  });

  it("a pool that comes, goes, grows or shrinks changes no other node, and none of its own that stay", () => {
    property((pools, changed, pool) => {
      const { [changed]: _gone, ...without } = pools;
      const [before, after, gone] = [byName(pools), byName({ ...pools, [changed]: pool }), byName(without)];
      for (const [name, node] of Object.entries(before)) {
        if (name in after) expect(after[name]).toEqual(node);
        else expect(node.pool).toBe(changed);
        if (node.pool !== changed) expect(gone[name]).toEqual(node);
      }
    });
  });

  it("the highest number goes first, and comes back last", () => {
    property((pools, changed, pool) => {
      fc.pre(pool.count > 0);
      const larger = namesOf({ ...pools, [changed]: pool });
      const smaller = namesOf({ ...pools, [changed]: { ...pool, count: pool.count - 1 } });
      const own = larger.filter((name) => byNumber(changed, name) !== undefined);
      const highest = Math.max(...own.map((name) => byNumber(changed, name)!));
      expect(larger.filter((name) => !smaller.includes(name))).toEqual([`${changed}-${highest}`]);
    });
  });

  it("a node that is left out while the pool shrinks by one is the only one that goes", () => {
    property((pools, changed, pool) => {
      const before = namesOf({ ...pools, [changed]: pool });
      const own = before.filter((name) => byNumber(changed, name) !== undefined);
      fc.pre(own.length > 0);
      const name = own[Math.floor(own.length / 2)]!;
      const remove = [...(pool.remove ?? []), name];
      const after = namesOf({ ...pools, [changed]: { ...pool, count: pool.count - 1, remove } });
      expect(before.filter((one) => !after.includes(one))).toEqual([name]);
      expect(after.filter((one) => !before.includes(one))).toEqual([]);
    });
  });

  function byNumber(pool: string, name: string): number | undefined {
    const [, number] = new RegExp(`^${pool}-(\\d+)$`).exec(name) ?? [];
    return number === undefined ? undefined : Number(number);
  }
});

describe("the order in which pools are written", () => {
  it("changes nothing", () => {
    const pools = { a: { count: 2, slots: "100-109" }, b: { count: 2, slots: "20-29" } };
    expect(planOf({ nodes, pools: { b: pools.b, a: pools.a } }).nodes).toEqual(
      planOf({ nodes, pools }).nodes,
    );
    expect(namesOf(pools)).toEqual(["b-1", "b-2", "a-1", "a-2"]);
  });
});
