import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { on } from "../../lab/client/machines.ts";
import { openStack } from "../../lab/client/openstack.ts";
import { inLabRun, tryInLab } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { controlAddress, repo } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import { reach, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { answerTime } from "./helpers/patience.ts";
import { answers, nodePort, probes, startProbes, whoPath, type Probe } from "./helpers/probes.ts";
import { stepsOf } from "./helpers/steps.ts";

// A load balancer in front of two workers, and no other way to their node ports; Octavia is started in the lab first.

const base = await labSettings();
const name = "seed-lb";
const names = ["cp", "w-1", "w-2"];
const port = 8088;
const minute = 60_000;

const settings = (changes: Record<string, unknown> = {}) => ({
  ...base,
  cluster: { ...base.cluster, name },
  network: { ...base.network, access: { nodePorts: [] } },
  nodes: {
    cp: { role: "control-plane", slot: 10, flavor: "node.medium" },
    "w-1": { role: "worker", slot: 11 },
    "w-2": { role: "worker", slot: 12 },
  },
  loadBalancers: {
    web: { listeners: { who: { port, nodePort, healthCheck: { delay: 2, timeout: 1, maxRetries: 2 } } } },
  },
  ...changes,
});

let before: string[];
let stack: Stack;
let cluster: ReachedCluster & { outputs: { endpoints: { loadBalancers: { web: string } } } };

beforeAll(async () => {
  await execa("node", ["lab/main.ts", "start", "--octavia"], { cwd: repo, stdio: "inherit" });
  before = await inventory();
  stack = await Stack.create(name, settings());
}, 60 * minute);

afterAll(async () => {
  await stack?.destroyRest();
});

/** What a client on the external network is answered by the load balancer, each time by a new connection. */
async function asked(times: number): Promise<ReturnType<typeof answers>> {
  const url = `http://${cluster.outputs.endpoints.loadBalancers.web}:${port}${whoPath}`;
  const script = 'for i in $(seq "$1"); do curl -sS -m "$2" "$3"; done';
  return answers(await inLabRun(["sh", "-euc", script, "sh", String(times), String(answerTime), url]));
}

interface Member {
  name: string;
  address: string;
  protocol_port: number;
  operating_status: string;
}

/** The workers behind the load balancer as Octavia sees them, by name. */
async function members(): Promise<Record<string, Member>> {
  const lists = await openStack<[{ pools: { id: string; name: string }[] }]>({
    service: "load-balancer",
    path: "/v2.0/lbaas/pools",
  });
  const pool = lists[0].pools.find((pool) => pool.name === `${name}-web-who`)!;
  const [found] = await openStack<[{ members: Member[] }]>({
    service: "load-balancer",
    path: `/v2.0/lbaas/pools/${pool.id}/members`,
  });
  return Object.fromEntries(found.members.map((member) => [member.name, member]));
}

const statuses = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(await members()).map(([name, { operating_status }]) => [name, operating_status]),
  );

describe("seed-11: a load balancer of Octavia's", () => {
  it("comes up with its cluster, the workers behind it", async () => {
    await phase(`${name}: pulumi up`, async () => mustSucceed(stack, await stack.up()));
    cluster = (await reach(stack, names)) as typeof cluster;
    const { inventory: nodes } = cluster.outputs;
    const expected = Object.fromEntries(
      ["w-1", "w-2"].map((node) => [
        node,
        expect.objectContaining({ address: nodes[node]!.address, protocol_port: nodePort }),
      ]),
    );
    expect(await members()).toEqual(expected);
    await startProbes(cluster.kubectl);
    await eventually(120, async () => expect(await statuses()).toEqual({ "w-1": "ONLINE", "w-2": "ONLINE" }));
  });

  it("hands connections at its floating address to both workers", async () => {
    // A worker hands on only to its own pod, so that the answers tell which workers were asked.
    const patch = JSON.stringify({ spec: { externalTrafficPolicy: "Local" } });
    await cluster.kubectl.run(["patch", "service/who", "--namespace=probes", `--patch=${patch}`]);
    const all = await probes(cluster.kubectl, names);
    const onWorkers = all.filter(({ node }) => node !== "cp").map((probe) => probe.name);
    await eventually(60, async () => {
      const found = await asked(10);
      expect([...new Set(found.map(({ by }) => by))].sort()).toEqual(onWorkers.sort());
      // What asks is the load balancer, from the nodes' network, and never the client.
      expect(found.map(({ from }) => from)).not.toContain(controlAddress);
    });
  });

  it("is the only way from outside to the node ports", async () => {
    const worker = cluster.outputs.inventory["w-1"]!.floatingAddress;
    const url = `http://${worker}:${nodePort}${whoPath}`;
    const timedOut = 28;
    expect((await tryInLab(["curl", "-sS", "-m", String(answerTime), url])).exitCode).toBe(timedOut);
  });

  it("takes a worker out whose node port is dead, and goes on with the other", async () => {
    const all = await probes(cluster.kubectl, names);
    const probeOf = (node: string): Probe => all.find((probe) => probe.node === node)!;
    const block = (what: string): Promise<string> => on(cluster.machines["w-1"]!, `sudo nft ${what}`);
    await block("add table ip seed-lb");
    await block("add chain ip seed-lb dead '{ type filter hook prerouting priority raw; }'");
    await block(`add rule ip seed-lb dead tcp dport ${nodePort} drop`);
    await eventually(60, async () => expect(await statuses()).toEqual({ "w-1": "ERROR", "w-2": "ONLINE" }));
    const by = (await asked(10)).map((answer) => answer.by);
    expect(by).toEqual(Array(10).fill(probeOf("w-2").name));
    await block("delete table ip seed-lb");
    await eventually(60, async () => expect(await statuses()).toEqual({ "w-1": "ONLINE", "w-2": "ONLINE" }));
    await eventually(60, async () => {
      const found = (await asked(10)).map((answer) => answer.by);
      expect(found).toContain(probeOf("w-1").name);
    });
  });

  it("has nothing to change in a second run of the program", async () => {
    const { changes } = await phase(`${name}: pulumi up again`, async () =>
      mustSucceed(stack, await stack.up()),
    );
    expect(Object.keys(changes)).toEqual(["same"]);
  });

  it("would change only what is behind the port when a worker goes", async () => {
    const { "w-2": _gone, ...nodes } = settings().nodes;
    await stack.write(settings({ nodes }));
    const planned = stepsOf(mustSucceed(stack, await stack.preview()), name);
    expect(planned).toContain("delete workers-w-2-instance");
    const ofBalancer = planned.filter((step) => step.includes("load-balancer"));
    expect(ofBalancer).toEqual(["update load-balancer-web-who-members"]);
  });

  it("is destroyed without a trace in OpenStack", async () => {
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
    // Nova takes a load balancer's machine away after Octavia has answered.
    await eventually(60, async () => expect(await inventory()).toEqual(before));
  });
});
