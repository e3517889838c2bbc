import { afterAll, describe, expect, it } from "vitest";
import { on, tryOn } from "../../lab/client/machines.ts";
import { openStack, type Call } from "../../lab/client/openstack.ts";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { phase } from "../../lab/phase.ts";
import { oneOfEachRole, reach, routerOf, type ReachedCluster } from "./helpers/cluster.ts";
import { inventory } from "./helpers/inventory.ts";
import { networkTests, pingsAtPort, portOf } from "./helpers/network.ts";
import { inProbe, probes, startProbes, type Probe } from "./helpers/probes.ts";

const name = "e2e-flannel";
const settings = await labSettings();
const names = oneOfEachRole(settings);

/** What the lab's stack says, with these nodes and this routing. */
const routedBy = (routing: object) => ({
  ...settings,
  cluster: { ...settings.cluster, name },
  nodes: Object.fromEntries(names.map((node) => [node, settings.nodes[node]!])),
  network: { ...settings.network, ...routing },
});

let before: string[] = [];
let stack: Stack | undefined;
let reached: ReachedCluster | undefined;

/** The cluster; what needs it fails at once when it did not come up. */
function cluster(): ReachedCluster {
  if (reached === undefined) throw new Error("the cluster did not come up");
  return reached;
}

const instances = ({ outputs }: ReachedCluster) => names.map((node) => outputs.inventory[node]!.instanceId);
const podNetworks = ({ outputs }: ReachedCluster) => names.map((node) => outputs.inventory[node]!.podNetwork);

/** Gives the stack another routing; the machines stay. */
async function moveTo(routing: object): Promise<void> {
  const earlier = instances(cluster());
  await stack!.write(routedBy(routing));
  await phase(`${name}: pulumi up with ${JSON.stringify(routing)}`, async () =>
    mustSucceed(stack!, await stack!.up()),
  );
  reached = await reach(stack!, names);
  expect(instances(reached)).toEqual(earlier);
}

/** Networks that Neutron's router has routes to, and those that the nodes' ports let through, sorted. */
async function knownToNeutron(): Promise<{ routes: string[]; pairs: string[] }> {
  const routerId = await routerOf(stack!);
  const [{ router }, ...ports] = await openStack<
    [
      { router: { routes: { destination: string }[] } },
      ...{ ports: { allowed_address_pairs: { ip_address: string }[] }[] }[],
    ]
  >(
    { service: "network", path: `/v2.0/routers/${routerId}` },
    ...instances(cluster()).map((instance): Call => ({
      service: "network",
      path: `/v2.0/ports?device_id=${instance}`,
    })),
  );
  return {
    routes: router.routes.map(({ destination }) => destination).sort(),
    pairs: ports
      .flatMap((answer) => answer.ports.flatMap((port) => port.allowed_address_pairs))
      .map((pair) => pair.ip_address)
      .sort(),
  };
}

/** The worker's probe, which sends, and the control plane's. */
async function nearAndFar(): Promise<[near: Probe, far: Probe]> {
  const [far, near] = await probes(cluster().kubectl, names);
  return [near!, far!];
}

/** A filter for echo requests from pod to pod; whoever passes a packet on takes 1 from its 64 lives. */
const request = (near: Probe, far: Probe, lives: number): string =>
  `icmp[icmptype] == icmp-echo and src host ${near.address} and dst host ${far.address} and ip[8] == ${lives}`;

const hexadecimal = (address: string): string =>
  `0x${address
    .split(".")
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("")}`;

/** The same for requests inside of VXLAN, whose Ethernet frame begins 16 bytes after UDP's first. */
const wrappedRequest = (near: Probe, far: Probe): string =>
  [
    "udp dst port 8472 and udp[39] == 1 and udp[50] == 8",
    `udp[42:4] == ${hexadecimal(near.address)} and udp[46:4] == ${hexadecimal(far.address)}`,
  ].join(" and ");

const mtu = async (node: string, device: string): Promise<number> =>
  Number(await on(cluster().machines[node]!, `cat /sys/class/net/${device}/mtu`));

afterAll(async () => {
  // What a failed test left; after the last test there is nothing.
  await stack?.destroyRest();
});

