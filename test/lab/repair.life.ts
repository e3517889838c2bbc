import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { V1ConfigMapList, V1Node, V1Pod, V1PodList } from "@kubernetes/client-node";
import { afterAll, describe, expect, it } from "vitest";
import { on } from "../../lab/client/machines.ts";
import { openStack, type Call } from "../../lab/client/openstack.ts";
import { inLabRun, type Finished } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { registry } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import { isNodeReady, oneOfEachRole, reach, routerOf, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { isReady } from "./helpers/probes.ts";
import { stepsOf } from "./helpers/steps.ts";

const name = "e2e-repair";
const settings = await labSettings();
const names = oneOfEachRole(settings);
const [controlPlane, worker] = names;

let before: string[] = [];
let stack: Stack | undefined;
let reached: ReachedCluster | undefined;

/** The cluster; what needs it fails at once when it did not come up. */
function cluster(): ReachedCluster {
  if (reached === undefined) throw new Error("the cluster did not come up");
  return reached;
}

/** A command of the project, as `npm run` runs it. */
const npmRun = (command: string, ...args: string[]): Promise<Finished> =>
  phase(`${name}: npm run ${command}`, () => stack!.tryProgram("node", `cli/${command}.ts`, name, ...args));

afterAll(async () => {
  // What a failed test left; after the last test there is nothing.
  await stack?.destroyRest();
});

it("a cluster comes up", async () => {
  await fillMirror(settings.cluster);
  stack = await Stack.create(name, {
    ...settings,
    cluster: { ...settings.cluster, name },
    nodes: Object.fromEntries(names.map((node) => [node, settings.nodes[node]!])),
  });
  before = await inventory();
  await phase(`${name}: pulumi up`, async () => mustSucceed(stack!, await stack!.up()));
  reached = await reach(stack, names);
});

describe("life-11: the report of what an up did", () => {
  it("has for each node its phases, how long each took, and what it restarted", async () => {
    cluster();
    const { exitCode, stdout, stderr } = await npmRun("report");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const rows = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(rows[0]).toEqual(["node", "began (UTC)", "phase", "seconds", "restarted"]);
    const ofNode = (node: string) => {
      const first = rows.findIndex(([name]) => name === node);
      const others = rows.slice(first + 1);
      const end = others.findIndex((row) => row.includes("in all"));
      return { whole: rows[first]!, phases: end < 0 ? others : others.slice(0, end) };
    };
    for (const node of names) {
      const { whole, phases } = ofNode(node);
      expect(whole.slice(2)).toEqual(["in all", expect.stringMatching(/^\d+\.\d$/)]);
      const seconds = phases.map((row) => Number(row[1]));
      const sum = seconds.reduce((all, one) => all + one, 0);
      expect(Math.abs(Number(whole[3]) - sum)).toBeLessThan(1);
      expect(phases).toContainEqual(["kubelet", expect.any(String), "kubelet.service"]);
    }
    const api = (node: string) => ofNode(node).phases.some(([phase]) => phase === "kubernetes api");
    expect(names.map(api)).toEqual([true, false]);
  });
});

describe("life-09: etcd", () => {
  const namespace = "drill";
  const configMap = (name: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
    data: { written: name },
  });
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "runs", namespace },
    spec: {
      selector: { matchLabels: { app: "runs" } },
      template: {
        metadata: { labels: { app: "runs" } },
        spec: { containers: [{ name: "runs", image: `${registry}/lab/tools:1`, command: ["sleep", "1d"] }] },
      },
    },
  };
  const pod = async (): Promise<V1Pod> => {
    const { items } = await cluster().kubectl.get<V1PodList>("pods", `--namespace=${namespace}`);
    expect(items.map(isReady)).toEqual([true]);
    return items[0]!;
  };
  /** What would change if the pod had not run on. */
  const lifeOf = ({ metadata, status }: V1Pod) => ({
    uid: metadata?.uid,
    container: status?.containerStatuses?.[0]?.containerID,
    restarts: status?.containerStatuses?.[0]?.restartCount,
  });
  const written = async (): Promise<string[]> => {
    const { items } = await cluster().kubectl.get<V1ConfigMapList>("configmaps", `--namespace=${namespace}`);
    return items.flatMap(({ data }) => data?.written ?? []);
  };
  const file = () => join(stack!.folder, "etcd.db");
  let running: V1Pod | undefined;

  it("has snapshots taken by a timer, for root alone", async () => {
    const machine = cluster().machines[controlPlane]!;
    const timer = await on(
      machine,
      "systemctl show etcd-snapshot.timer --property=ActiveState,TimersMonotonic",
    );
    expect(timer).toContain("ActiveState=active");
    expect(timer).toContain("OnUnitInactiveUSec=6h");
    await on(machine, "sudo systemctl start etcd-snapshot.service");
    const files = await on(
      machine,
      "sudo find /var/lib/openstack-kubernetes/etcd-snapshots -type f -printf '%m %f\\n'",
    );
    expect(files).toMatch(/^600 etcd-\d{8}T\d{6}Z\.db$/);
  });

  it("is fetched to the client", async () => {
    const { kubectl } = cluster();
    await kubectl.apply([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      configMap("before"),
      deployment,
    ]);
    running = await eventually(120, pod);
    const { exitCode, stderr } = await npmRun("snapshot", "--output", file());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
  });

  it("comes back on a machine made anew; objects are back, and pods of the worker run on", async () => {
    const { kubectl } = cluster();
    await kubectl.run(["delete", "configmap", "before", `--namespace=${namespace}`]);
    await kubectl.apply([configMap("after")]);
    const old = cluster().outputs.inventory[controlPlane]!.instanceId;
    const restored = npmRun("restore", "--from", file(), "--new-machine");
    // It waits at its gate for the worker, which an empty etcd does not know, until the snapshot is there.
    const up = phase(`${name}: pulumi up with a new machine for the control plane`, async () =>
      mustSucceed(stack!, await stack!.up("--replace", `**-${controlPlane}-instance`)),
    );
    const [{ exitCode, stderr, stdout }] = await Promise.all([restored, up]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(`${names.length} nodes ready`);

    expect(await written()).toEqual(["before"]);
    const nodes = await Promise.all(names.map((node) => kubectl.get<V1Node>("node", node)));
    expect(nodes.map(isNodeReady)).toEqual([true, true]);
    expect(nodes[0]!.spec!.providerID).not.toBe(`openstack:///${old}`);
    expect(lifeOf(await eventually(60, pod))).toEqual(lifeOf(running!));
  });

  it("is watched by all as before: a new pod starts on the worker", async () => {
    const { kubectl } = cluster();
    await kubectl.run(["scale", "deployment/runs", "--replicas=2", `--namespace=${namespace}`]);
    await kubectl.run(["rollout", "status", "deployment/runs", `--namespace=${namespace}`, "--timeout=110s"]);
    reached = await reach(stack!, names);
  });
});

