import { glob, mkdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { buildCluster, destroyCluster, prepareTools, startMirror } from "./cluster.ts";
import { chooseCompute, inspectHost, startedCompute, startedFile, type Compute } from "./compute.ts";
import { guestImage } from "./guest-image.ts";
import { createNamespaces, liveLab, removeNamespaces } from "./namespaces.ts";
import { startOctavia } from "./octavia.ts";
import { resumeOpenStack, startOpenStack, uploadImage } from "./openstack.ts";
import { installPackages } from "./packages.ts";
import { lab } from "./paths.ts";
import { LabError, phase, reason, wasReported } from "./phase.ts";
import { lockLab, troubles } from "./preflight.ts";

const usage = `usage: npm run lab [-- COMMAND] [--compute kvm|lxc|qemu] [--octavia]

  up        start the lab and build the cluster; what is there already is kept (the default)
  check     say what stands in the way of a lab on this machine, if anything does
  start     start the lab alone: OpenStack, the guest image, the mirror, the engine
  destroy   destroy the cluster's stack; the lab goes on
  down      end the lab and everything it started

--octavia starts Octavia too, with load balancers that are machines of the lab.`;

/**
 * A lab's state lives as long as its processes. What a lab leaves that was killed, or was never ready, is thrown away
 * and begun anew, its stack with it: nothing of it can be relied on, and a start takes a minute.
 */
async function begin(compute: Compute): Promise<boolean> {
  const live = await liveLab();
  const kind = await startedCompute();
  if (live !== undefined && kind === compute) return false;
  if (live !== undefined && kind !== undefined)
    throw new LabError(`The lab runs with --compute ${kind}. End it first: npm run lab -- down`);
  await removeNamespaces();
  await createNamespaces();
  return true;
}

async function openStack(compute: Compute): Promise<void> {
  const fresh = await begin(compute);
  if (!fresh) return resumeOpenStack(compute);
  await startOpenStack(compute);
  await writeFile(startedFile, compute);
}

/** Is the lab running? If not, an error with all that stands in the way of one. */
async function check(): Promise<boolean> {
  if ((await liveLab()) !== undefined) return true;
  const found = await troubles();
  if (found.length > 0) throw new LabError(`The lab cannot start here:\n  - ${found.join("\n  - ")}`);
  return false;
}

async function start(asked: string | undefined, octavia: boolean): Promise<void> {
  const running = await check();
  const kept = running && asked === undefined ? await startedCompute() : undefined;
  const choice = chooseCompute(await inspectHost(), kept ?? asked);
  console.log(`compute: ${choice.compute} (${kept === undefined ? choice.why : "as the lab runs"})`);

  const log = lab("log", "packages.log");
  await phase("Debian packages", () => installPackages(log), log);
  const imageLog = lab("log", "guest-image.log");
  const image = phase("guest image", () => guestImage(choice.compute, "node", imageLog), imageLog);
  const cloud = openStack(choice.compute);
  const tools = prepareTools(choice.compute);
  await Promise.all([
    Promise.all([image, cloud]).then(([folder]) =>
      phase("guest image in Glance", () => uploadImage(choice.compute, folder), lab("log", "admin.log")),
    ),
    Promise.all([tools, cloud]).then(([served]) => phase("mirror and registry", () => startMirror(served))),
  ]);
  if (octavia) await startOctavia(choice.compute);
}

/** Ends the labs beside this one, which the tests start. */
async function endLabsBeside(): Promise<void> {
  for await (const log of glob("*/log/namespaces.log", { cwd: lab() })) {
    const [LAB] = log.split("/");
    await execa(process.execPath, [import.meta.filename, "down"], { env: { LAB }, stdio: "inherit" });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      compute: { type: "string" },
      octavia: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  const command = positionals.at(-1) ?? "up";
  if (values.help) return console.log(usage);
  if (!["up", "check", "start", "destroy", "down"].includes(command))
    throw new LabError(`No command ${command}.\n${usage}`);
  if (command === "check") return void (await check());
  await lockLab();
  await mkdir(lab("log"), { recursive: true });
  if (command === "down") {
    if (process.env.LAB === undefined) await endLabsBeside();
    return phase("the lab has ended", removeNamespaces, lab("log", "clean.log"));
  }
  if (command === "destroy") return destroyCluster();
  await start(values.compute, values.octavia);
  if (command === "up") await buildCluster();
}

try {
  await main();
} catch (error) {
  if (!wasReported(error)) console.error(error instanceof LabError ? reason(error) : error);
  // Builds that go on side by side end with this process.
  process.exit(1);
}
