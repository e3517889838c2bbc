import type { V1Node, V1NodeList, V1PodList } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { on } from "../../lab/client/machines.ts";
import { openStack } from "../../lab/client/openstack.ts";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { registry } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import { isNodeReady, reach, routerOf, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { stepsOf } from "./helpers/steps.ts";

// A pool's life on one cluster: it comes with one worker, grows, shrinks and goes.

const name = "life-01";
const base = await labSettings();
const controlPlane = { cp: { role: "control-plane", slot: 10, flavor: "node.medium" } };

/** The lab has one host, on which only the soft policy takes two machines. */
const pool = (count: number, changes = {}) => ({
  batch: { count, slots: "20-29", serverGroup: "soft-anti-affinity", ...changes },
});
const settings = (pools: object) => ({
  ...base,
  cluster: { ...base.cluster, name },
  nodes: controlPlane,
  pools,
});

/** Two pods, on two workers as long as there are two. */
const movingPods = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "moving", namespace: "default" },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: "moving" } },
    template: {
      metadata: { labels: { app: "moving" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "DoNotSchedule",
            // The control plane, and a node that is being drained, are none to spread to.
            nodeTaintsPolicy: "Honor",
            labelSelector: { matchLabels: { app: "moving" } },
          },
        ],
        containers: [{ name: "sleep", image: `${registry}/lab/tools:1`, command: ["sleep", "infinity"] }],
      },
    },
  },
};

interface Server {
  id: string;
  name: string;
  metadata: Record<string, string>;
}

interface ServerGroup {
  name: string;
  members: string[];
}

let stack: Stack;
let before: string[];
let cluster: ReachedCluster;

beforeAll(async () => {
  stack = await Stack.create(name, settings(pool(1)));
  before = await inventory();
});

afterAll(async () => {
  await stack?.destroyRest();
});

/** Brings the stack up with these pools, and reaches its nodes of these names. */
async function up(what: string, pools: object, names: readonly string[]): Promise<void> {
  await stack.write(settings(pools));
  await phase(`${name}: pulumi up, ${what}`, async () => mustSucceed(stack, await stack.up()));
  cluster = await reach(stack, names);
}

/** The steps for all that is a node's own. */
const stepsOfNode = (step: string, node: string): string[] =>
  [
    ...["address-pairs", "floating-addresses", "pod-routes", "workers"].map((part) => `${part}-${node}`),
    ...["certificate", "converge", "host-key", "instance"].map((part) => `workers-${node}-${part}`),
    ...["membership", "node-key", "request"].map((part) => `workers-${node}-${part}`),
  ].map((resource) => `${step} ${resource}`);

/** The gate proves anew that all nodes work. */
const gateAgain = ["create-replacement ready", "delete-replaced ready", "replace ready"];

async function preview(pools: object): Promise<string[]> {
  await stack.write(settings(pools));
  return stepsOf(mustSucceed(stack, await stack.preview()), name);
}

/** Differs as soon as a node's machine is another one, or a service of it was started anew. */
const starts = (names: readonly string[]): Promise<string[]> =>
  Promise.all(
    names.map(async (node) => {
      const services = "kubelet kube-proxy containerd docker systemd-networkd";
      const shown = `systemctl show --property=Id,MainPID,ActiveEnterTimestampMonotonic ${services}`;
      return `${cluster.outputs.inventory[node]!.instanceId} ${await on(cluster.machines[node]!, shown)}`;
    }),
  );

const nodeNames = async (): Promise<string[]> =>
  (await cluster.kubectl.get<V1NodeList>("nodes")).items.map(({ metadata }) => metadata!.name!).sort();

async function servers(): Promise<Server[]> {
  const [{ servers }] = await openStack<[{ servers: Server[] }]>({
    service: "compute",
    path: "/servers/detail",
  });
  return servers.filter(({ metadata }) => metadata.cluster === name);
}

async function serverGroups(): Promise<ServerGroup[]> {
  const [{ server_groups }] = await openStack<[{ server_groups: ServerGroup[] }]>({
    service: "compute",
    path: "/os-server-groups",
  });
  return server_groups.filter((group) => group.name.startsWith(`${name}-`));
}

async function nextHops(): Promise<string[]> {
  const path = `/v2.0/routers/${await routerOf(stack)}`;
  const [{ router }] = await openStack<[{ router: { routes: { nexthop: string }[] } }]>({
    service: "network",
    path,
  });
  return router.routes.map(({ nexthop }) => nexthop).sort();
}

