// npm run bench -- preview [--nodes 100,500]: what a preview of a cluster that is there takes, beside one of as many plain
// resources. Its state is made by a run of the program against stand-ins (stand-ins/), so that no lab is needed.
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { engine } from "../engine/engine.ts";
import { lab, repo } from "../paths.ts";
import { LabError, phase } from "../phase.ts";
import { table } from "./table.ts";
import { watch, type Consumption } from "./consumption.ts";
import { cloudVariable, Rest } from "./stand-ins/rest.ts";

const folder = (...parts: string[]): string => lab("bench", ...parts);
const plugin = join(import.meta.dirname, "stand-ins", "plugin.ts");

/** A preview that found nothing to change. */
interface Preview extends Consumption {
  seconds: number;
}

interface Measured {
  nodes: number;
  resources: number;
  /** Bytes. */
  state: number;
  cluster: Preview;
  plain: Preview;
}

/** Writes the stand-ins as plugins, and returns what the engine is to run with. */
async function environment(cloud: Rest): Promise<Record<string, string>> {
  const plugins = folder("plugins");
  await mkdir(plugins, { recursive: true });
  for (const name of ["openstack", "command", "kubernetes"]) {
    const wrapper = join(plugins, `pulumi-resource-${name}`);
    await writeFile(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${plugin}' ${name} "$@"\n`);
    await chmod(wrapper, 0o755);
  }
  const path = [plugins, ...(await engine()), join(repo, "node_modules", ".bin"), process.env.PATH ?? ""];
  return {
    PATH: path.join(delimiter),
    PULUMI_BACKEND_URL: `file://${folder("state")}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The state is written once and not after each step, since a run that is killed begins anew.
    PULUMI_EXPERIMENTAL: "true",
    PULUMI_SKIP_CHECKPOINTS: "true",
    [cloudVariable]: cloud.address,
  };
}

/** A stack of a project, with a state of its own below `.lab/bench`. */
class BenchStack {
  readonly #project: string;
  readonly #name: string;
  readonly #env: Record<string, string>;

  private constructor(project: string, name: string, env: Record<string, string>) {
    this.#project = project;
    this.#name = name;
    this.#env = env;
  }

  static async create(
    project: string,
    name: string,
    config: Record<string, unknown>,
    env: Record<string, string>,
  ): Promise<BenchStack> {
    const stack = new BenchStack(project, name, env);
    await stack.#pulumi("stack", "init", "--no-select", name);
    // The engine puts the key's salt where it expects the settings.
    const expected = join(project, `Pulumi.${name}.yaml`);
    const salt = parse(await readFile(expected, "utf8")) as object;
    await rm(expected);
    await writeFile(stack.#settings, stringify({ ...salt, config }));
    return stack;
  }

  get #settings(): string {
    return folder(`${this.#name}.yaml`);
  }

  get #chosen(): string[] {
    return [
      "--stack",
      this.#name,
      "--config-file",
      this.#settings,
      "--non-interactive",
      "--suppress-outputs",
    ];
  }

  #pulumi(...args: string[]) {
    return execa("pulumi", args, { cwd: this.#project, env: this.#env, stdin: "ignore", all: true });
  }

  async up(): Promise<void> {
    const run = this.#pulumi("up", "--yes", "--skip-preview", ...this.#chosen);
    await run.catch(({ all }: { all?: string }) => Promise.reject(new LabError(all ?? "it did not start")));
  }

  async preview(): Promise<Preview> {
    const start = performance.now();
    const run = this.#pulumi("preview", "--expect-no-changes", ...this.#chosen);
    const watched = watch(run.pid!, run, (line) => line.includes(plugin) || line.includes("/lab/plugins/"));
    const [used] = await Promise.all([watched, run]);
    return { ...used, seconds: (performance.now() - start) / 1000 };
  }

  /** The state's number of resources but the stack itself, and its size in bytes as the engine writes it. */
  async state(project: string): Promise<{ resources: number; size: number }> {
    const file = folder("state", ".pulumi", "stacks", project, `${this.#name}.json`);
    const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
      checkpoint: { latest: { resources: { type: string }[] } };
    };
    const resources = checkpoint.latest.resources.filter(
      ({ type }) => !type.startsWith("pulumi:pulumi:") && !/^pulumi:providers:(?!kubernetes)/.test(type),
    );
    return { resources: resources.length, size: (await stat(file)).size };
  }
}

/** Settings of a cluster of so many nodes, all but one of them in a pool. */
function settings(nodes: number): Record<string, unknown> {
  const values = {
    cluster: { name: "bench", podNetwork: "10.128.0.0/11" },
    network: { externalNetwork: "public", nodeNetwork: "10.0.0.0/20" },
    machine: { image: "debian-13", flavor: "m1.medium" },
    nodes: { "cp-1": { role: "control-plane", slot: 10 } },
    pools: { worker: { count: nodes - 1, slots: `20-${18 + nodes}` } },
  };
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [`openstack-kubernetes:${key}`, value]),
  );
}

