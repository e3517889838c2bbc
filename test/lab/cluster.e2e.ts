import type { V1Lease, V1NodeList, V1PodList } from "@kubernetes/client-node";
import { afterAll, describe, expect, it } from "vitest";
import { on, type Machine } from "../../lab/client/machines.ts";
import { openStack } from "../../lab/client/openstack.ts";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { phase } from "../../lab/phase.ts";
import { echoesThroughRouter } from "./helpers/capture.ts";
import { isNodeReady, reach, routerOf, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import type { Kubectl } from "./helpers/kubectl.ts";
import { networkTests, pingsAtPort } from "./helpers/network.ts";
import { answerTime } from "./helpers/patience.ts";
import { PlainMachine } from "./helpers/plain-machine.ts";
import {
  answers,
  ask,
  askEachOther,
  inProbe,
  isReady,
  logsOf,
  ping,
  probes,
  serviceName,
  startProbes,
  withOwnAddresses,
  type Probe,
} from "./helpers/probes.ts";

interface Cluster extends ReachedCluster {
  routerId: string;
  plain: PlainMachine;
}

const settings = await labSettings();
const names = Object.keys(settings.nodes);

/** Differs after a start of the machine, also where it is a container and shares the host's boot id. */
const bootOf = (machine: Machine): Promise<string> =>
  on(machine, "cat /proc/sys/kernel/random/boot_id; cut -d ' ' -f 22 /proc/1/stat", {
    limit: 3 * answerTime,
  });

const heartbeat = async (kubectl: Kubectl, node: string): Promise<number> => {
  const lease = await kubectl.get<V1Lease>("lease", node, "--namespace=kube-node-lease");
  return Date.parse(String(lease.spec?.renewTime));
};

describe.each(["containerd", "docker"])("a cluster on %s", (runtime) => {
  const name = `e2e-${runtime}`;
  let before: string[] = [];
  let stack: Stack | undefined;
  let reached: Cluster | undefined;

  /** The cluster; what needs it fails at once when it did not come up. */
  function cluster(): Cluster {
    if (reached === undefined) throw new Error("the cluster did not come up");
    return reached;
  }
  const probesNow = (): Promise<Probe[]> => probes(cluster().kubectl, names);

  afterAll(async () => {
    // What a failed test left; after the last test there is nothing.
    await reached?.plain.remove();
    await stack?.destroyRest();
  });

  it("comes up in one run of the program", async () => {
    const own = { ...settings, cluster: { ...settings.cluster, name }, runtime };
    await fillMirror({ ...own.cluster, runtime });
    stack = await Stack.create(name, own);
    before = await inventory();
    const run = await phase(`${name}: pulumi up`, async () => mustSucceed(stack!, await stack!.up()));
    expect(run.changes.create).toBeGreaterThan(0);
    const found = await reach(stack, names);
    const routerId = await routerOf(stack);
    // It boots while the next tests run.
    const plain = await PlainMachine.boot({
      ...settings.machine,
      network: `${name}-nodes`,
      securityGroup: `${name}-node`,
    });
    reached = { ...found, routerId, plain };
    expect(Object.keys(found.outputs.inventory).sort()).toEqual([...names].sort());
  });

  it("has every node Ready, with the version, runtime and networks of its settings", async () => {
    const { kubectl, outputs } = cluster();
    const { items } = await kubectl.get<V1NodeList>("nodes");
    const found = items.map((node) => ({
      name: node.metadata?.name,
      ready: isNodeReady(node),
      version: node.status?.nodeInfo?.kubeletVersion,
      runtime: node.status?.nodeInfo?.containerRuntimeVersion.split(":")[0],
      podNetwork: node.spec?.podCIDR,
      address: node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
      instance: node.spec?.providerID,
    }));
    expect(found.sort((a, b) => (a.name! < b.name! ? -1 : 1))).toEqual(
      [...names].sort().map((node) => ({
        name: node,
        ready: true,
        version: `v${settings.cluster.kubernetesVersion}`,
        runtime,
        podNetwork: outputs.inventory[node]!.podNetwork,
        address: outputs.inventory[node]!.address,
        instance: `openstack:///${outputs.inventory[node]!.instanceId}`,
      })),
    );
  });

  it("runs a pod on each node; exec, logs and lists of everything work", async () => {
    const { kubectl } = cluster();
    await phase(`${name}: probes on all nodes`, () => startProbes(kubectl));
    const all = await probesNow();
    const hosts = await Promise.all(all.map((probe) => inProbe(kubectl, probe, "hostname")));
    expect(hosts.map((host) => host.trim())).toEqual(all.map((probe) => probe.name));
    // The kubelets ask the probes whether they are ready, and those log it.
    for (const probe of all) expect(await logsOf(kubectl, probe)).toMatch(/^asked by /m);
    for (const node of names)
      expect(await kubectl.run(["get", "nodes,pods", "-A"])).toContain(`node/${node}`);
    // Mirror pods of static pods are the last to show, after a minute and a half.
    await phase(`${name}: every pod ready`, () =>
      eventually(150, async () => {
        const { items } = await kubectl.get<V1PodList>("pods", "--all-namespaces");
        const waiting = items.filter((pod) => !isReady(pod)).map((pod) => pod.metadata?.name);
        expect(waiting).toEqual([]);
        const found = items.map((pod) => pod.metadata?.name ?? "");
        for (const part of ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "coredns"])
          expect(found.filter((pod) => pod.startsWith(part))).not.toEqual([]);
      }),
    );
  });

  networkTests(cluster);

  it("routes between nodes by the Neutron router, the pod's address unchanged on the far node", async () => {
    const { kubectl, routerId } = cluster();
    const all = await probesNow();
    const [near, far] = names.slice(-2).map((name) => all.find((probe) => probe.node === name)!) as [
      Probe,
      Probe,
    ];
    const filter = `icmp[icmptype] == icmp-echo and src host ${near.address} and dst host ${far.address}`;
    const request = `IP ${near.address} > ${far.address}: ICMP echo request`;

    const onNode = await pingsAtPort(cluster(), near, far, filter);
    expect(onNode).toHaveLength(3);
    for (const line of onNode) expect(line).toContain(request);

    const way = { from: near.address, to: far.address };
    const echoes = await echoesThroughRouter(routerId, way, 3, () => ping(kubectl, near, far.address));
    expect(echoes).toEqual({ in: 3, out: 3 });
  });

  it("lets pods and a plain machine of the subnet reach each other with their own addresses", async () => {
    const { kubectl, plain } = cluster();
    const all = await probesNow();
    const at = `http://${plain.address}:8080`;
    const fetch = (probe: Probe, path: string): Promise<string> =>
      inProbe(kubectl, probe, `wget -q -T ${answerTime} -O - ${at}/${path}`);
    await phase(`${name}: plain machine answers`, () => eventually(180, () => fetch(all[0]!, "")));
    for (const probe of all) {
      expect((await fetch(probe, "")).trim()).toBe(probe.address);
      expect(answers(await fetch(probe, probe.address))).toEqual([{ from: plain.address, by: probe.name }]);
    }
    await plain.remove();
  });

  it("has nothing to change in a second run of the program", async () => {
    cluster();
    const again = await phase(`${name}: pulumi up again`, async () => mustSucceed(stack!, await stack!.up()));
    expect(Object.keys(again.changes)).toEqual(["same"]);
    const preview = await stack!.preview("--expect-no-changes");
    expect(preview.errors).toEqual([]);
    expect(preview.succeeded).toBe(true);
  });

  it("is back by itself after Nova has rebooted every node", async () => {
    const { kubectl, machines, outputs } = cluster();
    const earlier = await probesNow();
    const boots = await Promise.all(names.map((node) => bootOf(machines[node]!)));
    await openStack(
      ...names.map((node) => ({
        service: "compute" as const,
        method: "POST" as const,
        path: `/servers/${outputs.inventory[node]!.instanceId}/action`,
        body: { reboot: { type: "HARD" } },
      })),
    );
    await phase(`${name}: all machines rebooted`, () =>
      eventually(180, async () => {
        const now = await Promise.all(names.map((node) => bootOf(machines[node]!)));
        names.forEach((_, index) => expect(now[index]).not.toBe(boots[index]));
      }),
    );
    const rebooted = Date.now();
    await phase(`${name}: all nodes Ready again`, () =>
      eventually(300, async () => {
        // A node that is away stays Ready for a while, so only one that has reported since counts.
        for (const node of names) expect(await heartbeat(kubectl, node)).toBeGreaterThan(rebooted);
        const { items } = await kubectl.get<V1NodeList>("nodes");
        expect(items.filter(isNodeReady)).toHaveLength(names.length);
      }),
    );
    await phase(`${name}: pods reach each other again`, () =>
      eventually(180, async () => {
        const now = await probesNow();
        now.forEach((probe, index) => expect(probe.started).not.toBe(earlier[index]!.started));
        expect(await askEachOther(kubectl, now)).toEqual(withOwnAddresses(now));
        for (const probe of now) await ask(kubectl, probe, [serviceName("who")]);
      }),
    );
  });

  it("is destroyed without a trace in OpenStack", async () => {
    if (stack === undefined) throw new Error("the stack was not made");
    await reached?.plain.remove();
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack!, await stack!.destroy()));
    expect(await stack.resources()).toEqual([]);
    expect(await inventory()).toEqual(before);
  });
});