describe("life-08: what somebody has changed by hand", () => {
  const check = () => npmRun("check", "--config-file", join(stack!.folder, "settings.yaml"));
  const foreign = { destination: "10.100.200.0/24", nexthop: "10.0.0.200" };

  it("is named, each with its node, and put back by the command that the check prints", async () => {
    const { outputs, machines } = cluster();
    const { podNetwork, address, instanceId } = outputs.inventory[worker]!;
    const router = `/v2.0/routers/${await routerOf(stack!)}`;
    const network = (path: string, more: Partial<Call> = {}): Call => ({ service: "network", path, ...more });
    const routes = (action: string, ...all: object[]) =>
      network(`${router}/${action}_extraroutes`, { method: "PUT", body: { router: { routes: all } } });
    const [{ ports }, { security_group_rules: rules }] = await openStack<
      [{ ports: { id: string }[] }, { security_group_rules: { id: string }[] }]
    >(
      network(`/v2.0/ports?device_id=${instanceId}`),
      network("/v2.0/security-group-rules?protocol=udp&port_range_min=30000"),
    );
    await openStack(
      routes("remove", { destination: podNetwork, nexthop: address }),
      network(`/v2.0/ports/${ports[0]!.id}`, {
        method: "PUT",
        body: { port: { allowed_address_pairs: [] } },
      }),
      network(`/v2.0/security-group-rules/${rules[0]!.id}`, { method: "DELETE" }),
    );
    await openStack(routes("add", foreign));
    await on(
      machines[worker]!,
      "echo '# mine' | sudo tee -a /etc/kubernetes/kube-proxy.yaml && sudo systemctl stop kube-proxy.service",
    );

    const { exitCode, stdout } = await check();
    expect(exitCode).toBe(1);
    const lines = stdout.split("\n");
    const named = lines.filter((line) => line.startsWith("  ") && !line.includes("--stack"));
    const again = `pulumi up --replace '**::${name}-workers-${worker}-converge'`;
    expect(named.map((line) => line.trim()).sort()).toEqual(
      [
        `${worker}: Port ${name}-address-pairs-${worker} differs: allowedAddressPairs (pulumi up --refresh)`,
        `SecGroupRule ${name}-security-groups-node-node-ports-udp-0-0-0-0-0 is gone (pulumi up --refresh)`,
        `${worker}: the router has lost the route to ${podNetwork} (pulumi up)`,
        `${worker}: /etc/kubernetes/kube-proxy.yaml is not as the stack has it (${again})`,
        `${worker}: kube-proxy.service does not run (${again})`,
        expect.stringMatching(
          /^the router has a route to 10\.100\.200\.0\/24 .* \(openstack router remove route /,
        ),
      ].sort(),
    );

    const options = lines.at(-1)!.match(/--replace '[^']+'|--refresh/g)!;
    const flags = options.flatMap((option) => option.replaceAll("'", "").split(" "));
    await phase(`${name}: pulumi up ${options.join(" ")}`, async () =>
      mustSucceed(stack!, await stack!.up(...flags)),
    );
    // What is none of the stack's is left alone.
    const [{ router: now }] = await openStack<[{ router: { routes: object[] } }]>(network(router));
    expect(now.routes).toContainEqual(foreign);
    await openStack(routes("remove", foreign));
    expect(await check()).toEqual({
      exitCode: 0,
      stdout: `Nothing differs from what stack ${name} says.`,
      stderr: "",
    });
  });

  it("makes no control plane anew where the cloud gave its image another name", async () => {
    cluster();
    const { image } = settings.machine;
    const glance = (...words: string[]) => inLabRun(["openstack", "image", ...words]);
    const old = `${image}-old`;
    await glance("set", "--name", old, image);
    try {
      // No machine boots from it.
      await glance("create", "--disk-format=raw", "--container-format=bare", "--file=/etc/hostname", image);
      const preview = await stack!.preview("--refresh");
      expect(preview.errors).toEqual([]);
      const replaced = stepsOf(preview, name).filter((step) => step.startsWith("replace "));
      expect(replaced).toEqual([
        "replace ready",
        ...["converge", "instance", "membership"].map((part) => `replace workers-${worker}-${part}`),
      ]);
      await glance("delete", image);
    } finally {
      await glance("set", "--name", image, old);
    }
  });
});

it("the cluster is destroyed without a trace in OpenStack", async () => {
  if (stack === undefined) throw new Error("the stack was not made");
  await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack!, await stack!.destroy()));
  expect(await inventory()).toEqual(before);
});
