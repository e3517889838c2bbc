import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { addressAt, parseNetwork } from "../../model/addresses.ts";
import { labSettings, mustSucceed, Stack, type LabSettings } from "../client/stack.ts";
import { fillMirror } from "../mirror/mirror.ts";
import { repo } from "../paths.ts";
import { phase } from "../phase.ts";
import { publish } from "./publish.ts";
import { medians, metricNames, metrics, ratio, type Sample } from "./ratios.ts";
import { table } from "./table.ts";
import { Traffic, type Way } from "./traffic.ts";

const name = "bench-network";
/** How often each routing has its turn, and how often each path is measured then. */
const [rounds, repetitions] = [3, 3];

const routings = {
  router: { routing: "router" },
  vxlan: { routing: "flannel", flannel: { backend: "vxlan" } },
  "host-gw": { routing: "flannel", flannel: { backend: "host-gw" } },
};
type Routing = keyof typeof routings;
const routingNames = Object.keys(routings) as Routing[];

/**
 * From whom to whom packets go. Machines of one subnet reach each other without a router, pods do not. So that two
 * machines use the pods' path, they speak by the addresses that they have in their pod networks, those of cbr0:
 * whatever leads pods' packets from node to node leads these, and a pod has only its own end on top.
 */
const paths = {
  pods: "pod to pod",
  machines: "machine to machine, same path",
  neighbours: "machine to machine, no router",
};
type Path = keyof typeof paths;
const pathNames = Object.keys(paths) as Path[];

interface Outputs {
  kubeconfig: string;
  inventory: Record<string, { role: string; address: string; podNetwork: string }>;
}

/** What was measured on one routing in one round, and the hops on each path. */
type Visit = Record<Path, { hops: string[]; samples: Sample[] }>;
type Round = Record<Routing, Visit>;

/** A result for each name, one after the other. */
async function forEach<K extends string, T>(
  names: readonly K[],
  step: (name: K) => Promise<T>,
): Promise<Record<K, T>> {
  const results: [K, T][] = [];
  for (const one of names) results.push([one, await step(one)]);
  return Object.fromEntries(results) as Record<K, T>;
}

/** The ways from one worker to another on the cluster as it is now. */
async function waysBetweenWorkers(traffic: Traffic, { inventory }: Outputs): Promise<Record<Path, Way>> {
  const workers = Object.keys(inventory).filter((node) => inventory[node]!.role === "worker");
  const [near, far] = await Promise.all(
    workers.slice(0, 2).map(async (node) => {
      const { address, podNetwork } = inventory[node]!;
      const [pod, machine] = await Promise.all([traffic.podOn(node, "pod"), traffic.podOn(node, "machine")]);
      return { pod, machine, address, gateway: addressAt(parseNetwork(podNetwork), 1) };
    }),
  );
  return {
    pods: { pod: near!.pod.name, from: near!.pod.address, to: far!.pod.address },
    machines: { pod: near!.machine.name, from: near!.gateway, to: far!.gateway },
    neighbours: { pod: near!.machine.name, from: near!.address, to: far!.address },
  };
}

/** Measures every path in turn, and all of that again, so that no path has the calm moments for itself. */
async function measure(ways: Record<Path, Way>, traffic: Traffic): Promise<Visit> {
  const samples: Record<Path, Sample>[] = [];
  for (let i = 0; i < repetitions; i++) {
    samples.push(
      await forEach(pathNames, async (path) => ({
        throughput: await traffic.throughput(ways[path]),
        ...(await traffic.latency(ways[path])),
      })),
    );
  }
  return forEach(pathNames, async (path) => ({
    // After the traffic, which may have had a router tell of a shorter path.
    hops: await traffic.hops(ways[path]),
    samples: samples.map((sample) => sample[path]),
  }));
}

/** Gives the stack a routing, and measures on it. */
async function visit(stack: Stack, settings: LabSettings, routing: Routing): Promise<Visit> {
  await stack.write({ ...settings, network: { ...settings.network, ...routings[routing] } });
  await phase(`pulumi up, ${routing}`, async () => mustSucceed(stack, await stack.up()), stack.log);
  const outputs = await stack.outputs<Outputs>();
  const kubeconfig = join(stack.folder, "kubeconfig");
  await writeFile(kubeconfig, outputs.kubeconfig, { mode: 0o600 });
  return phase(`iperf3 and sockperf, ${routing}`, async () => {
    const traffic = new Traffic(kubeconfig);
    await traffic.begin();
    return measure(await waysBetweenWorkers(traffic, outputs), traffic);
  });
}

/** What is compared with what; the goals are ratios. */
const comparisons: { of: [Routing, Path]; to: [Routing, Path]; goal?: number }[] = [
  { of: ["router", "pods"], to: ["router", "machines"], goal: 0.95 },
  { of: ["router", "pods"], to: ["vxlan", "pods"], goal: 1.5 },
  { of: ["router", "pods"], to: ["host-gw", "pods"] },
  { of: ["host-gw", "pods"], to: ["vxlan", "pods"] },
  { of: ["router", "machines"], to: ["router", "neighbours"] },
];

const label = ([routing, path]: [Routing, Path]): string => `${routing}: ${paths[path]}`;

function report(results: readonly Round[]): string {
  const titles = metricNames.map((metric) => metrics[metric].title);
  const ways = routingNames.flatMap((routing) => pathNames.map((path): [Routing, Path] => [routing, path]));
  const measured = ways.map(([routing, path]) => {
    const visits = results.map((round) => round[routing][path]);
    const middle = medians(visits.flatMap(({ samples }) => samples));
    const hops = [...new Set(visits.map((one) => one.hops.length))].join(", ");
    const values = metricNames.map((metric) => middle[metric].toFixed(metrics[metric].digits));
    return [label([routing, path]), hops, ...values];
  });
  const compared = comparisons.map(({ of, to, goal }) => {
    const pairs = results.map((round) => ({
      of: round[of[0]][of[1]].samples,
      to: round[to[0]][to[1]].samples,
    }));
    const values = metricNames.map((metric) => {
      const { median, least, greatest } = ratio(pairs, metric);
      return `${median.toFixed(2)} (${least.toFixed(2)}-${greatest.toFixed(2)})`;
    });
    return [`${label(of)} / ${label(to)}`, goal === undefined ? "" : `≥ ${goal}`, ...values];
  });
  return [
    table([["medians", "hops", ...titles], ...measured]),
    "",
    table([
      ["how many times as good (of the rounds the middle, worst and best)", "goal", ...titles],
      ...compared,
    ]),
  ].join("\n");
}

/**
 * Throughput and request latency between two workers: pods and machines, with each routing. One stack with the
 * settings of Pulumi.lab.yaml, which has each routing in turn.
 */
export async function benchNetwork(): Promise<void> {
  await execa("node", ["lab/main.ts", "start"], { cwd: repo, stdio: "inherit" });
  const settings = await labSettings();
  settings.cluster = { ...settings.cluster, name };
  await fillMirror({ ...settings.cluster, runtime: settings.runtime, routing: "flannel" });
  const stack = await Stack.create(name, settings);
  const results: Round[] = [];
  for (let i = 0; i < rounds; i++) {
    results.push(await forEach(routingNames, (routing) => visit(stack, settings, routing)));
  }
  await phase("pulumi destroy", () => stack.destroyRest(), stack.log);
  await publish("network", settings, report(results), { rounds: results });
}
