import type { V1NodeList, V1PodList } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { on, tryOn, type Machine } from "../../lab/client/machines.ts";
import { openStack } from "../../lab/client/openstack.ts";
import { labSettings, mustSucceed, Stack, type EngineRun } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { phase } from "../../lab/phase.ts";
import { isNodeReady, olderVersion, reach, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { askedDuring, mayBeAway, replicasReady, startReplicas } from "./helpers/replicas.ts";
import { stepsOf } from "./helpers/steps.ts";

// The second year of a cluster, on one stack: each part begins where the one before it has ended.

const name = "e2e-life";
const base = await labSettings();
const older = await olderVersion(base);
const minute = 60_000;

const kubelet = { ...base.kubelet, maxPods: 64 };
const settings = (changes: Record<string, unknown> = {}) => ({
  ...base,
  cluster: { ...base.cluster, name },
  kubelet,
  ...changes,
});
/** What the stack has before life-04. */
const asMade = { kubelet: base.kubelet };
const { "worker-2": _gone, ...fewer } = base.nodes;

let before: string[];
let stack: Stack;
let cluster: ReachedCluster;

beforeAll(async () => {
  await fillMirror(base.cluster, { kubernetesVersion: older });
  stack = await Stack.create(
    name,
    settings({ ...asMade, cluster: { ...base.cluster, name, kubernetesVersion: older } }),
  );
  before = await inventory();
  await phase(`${name}: pulumi up, ${older}`, async () => mustSucceed(stack, await stack.up()));
  cluster = await reach(stack, Object.keys(base.nodes));
  await startReplicas(cluster.kubectl);
}, 60 * minute);

afterAll(() => stack?.destroyRest());

const controlPlane = () => cluster.outputs.inventory["cp-1"]!;
const machine = (node: string): Machine => cluster.machines[node]!;

/** Brings the stack up with other settings; the run may fail. */
async function tryUp(
  what: string,
  changes: Record<string, unknown> = {},
  ...flags: string[]
): Promise<EngineRun> {
  await stack.write(settings(changes));
  return await phase(`${name}: pulumi up, ${what}`, () => stack.up(...flags));
}

const up = async (
  what: string,
  changes: Record<string, unknown> = {},
  ...flags: string[]
): Promise<EngineRun> => mustSucceed(stack, await tryUp(what, changes, ...flags));

const nodes = async () => {
  const { items } = await cluster.kubectl.get<V1NodeList>("nodes");
  return items.map((node) => ({
    name: node.metadata!.name!,
    ready: isNodeReady(node),
    version: node.status!.nodeInfo!.kubeletVersion,
    schedulable: !node.spec?.unschedulable,
    uid: node.metadata!.uid!,
  }));
};

/** For how many seconds each node was not to be given pods in a run, by what the roll-out says of it. */
async function secondsAway(): Promise<number[]> {
  const outputs = (await stack.resources())
    .filter(({ urn }) => urn.endsWith("-membership"))
    .map(({ outputs }) => String(outputs.stdout));
  return outputs.map((text) => Number(/away for (\d+) s more/.exec(text)?.[1]));
}

/** Changes with each start of a service. */
const startsOf = async (node: string, services: readonly string[]) => {
  const text = await on(
    machine(node),
    `systemctl show --value --property=ExecMainStartTimestampMonotonic ${services.join(" ")}`,
  );
  return Object.fromEntries(
    text
      .split(/\s+/)
      .filter(Boolean)
      .map((start, index) => [services[index]!, start]),
  );
};

describe("life-03: an upgrade to the next minor version", () => {
  it(
    "goes node by node, each away for less than a minute, and no request is lost",
    async () => {
      const { answered, failed } = await askedDuring(controlPlane().floatingAddress, () =>
        up(`${older} to ${base.cluster.kubernetesVersion}`, asMade),
      );
      expect(failed).toEqual([]);
      expect(answered).toBeGreaterThan(100);
      const version = `v${base.cluster.kubernetesVersion}`;
      for (const node of await nodes())
        expect(node).toMatchObject({ ready: true, version, schedulable: true });
      const away = await secondsAway();
      console.log(`seconds away: ${away.join(", ")}; requests answered: ${answered}`);
      for (const seconds of away) expect(seconds).toBeLessThan(60);
      const { items } = await cluster.kubectl.get<V1PodList>(
        "pods",
        "--namespace=kube-system",
        "--selector=tier=control-plane",
      );
      expect(items.length).toBeGreaterThan(2);
      for (const { spec } of items.filter(({ metadata }) => metadata!.name!.startsWith("kube-")))
        expect(spec!.containers[0]!.image).toContain(`:${version}`);
    },
    15 * minute,
  );

  it("leaves nothing to do", async () => {
    expect(stepsOf(await up("nothing changed", asMade), name)).toEqual([]);
    expect(stepsOf(mustSucceed(stack, await stack.preview()), name)).toEqual([]);
  });
});

describe("life-04: another setting of the kubelet", () => {
  it("stops where a node's pods may not leave, names it, and leaves the nodes as they were", async () => {
    await mayBeAway(cluster.kubectl, 0);
    const run = await tryUp("pods may not leave", { rollout: { drainSeconds: 10 } });
    expect(run.succeeded).toBe(false);
    expect(run.errors.join("\n")).toMatch(
      /updating node worker-[12]: its pods did not leave within 10 s: .*rollout\.forceDrain/,
    );
    for (const node of await nodes()) expect(node).toMatchObject({ ready: true, schedulable: true });
  });

  it(
    "goes on where it stopped, and restarts the kubelet alone",
    async () => {
      await mayBeAway(cluster.kubectl, 1);
      const services = ["kubelet", "kube-proxy", "containerd", "docker"];
      const started = await startsOf("worker-2", services);
      const { failed } = await askedDuring(controlPlane().floatingAddress, () => up("the kubelet's maxPods"));
      expect(failed).toEqual([]);
      const { kubelet: now, ...others } = await startsOf("worker-2", services);
      const { kubelet: then, ...unchanged } = started;
      expect(now).not.toBe(then);
      expect(others).toEqual(unchanged);
      const configuration = await cluster.kubectl.run([
        "get",
        "--raw",
        "/api/v1/nodes/worker-2/proxy/configz",
      ]);
      expect(JSON.parse(configuration)).toMatchObject({ kubeletconfig: { maxPods: 64 } });
    },
    10 * minute,
  );
});

describe("life-05: a machine made anew", () => {
  it(
    "has the same name, address and pod network, a new Node, and no other node notices",
    async () => {
      const [instance] = (await stack.resources()).filter(({ urn }) => urn.endsWith("-worker-1-instance"));
      const was = await nodes();
      const run = await up("worker-1 anew", {}, "--replace", instance!.urn);
      const others = stepsOf(run, name).filter((step) => !step.includes("worker-1"));
      expect(others.filter((step) => !/ (ready|control-plane-cp-1|workers|)$/.test(step))).toEqual([]);
      const now = await nodes();
      const uids = (list: typeof now) => Object.fromEntries(list.map(({ name, uid }) => [name, uid]));
      const { "worker-1": then, ...unchanged } = uids(was);
      expect(uids(now)).toMatchObject(unchanged);
      expect(uids(now)["worker-1"]).not.toBe(then);
      expect(now.every(({ ready, schedulable }) => ready && schedulable)).toBe(true);
      cluster = await reach(stack, Object.keys(base.nodes));
      expect(await on(machine("worker-1"), "hostname")).toContain("worker-1");
      await replicasReady(cluster.kubectl);
    },
    10 * minute,
  );
});

describe("life-02: a node that goes", () => {
  it(
    "is kept while its pods may not leave, and taken out by force where that is set",
    async () => {
      await mayBeAway(cluster.kubectl, 0);
      const run = await tryUp("worker-2 gone, pods may not leave", {
        nodes: fewer,
        rollout: { drainSeconds: 10 },
      });
      expect(run.errors.join("\n")).toMatch(/removing node worker-2: its pods did not leave within 10 s/);
      expect((await nodes()).map((node) => node.name)).toContain("worker-2");
      await up("worker-2 gone by force", { nodes: fewer, rollout: { forceDrain: true } });
      expect((await nodes()).map((node) => node.name).sort()).toEqual(Object.keys(fewer).sort());
      await mayBeAway(cluster.kubectl, 1);
      await replicasReady(cluster.kubectl);
    },
    10 * minute,
  );

  it(
    "is taken out with a warning where its machine is dead already",
    async () => {
      await up("worker-2 back");
      await openStack({
        service: "compute",
        method: "POST",
        path: `/servers/${(await stack.outputs<ReachedCluster["outputs"]>()).inventory["worker-2"]!.instanceId}/action`,
        body: { "os-stop": null },
      });
      await phase(`${name}: worker-2 not Ready`, () =>
        eventually(120, async () => {
          expect((await nodes()).find((node) => node.name === "worker-2")).toMatchObject({ ready: false });
        }),
      );
      const run = await up("worker-2 gone, dead", { nodes: fewer });
      const said = run.events.map(({ diagnosticEvent }) => diagnosticEvent?.message ?? "").join("\n");
      expect(said).toContain("node worker-2 does not answer, so its pods are not moved");
      expect((await nodes()).map((node) => node.name).sort()).toEqual(Object.keys(fewer).sort());
    },
    10 * minute,
  );
});

describe("life-10: the end", () => {
  it(
    "comes also where the cluster's API is dead, and leaves nothing behind",
    async () => {
      await on(machine("cp-1"), "sudo systemctl stop kubelet && sudo pkill -KILL kube-apiserver");
      expect(
        (await tryOn(machine("cp-1"), "curl -sk --max-time 3 https://127.0.0.1:6443/livez")).exitCode,
      ).not.toBe(0);
      mustSucceed(stack, await phase(`${name}: pulumi destroy`, () => stack.destroy()));
      expect(await inventory()).toEqual(before);
    },
    10 * minute,
  );
});
