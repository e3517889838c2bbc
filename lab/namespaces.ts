import { spawn } from "node:child_process";
import { open, readdir, readFile, rm } from "node:fs/promises";
import { execa, type Options, type Result } from "execa";
import { lab, labName, openstackEnvironment, repo, run } from "./paths.ts";
import { LabError, waitFor } from "./phase.ts";

const script = (name: string): string => `${repo}/lab/namespaces/${name}`;

/** PID 1 of the lab as the host numbers it, read from the process table: the only record that a kill cannot make wrong. */
export async function liveLab(): Promise<number | undefined> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [command, main, owner] = (await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "")).split(
      "\0",
    );
    if (command !== "/usr/bin/python3" || owner !== lab() || main !== script("init.py")) continue;
    const status = await readFile(`/proc/${entry}/status`, "utf8").catch(() => "");
    if (/^NSpid:\t\d+\t1$/m.test(status)) return Number(entry);
  }
  return undefined;
}

/** A command that ends with this process, however that ends, and leaves neither mounts nor processes behind. */
export const bound = (...command: string[]): [string, ...string[]] => [
  ...([
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--",
  ] as const),
  ...command,
];

/** Makes the namespaces and waits until the lab's PID 1 is in place. */
export async function createNamespaces(): Promise<void> {
  await execa("ip", ["netns", "add", labName]);
  const log = lab("log", "namespaces.log");
  const output = await open(log, "w");
  const start = spawn(
    "nsenter",
    [
      ...[`--net=/run/netns/${labName}`, "unshare", "--mount", "--propagation", "private", "--pid", "--fork"],
      ...["--kill-child", "--uts", "--ipc", script("start"), repo, lab(), labName],
    ],
    { detached: true, stdio: ["ignore", output.fd, output.fd] },
  );
  start.unref();
  await output.close();
  await waitFor("The lab's first process", 30, async () => {
    if (start.exitCode !== null) throw new LabError("The lab's namespaces could not be made", log);
    return (await liveLab()) !== undefined;
  });
}

/** Runs a program inside the lab with a clean environment and the administrator's OS_ variables. */
export async function inLab(
  file: string,
  args: readonly string[],
  options: Options = {},
): Promise<Result<{}>> {
  const live = await liveLab();
  if (live === undefined) throw new LabError("No lab is running here. Start it: npm run lab");
  const enter = [`--target=${live}`, "--net", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--wdns=/"];
  const env: NodeJS.ProcessEnv = {
    ...{ PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8" },
    ...openstackEnvironment,
    ...options.env,
  };
  const command = [...enter, "--", file, ...args];
  // Nobody asks for lines or bytes: output is text.
  return (await execa("nsenter", command, { ...options, env, extendEnv: false })) as Result<{}>;
}

/** A program that stays: its name, which is its log's too, and its command line. */
export interface Daemon {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
}

/** Log of a daemon as seen from outside. */
export const daemonLog = (name: string): string => lab("log", `${name}.log`);

/** Starts a daemon inside the lab, unless it runs already. */
export async function startDaemon({ name, command, env = {} }: Daemon): Promise<void> {
  await inLab(script("daemon"), [name, ...command], { env });
}

/** Does this daemon run? */
async function daemonRuns(name: string): Promise<boolean> {
  const lock = await inLab("flock", ["--nonblock", run("lock", name), "true"], { reject: false });
  return lock.exitCode === 1;
}

/** Waits until a daemon answers; a daemon that has ended fails at once. */
export async function waitForDaemon(
  name: string,
  probe: readonly [string, ...string[]],
  seconds = 180,
): Promise<void> {
  await waitFor(name, seconds, async () => {
    const [file, ...args] = probe;
    if ((await inLab(file, args, { reject: false })).exitCode === 0) return true;
    if (!(await daemonRuns(name))) throw new LabError(`${name} ended by itself`, daemonLog(name));
    return false;
  }).catch((error: unknown) => {
    throw error instanceof LabError && error.log === undefined
      ? new LabError(error.message, daemonLog(name))
      : error;
  });
}

/** Ends the lab, or clears what a killed one left: processes, namespace, loop devices, cgroups. */
export async function removeNamespaces(): Promise<void> {
  const live = await liveLab();
  if (live !== undefined) {
    // The kernel ends every process of the PID namespace before its PID 1 is gone.
    process.kill(live, "SIGKILL");
    await waitFor("The end of the lab's processes", 60, async () => (await liveLab()) === undefined);
  }
  await execa(script("clean"), [labName, lab("state")], { stdout: { file: lab("log", "clean.log") } });
  for (const folder of ["state", "pulumi", "kubeconfig"])
    await rm(lab(folder), { recursive: true, force: true });
}