async function measure(nodes: number, cloud: Rest, env: Record<string, string>): Promise<Measured> {
  const cluster = await BenchStack.create(repo, `cluster-${nodes}`, settings(nodes), env);
  cloud.ports = [];
  cloud.routes = [];
  await phase(`${nodes} nodes: pulumi up`, () => cluster.up());
  const workers = Array.from({ length: nodes - 1 }, (_, index) => `worker-${index + 1}`);
  cloud.ports = ["cp-1", ...workers].map((node) => `bench-${node}`);
  const { resources, size } = await cluster.state("openstack-kubernetes");
  const ofCluster = await phase(`${nodes} nodes: pulumi preview`, () => cluster.preview());

  const count = { "plain:count": resources };
  const plain = await BenchStack.create(join(import.meta.dirname, "plain"), `plain-${resources}`, count, env);
  await phase(`${resources} plain resources: pulumi up`, () => plain.up());
  const ofPlain = await phase(`${resources} plain resources: pulumi preview`, () => plain.preview());
  return { nodes, resources, state: size, cluster: ofCluster, plain: ofPlain };
}

function report(measured: readonly Measured[]): string {
  const one = (value: number): string => value.toFixed(1);
  const whole = (value: number): string => value.toFixed(0);
  const previewRow = (what: string, { seconds, cpuSeconds, peakMemory }: Preview): [string, ...string[]] => [
    what,
    one(seconds),
    one(cpuSeconds),
    whole(peakMemory),
  ];
  return [
    table([
      ["preview of", "seconds", "CPU seconds", "MB of memory"],
      ...measured.flatMap(({ nodes, resources, cluster, plain }) => [
        previewRow(`${nodes} nodes`, cluster),
        previewRow(`${resources} plain resources`, plain),
      ]),
    ]),
    "",
    table([
      ["nodes", "resources", "a node", "KB of state a node", "seconds to plain", "CPU to plain"],
      ...measured.map(({ nodes, resources, state, cluster, plain }): [string, ...string[]] => [
        String(nodes),
        String(resources),
        one(resources / nodes),
        one(state / 1000 / nodes),
        (cluster.seconds / plain.seconds).toFixed(2),
        (cluster.cpuSeconds / plain.cpuSeconds).toFixed(2),
      ]),
    ]),
  ].join("\n");
}

/** Measures previews of clusters with so many nodes each as `--nodes` says, and prints the figures. */
export async function benchPreviews(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { nodes: { type: "string", default: "100,500" } } });
  const counts = values.nodes.split(",").map(Number);
  if (!counts.every((count) => Number.isInteger(count) && count > 0))
    throw new LabError("--nodes takes numbers of nodes such as 100,500");
  await rm(folder(), { recursive: true, force: true });
  await mkdir(folder("state"), { recursive: true });
  const cloud = await Rest.start();
  try {
    const env = await environment(cloud);
    const measured: Measured[] = [];
    for (const nodes of counts) measured.push(await measure(nodes, cloud, env));
    console.log(`\n${report(measured)}`);
  } finally {
    cloud.stop();
  }
}
