import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Overview } from "./overview.ts";
import { checksumsFile, planStack, stackNames, type Model, type OfflinePlan } from "./stacks.ts";

const run = promisify(execFile);
const maxBuffer = 2 ** 30;

/** The project as a git ref has it: its own program with its own settings. */
export class Checkout {
  readonly #project: string;
  readonly ref: string;
  readonly #folder: string;

  private constructor(project: string, ref: string, folder: string) {
    this.#project = project;
    this.ref = ref;
    this.#folder = folder;
  }

  /**
   * Unpacks a git ref of a project into a temporary folder for as long as `use` lasts.
   * @throws Error for a ref that git does not know
   */
  static async use<T>(project: string, ref: string, use: (checkout: Checkout) => Promise<T>): Promise<T> {
    const commit = commitOf(project, ref);
    let folder: string | undefined;
    const remove = () => folder !== undefined && rmSync(folder, { recursive: true, force: true });
    const stop = () => {
      remove();
      process.exit(1);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.once(signal, stop);
    try {
      folder = mkdtempSync(join(tmpdir(), "openstack-kubernetes-plan-"));
      const archive = execFileSync("git", ["archive", "--format=tar", commit], { cwd: project, maxBuffer });
      execFileSync("tar", ["-x", "-C", folder], { input: archive });
      symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
      return await use(new Checkout(project, ref, folder));
    } finally {
      for (const signal of signals) process.off(signal, stop);
      remove();
    }
  }

  get stacks(): string[] {
    return stackNames(this.#folder);
  }

  /** Whether its program has the offline plan. */
  get hasPlan(): boolean {
    return existsSync(join(this.#folder, "cli/plan.ts"));
  }

  /** What its own `plan` says of a stack. */
  async overview(stack: string): Promise<Overview> {
    try {
      this.#bringChecksums(stack);
      const { stdout } = await run(process.execPath, ["cli/plan.ts", stack, "--json"], {
        cwd: this.#folder,
        maxBuffer,
      });
      return JSON.parse(stdout) as Overview;
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      throw this.#failure(stack, stderr?.trim() || message);
    }
  }

  /** The plan of a stack by its model alone, for a program that has no offline plan yet. */
  async plan(stack: string): Promise<OfflinePlan> {
    const load = (path: string) => import(pathToFileURL(join(this.#folder, path)).href) as Promise<Model>;
    try {
      this.#bringChecksums(stack);
      const modules = ["model/settings.ts", "model/checks.ts", "model/plan.ts"];
      const model = Object.assign({}, ...(await Promise.all(modules.map(load)))) as Model;
      return planStack(this.#folder, stack, model);
    } catch (error) {
      throw this.#failure(stack, (error as Error).message);
    }
  }

  /** A file of checksums that is not in git, such as a mirror's in a folder of builds, is the one that is here. */
  #bringChecksums(stack: string): void {
    const file = checksumsFile(this.#folder, stack);
    if (file === undefined) return;
    const [source, target] = [resolve(this.#project, file), resolve(this.#folder, file)];
    if (!target.startsWith(this.#folder + sep) || existsSync(target) || !existsSync(source)) return;
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
  }

  #failure(stack: string, reason: string): Error {
    return new Error(`the program of ${this.ref} makes no plan of ${stack}: ${reason}`);
  }
}

function commitOf(project: string, ref: string): string {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
  try {
    return execFileSync("git", args, {
      cwd: project,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    throw new Error(`git knows no commit ${ref}`);
  }
}