describe("seed-16: a cluster with flannel's VXLAN", () => {
  it("comes up in one run of the program", async () => {
    await fillMirror({ ...settings.cluster, routing: "flannel" });
    stack = await Stack.create(name, routedBy({ routing: "flannel" }));
    before = await inventory();
    await phase(`${name}: pulumi up`, async () => mustSucceed(stack!, await stack!.up()));
    reached = await reach(stack, names);
    await phase(`${name}: probes on all nodes`, () => startProbes(cluster().kubectl));
  });

  it("asks Neutron for no route and no address pair", async () => {
    expect(await knownToNeutron()).toEqual({ routes: [], pairs: [] });
  });

  networkTests(cluster);

  it("sends pods' packets between nodes inside of the nodes' own, unchanged", async () => {
    const [near, far] = await nearAndFar();
    const lines = await pingsAtPort(cluster(), near, far, wrappedRequest(near, far));
    const { inventory: nodes } = cluster().outputs;
    const [outer, inner] = [0, 1].map((part) => lines.filter((_, index) => index % 2 === part));
    expect([outer!.length, inner!.length]).toEqual([3, 3]);
    for (const line of outer!) {
      expect(line).toContain(`IP ${nodes[near.node]!.address}.`);
      expect(line).toContain(` > ${nodes[far.node]!.address}.8472: `);
    }
    for (const line of inner!)
      expect(line).toContain(`IP ${near.address} > ${far.address}: ICMP echo request`);
  });

  it("leaves room for that in the pods' packets", async () => {
    const [near] = await nearAndFar();
    const pod = await inProbe(cluster().kubectl, near, "cat /sys/class/net/eth0/mtu");
    expect(Number(pod)).toBe((await mtu(near.node, await portOf(cluster(), near.node))) - 50);
  });

  it("masquerades what pods send to the machines' network, which knows no way back to them", async () => {
    const [near, far] = await nearAndFar();
    const { address } = cluster().outputs.inventory[far.node]!;
    const filter = `icmp[icmptype] == icmp-echo and dst host ${address}`;
    const lines = await pingsAtPort(cluster(), near, { ...far, address }, filter);
    expect(lines).toHaveLength(3);
    const from = cluster().outputs.inventory[near.node]!.address;
    for (const line of lines) expect(line).toContain(`IP ${from} > ${address}: ICMP echo request`);
  });
});

describe("seed-16: the same cluster with flannel's host-gw", () => {
  it("gets it in place, in one run of the program", async () => {
    await moveTo({ routing: "flannel", flannel: { backend: "host-gw" } });
  });

  it("asks Neutron for no route, and for an address pair for each node's pods", async () => {
    expect(await knownToNeutron()).toEqual({ routes: [], pairs: podNetworks(cluster()).sort() });
  });

  networkTests(cluster);

  it("sends pods' packets from node to node as they are and by no router", async () => {
    const [near, far] = await nearAndFar();
    expect(await pingsAtPort(cluster(), near, far, request(near, far, 63))).toHaveLength(3);
  });

  it.each(names)("has nothing of VXLAN left on %s", async (node) => {
    const machine = cluster().machines[node]!;
    expect((await tryOn(machine, "ip link show dev flannel.1")).exitCode).toBe(1);
    expect(await mtu(node, "cbr0")).toBe(await mtu(node, await portOf(cluster(), node)));
  });
});

describe("seed-16: the same cluster without flannel", () => {
  it("gets Neutron's routes in place, in one run of the program", async () => {
    await moveTo({ routing: "router" });
    const networks = podNetworks(cluster()).sort();
    expect(await knownToNeutron()).toEqual({ routes: networks, pairs: networks });
  });

  it("sends pods' packets between nodes by Neutron's router", async () => {
    const [near, far] = await nearAndFar();
    expect(await pingsAtPort(cluster(), near, far, request(near, far, 62))).toHaveLength(3);
  });

  it.each(names)("has nothing of flannel left on %s", async (node) => {
    const machine = cluster().machines[node]!;
    expect((await tryOn(machine, "systemctl is-active --quiet flanneld")).exitCode).not.toBe(0);
    expect((await tryOn(machine, "test -e /etc/systemd/system/flanneld.service")).exitCode).toBe(1);
    const routes = await on(machine, "ip -4 -o route show root 10.100.0.0/16");
    expect(routes.trim().split("\n")).toEqual([expect.stringContaining(" dev cbr0 ")]);
  });

  it("has nothing to change in a second run of the program", async () => {
    cluster();
    const preview = await stack!.preview("--expect-no-changes");
    expect(preview.errors).toEqual([]);
    expect(preview.succeeded).toBe(true);
  });

  it("is destroyed without a trace in OpenStack", async () => {
    if (stack === undefined) throw new Error("the stack was not made");
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack!, await stack!.destroy()));
    expect(await inventory()).toEqual(before);
  });
});
