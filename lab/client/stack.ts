import { appendFile, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { stateIn, type StateResource } from "../../cli/stack-state.ts";
import { schema } from "../../model/settings.ts";
import { stackOf, startedCompute, type Compute } from "../compute.ts";
import { lab, repo } from "../paths.ts";
import { inLabRun, tryInLab, type Finished } from "./run.ts";

const namespace = "openstack-kubernetes:";

/** The settings of the lab's own stack, without the namespace; what a stack of one's own is likely to change. */
export interface LabSettings {
  cluster: { name: string; kubernetesVersion: string };
  network: { externalNetwork: string; nodeNetwork?: string; routing?: string };
  machine: { image: string; flavor: string };
  nodes: Record<string, { role: string; slot: number; flavor?: string }>;
  runtime: string;
  kubeProxy?: { mode?: string; config?: object };
  downloads: { kubernetes: string; checksums: string };
  kubelet?: Record<string, unknown>;
}

/** Reads the settings of the stack that a lab with this kind of compute builds; by default the lab that runs. */
export async function labSettings(compute?: Compute): Promise<LabSettings> {
  const file = `Pulumi.${stackOf(compute ?? (await startedCompute()))}.yaml`;
  const { config } = parse(await readFile(join(repo, file), "utf8")) as { config: Record<string, unknown> };
  const entries = Object.entries(config).map(([key, value]) => [key.slice(namespace.length), value]);
  const settings = Object.fromEntries(entries) as LabSettings;
  const checksums = relative(repo, lab("SHA256SUMS"));
  return { ...settings, downloads: { ...settings.downloads, checksums } };
}

/** What the engine says while it works, as far as it is used here (apitype.EngineEvent), and when it said so. */
interface EngineEvent {
  /** Seconds since the engine was started. */
  at: number;
  resourcePreEvent?: { metadata: { op: string; urn: string; type: string } };
  resOutputsEvent?: { metadata: { op: string; urn: string; type: string } };
  diagnosticEvent?: { severity: string; message: string; urn?: string };
  summaryEvent?: { resourceChanges?: Record<string, number> };
}

/** One run of the engine. */
export interface EngineRun {
  succeeded: boolean;
  seconds: number;
  events: EngineEvent[];
  /** What the run said was wrong, each message once. */
  errors: string[];
  /** Number of resources by what was done to them: create, update, same, … */
  changes: Record<string, number>;
}

/**
 * A stack beside the lab's own, in the same lab: its settings and its state are files below `.lab/state`, so that
 * nothing of it is in the checkout and all of it ends with the lab.
 */
export class Stack {
  readonly name: string;
  readonly folder: string;
  /** What the engine said, run after run. */
  readonly log: string;
  /** Folder of plugins that the engine takes before all others; none by default. */
  plugins?: string;
  /** Variables of the engine's environment beside those of the lab. */
  variables: Record<string, string> = {};

  private constructor(name: string) {
    this.name = name;
    this.folder = lab("state", "stacks", name);
    this.log = lab("log", `stack-${name}.log`);
  }

  /** Begins a stack; what an earlier one of this name has left is destroyed. */
  static async create(name: string, settings: object): Promise<Stack> {
    const stack = new Stack(name);
    if (await stack.exists()) {
      await stack.cancel();
      await stack.destroyRest();
    }
    await rm(stack.folder, { recursive: true, force: true });
    await mkdir(join(stack.folder, "state"), { recursive: true, mode: 0o700 });
    await stack.pulumi("stack", "init", "--no-select", name);
    // The engine puts the key's salt where it expects the settings; it belongs to ours.
    const expected = join(repo, `Pulumi.${name}.yaml`);
    await copyFile(expected, join(stack.folder, "salt.yaml"));
    await rm(expected);
    await stack.write(settings);
    return stack;
  }

  /** Gives the stack other settings. */
  async write(settings: object): Promise<void> {
    const salt = parse(await readFile(join(this.folder, "salt.yaml"), "utf8")) as object;
    const config = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`${namespace}${key}`, value]),
    );
    await writeFile(join(this.folder, "settings.yaml"), stringify({ ...salt, config }));
  }

  /** The login of the stack's machines, by its settings. */
  async login(): Promise<string> {
    const { config } = parse(await readFile(join(this.folder, "settings.yaml"), "utf8")) as {
      config: Record<string, unknown>;
    };
    return schema.shape.ssh.parse(config[`${namespace}ssh`]).user;
  }

  up(...flags: string[]): Promise<EngineRun> {
    return this.#run(["up", "--yes", "--skip-preview", ...flags]);
  }

  preview(...flags: string[]): Promise<EngineRun> {
    return this.#run(["preview", ...flags]);
  }

  refresh(...flags: string[]): Promise<EngineRun> {
    return this.#run(["refresh", "--yes", "--skip-preview", ...flags]);
  }

  destroy(): Promise<EngineRun> {
    return this.#run(["destroy", "--yes", "--skip-preview"]);
  }

  /** Destroys what the stack still has; without an engine run where that is nothing. */
  async destroyRest(): Promise<void> {
    if ((await this.resources()).some(({ type }) => type !== "pulumi:pulumi:Stack"))
      mustSucceed(this, await this.destroy());
  }

  /** `pulumi up` without some variables of the environment. */
  upWithout(variables: readonly string[]): Promise<EngineRun> {
    return this.#run(["up", "--yes", "--skip-preview"], variables);
  }

  /** Begins a run of the engine and kills it as soon as `moment` answers true. */
  async killedAt(moment: () => Promise<boolean>, what: "up" | "destroy" = "up"): Promise<EngineRun> {
    const pid = join(this.folder, "pid");
    await rm(pid, { force: true });
    return this.during(
      moment,
      async () => void (await inLabRun(["kill", "-KILL", (await readFile(pid, "utf8")).trim()])),
      what,
    );
  }

  /** Begins a run of the engine and does something as soon as `moment` answers true, if the run goes on until then. */
  async during(
    moment: () => Promise<boolean>,
    act: () => Promise<void>,
    what: "up" | "destroy" = "up",
  ): Promise<EngineRun> {
    let ended = false;
    const run = this[what]().finally(() => (ended = true));
    while (!ended && !(await moment())) await delay(300);
    if (!ended) await act();
    return run;
  }

  /** Ends the claim on the stack that a killed engine has left. */
  async cancel(): Promise<void> {
    await this.pulumi("cancel", "--yes", "--stack", this.name);
  }

  /** All outputs, secret ones too. */
  async outputs<T>(): Promise<T> {
    const flags = ["--json", "--show-secrets", "--stack", this.name];
    return JSON.parse(await this.pulumi("stack", "output", ...flags)) as T;
  }

  /** The resources in the stack's state. */
  async resources(): Promise<StateResource[]> {
    const state = await this.pulumi("stack", "export", "--show-secrets", "--stack", this.name);
    return stateIn(JSON.parse(state) as Parameters<typeof stateIn>[0]).resources;
  }

  async exists(): Promise<boolean> {
    return (await tryInLab(this.#command(["stack", "export", "--stack", this.name]))).exitCode === 0;
  }

  /** Standard output of a command of the engine. */
  pulumi(...args: string[]): Promise<string> {
    return inLabRun(this.#command(args));
  }

  /** Standard output of a program that runs the engine on this stack by itself. */
  program(...command: string[]): Promise<string> {
    return inLabRun(this.#environment(command));
  }

  /** How such a program ended. */
  tryProgram(...command: string[]): Promise<Finished> {
    return tryInLab(this.#environment(command));
  }

  #command(args: readonly string[], without: readonly string[] = []): string[] {
    return this.#environment(["pulumi", ...args, "--non-interactive"], without);
  }

  #environment(command: readonly string[], without: readonly string[] = []): string[] {
    const variables = [
      // As in lab/run, which says why no metadata.
      `PULUMI_BACKEND_URL=file://${join(this.folder, "state")}?metadata=skip`,
      // The clusters of these stacks live for minutes, and their state is root's alone.
      "PULUMI_CONFIG_PASSPHRASE=lab",
      "PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true",
      ...Object.entries(this.variables).map(([name, value]) => `${name}=${value}`),
    ];
    const unset = without.map((name) => `--unset=${name}`);
    const plugins = this.plugins === undefined ? [] : ["sh", "-c", 'PATH="$0:$PATH" exec "$@"', this.plugins];
    return ["env", ...unset, ...variables, ...plugins, ...command];
  }

  async #run(args: string[], without: readonly string[] = []): Promise<EngineRun> {
    const settings = join(this.folder, "settings.yaml");
    const command = this.#command(
      [...args, "--stack", this.name, "--json", "--config-file", settings],
      without,
    );
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1000;
    const engine = execa(
      `${repo}/lab/run`,
      [
        // The number that the engine has inside the lab, by which it can be killed there.
        ...["sh", "-c", 'echo $$ >"$0" && exec "$@"', join(this.folder, "pid")],
        ...command,
      ],
      { cwd: repo, stdin: "ignore", reject: false },
    );
    const events: EngineEvent[] = [];
    const errors = new Set<string>();
    let changes: Record<string, number> = {};
    await appendFile(this.log, `\n== ${args.join(" ")}\n`);
    for await (const line of engine) {
      if (!line.startsWith("{")) continue;
      const event = { ...(JSON.parse(line) as EngineEvent), at: seconds() };
      events.push(event);
      const { severity, message = "" } = event.diagnosticEvent ?? {};
      if (severity === "error") errors.add(message.trim());
      if (event.summaryEvent) changes = event.summaryEvent.resourceChanges ?? {};
      await appendFile(this.log, describe(event));
    }
    const { exitCode, stderr } = await engine;
    await appendFile(this.log, `${stderr}\n== ended with ${exitCode ?? "a signal"}\n`);
    if (exitCode !== 0 && errors.size === 0) errors.add(stderr.trim());
    return { succeeded: exitCode === 0, seconds: seconds(), events, errors: [...errors], changes };
  }
}

/** A line for people of what the engine said, if it is for them. */
function describe({ at, resourcePreEvent, resOutputsEvent, diagnosticEvent }: EngineEvent): string {
  const time = at.toFixed(1).padStart(7);
  const step = (what: string, { op, urn }: { op: string; urn: string }): string =>
    op === "same" ? "" : `${time}  ${what} ${op} ${urn.split("::").at(-1)}\n`;
  if (resourcePreEvent) return step("begin", resourcePreEvent.metadata);
  if (resOutputsEvent) return step("done ", resOutputsEvent.metadata);
  if (diagnosticEvent && diagnosticEvent.severity !== "debug")
    return `${time}  ${diagnosticEvent.severity}: ${diagnosticEvent.message.trimEnd()}\n`;
  return "";
}

/** The run itself, if it succeeded; else an error that says what was wrong. */
export function mustSucceed(stack: Stack, run: EngineRun): EngineRun {
  if (run.succeeded) return run;
  throw new Error(`stack ${stack.name}: ${run.errors.join("\n")}\nlog: ${stack.log}`);
}
