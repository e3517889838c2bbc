import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { labSettings, mustSucceed, Stack, type LabSettings } from "../client/stack.ts";
import { repo } from "../paths.ts";
import { phase } from "../phase.ts";
import { publish } from "./publish.ts";
import { median } from "./ratios.ts";
import { table } from "./table.ts";

const name = "bench-life";
/** To how many nodes one more is added; a run with nothing to change is measured after the first time. */
const sizes = [2, 6];
/** Runs with nothing to change, of either program. */
const runs = 5;

/** The lab's control plane, and as many workers as make this number of nodes. */
function nodesOf({ nodes }: LabSettings, count: number): LabSettings["nodes"] {
  const controlPlane = Object.entries(nodes).filter(([, { role }]) => role === "control-plane");
  const workers = Array.from({ length: count - 1 }, (_, i) => [
    `worker-${i + 1}`,
    { role: "worker", slot: 11 + i },
  ]);
  return Object.fromEntries([...controlPlane, ...workers]) as LabSettings["nodes"];
}

/** A stack of a program that does nothing, and the flags with which the engine runs that instead of the checkout's. */
async function emptyProgram(): Promise<{ stack: Stack; flags: string[] }> {
  const stack = await Stack.create(`${name}-empty`, {});
  const folder = join(stack.folder, "program");
  await mkdir(folder);
  // The stack belongs to the checkout's project, so this one has its name.
  const project = {
    name: "openstack-kubernetes",
    main: "index.ts",
    runtime: { name: "nodejs", options: { typescript: false } },
  };
  await writeFile(join(folder, "Pulumi.yaml"), stringify(project));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(folder, "index.ts"), 'import "@pulumi/pulumi";\n');
  return { stack, flags: ["--cwd", folder] };
}

async function secondsOfUp(stack: Stack, what: string, ...flags: string[]): Promise<number> {
  const run = await phase(what, async () => mustSucceed(stack, await stack.up(...flags)), stack.log);
  return run.seconds;
}

/** Runs with nothing to change, of the stack and of the empty program in turn; the median seconds of each. */
async function nothingToChange(stack: Stack): Promise<{ cluster: number; empty: number }> {
  const empty = await emptyProgram();
  await secondsOfUp(empty.stack, "pulumi up of an empty program, the first", ...empty.flags);
  const seconds: { cluster: number[]; empty: number[] } = { cluster: [], empty: [] };
  for (let i = 0; i < runs; i++) {
    seconds.cluster.push(await secondsOfUp(stack, "pulumi up with nothing to change", "--expect-no-changes"));
    seconds.empty.push(await secondsOfUp(empty.stack, "pulumi up of an empty program", ...empty.flags));
  }
  return { cluster: median(seconds.cluster), empty: median(seconds.empty) };
}

/**
 * What a cluster costs in its life: the seconds of one node more, of a run with nothing to change against a program
 * that does nothing, and the size of its state. Builds a cluster of its own, and takes it away again.
 */
export async function benchLife(): Promise<void> {
  await execa("node", ["lab/main.ts", "start"], { cwd: repo, stdio: "inherit" });
  const settings = await labSettings();
  settings.cluster = { ...settings.cluster, name };
  const stack = await Stack.create(name, settings);
  const state = new Map<number, number>();
  const grow = async (count: number): Promise<number> => {
    settings.nodes = nodesOf(settings, count);
    await stack.write(settings);
    const seconds = await secondsOfUp(stack, `pulumi up, ${count} nodes`);
    state.set(count, (await stack.pulumi("stack", "export", "--stack", name)).length / 1000);
    return seconds;
  };

  const oneMore: Record<number, number> = {};
  let unchanged: { cluster: number; empty: number } | undefined;
  for (const size of sizes) {
    await grow(size);
    oneMore[size] = await grow(size + 1);
    unchanged ??= await nothingToChange(stack);
  }
  await phase("pulumi destroy", () => stack.destroyRest(), stack.log);

  const [least, most] = [Math.min(...state.keys()), Math.max(...state.keys())];
  const perNode = (state.get(most)! - state.get(least)!) / (most - least);
  const { cluster, empty } = unchanged!;
  const report = table([
    ["", "seconds"],
    ...sizes.map((size) => [`a node more at ${size} nodes`, oneMore[size]!.toFixed(1)]),
    [`pulumi up with nothing to change, ${sizes[0]! + 1} nodes`, cluster.toFixed(2)],
    ["pulumi up of an empty program", empty.toFixed(2)],
    ["ratio (goal 1.5)", (cluster / empty).toFixed(2)],
    ["", "KB of state"],
    ...[...state].map(([count, size]) => [`${count} nodes`, size.toFixed(0)]),
    ["a node more", perNode.toFixed(0)],
  ]);
  await publish("life", settings, report, { oneMore, unchanged, state: Object.fromEntries(state), perNode });
}