describe("life-01 a pool", () => {
  it("life-01 comes with one worker, known by its pool to OpenStack, Kubernetes and Ansible", async () => {
    await up("a pool of one", pool(1), ["cp", "batch-1"]);
    const node = await cluster.kubectl.get<V1Node>("node", "batch-1");
    expect(isNodeReady(node)).toBe(true);
    expect(node.metadata!.labels).toMatchObject({ "openstack-kubernetes/pool": "batch" });
    expect(cluster.outputs.inventory["batch-1"]).toMatchObject({ pool: "batch", address: "10.0.0.20" });
    const found = await servers();
    const server = found.find((one) => one.name === "batch-1")!;
    const stack = `openstack-kubernetes/${name}`;
    expect(server.metadata).toEqual({ cluster: name, role: "worker", pool: "batch", stack });
    expect(await serverGroups()).toMatchObject([
      { name: `${name}-batch of openstack-kubernetes/${name}`, members: [server.id] },
    ]);
  });

  it("life-01 changes its nodes' labels and taints, and no service starts anew", async () => {
    const untouched = await starts(["cp", "batch-1"]);
    const given = async () => {
      const { metadata, spec } = await cluster.kubectl.get<V1Node>("node", "batch-1");
      return { disk: metadata?.labels?.disk, taints: spec?.taints };
    };
    expect(await given()).toEqual({});
    const taints = [{ key: "example.org/batch", effect: "NoSchedule" }];
    const tainted = { labels: { disk: "fast" }, taints: [{ ...taints[0], value: "" }] };
    await up("a pool with a label and a taint", pool(1, tainted), ["cp", "batch-1"]);
    expect(await given()).toEqual({ disk: "fast", taints });
    await up("a pool without them", pool(1), ["cp", "batch-1"]);
    expect(await given()).toEqual({});
    expect(await starts(["cp", "batch-1"])).toEqual(untouched);
  });

  it("life-01 grows by the new node's own resources, as the preview says, and nothing else is touched", async () => {
    const untouched = await starts(["cp", "batch-1"]);
    expect(await preview(pool(2))).toEqual([...stepsOfNode("create", "batch-2"), ...gateAgain].sort());
    await up("a pool of two", pool(2), ["cp", "batch-1", "batch-2"]);
    expect(isNodeReady(await cluster.kubectl.get<V1Node>("node", "batch-2"))).toBe(true);
    expect(await starts(["cp", "batch-1"])).toEqual(untouched);
    expect((await serverGroups()).map(({ members }) => members.length)).toEqual([2]);
  });

  it("life-01 shrinks by its highest number, which is drained first", async () => {
    const { kubectl } = cluster;
    await kubectl.apply([movingPods]);
    const running = async () => {
      const { items } = await kubectl.get<V1PodList>("pods", "--selector=app=moving");
      const ready = items.filter(({ status }) =>
        status?.conditions?.some((c) => c.type === "Ready" && c.status === "True"),
      );
      return ready.map(({ spec }) => spec!.nodeName!).sort();
    };
    await eventually(120, async () => expect(await running()).toEqual(["batch-1", "batch-2"]));

    const untouched = await starts(["cp", "batch-1"]);
    expect(await preview(pool(1))).toEqual([...stepsOfNode("delete", "batch-2"), ...gateAgain].sort());
    await up("a pool of one again", pool(1), ["cp", "batch-1"]);
    expect(await nodeNames()).toEqual(["batch-1", "cp"]);
    expect((await servers()).map((server) => server.name).sort()).toEqual(["batch-1", "cp"]);
    expect(await nextHops()).toEqual(["10.0.0.10", "10.0.0.20"]);
    expect(await on(cluster.machines.cp!, "cat /var/log/openstack-kubernetes.log")).toContain(
      "node/batch-2 drained",
    );
    await eventually(120, async () => expect(await running()).toEqual(["batch-1", "batch-1"]));
    expect(await starts(["cp", "batch-1"])).toEqual(untouched);
    await kubectl.run(["delete", "deployment", "moving"]);
  });

  it("life-01 goes, and with it its nodes and its server group", async () => {
    const untouched = await starts(["cp"]);
    await up("without the pool", {}, ["cp"]);
    expect(await nodeNames()).toEqual(["cp"]);
    expect((await servers()).map((server) => server.name)).toEqual(["cp"]);
    expect(await serverGroups()).toEqual([]);
    expect(await nextHops()).toEqual(["10.0.0.10"]);
    expect(await starts(["cp"])).toEqual(untouched);
  });

  it("is destroyed without a trace in OpenStack", async () => {
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
    expect(await inventory()).toEqual(before);
  });
});
