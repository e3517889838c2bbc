import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { stringify } from "yaml";
import { stackSettings } from "./cluster.ts";

export const repo = join(import.meta.dirname, "../..");

/** A temporary folder with stacks of its own and, where a test asks for it, the program and a git history. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "project-"));

  /** Writes a stack; `settings` replace some of `stackSettings`. */
  stack(name: string, settings: Record<string, unknown> = {}): void {
    const entries = Object.entries({ ...stackSettings, ...settings });
    const config = Object.fromEntries(entries.map(([key, value]) => [`openstack-kubernetes:${key}`, value]));
    this.write(`Pulumi.${name}.yaml`, stringify({ config }));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  /** Copies this repository's program, with or without the offline plan. */
  program(folders = ["cli", "model", "templates"]): void {
    for (const folder of folders) cpSync(join(repo, folder), join(this.folder, folder), { recursive: true });
    cpSync(join(repo, "package.json"), join(this.folder, "package.json"));
    symlinkSync(join(repo, "node_modules"), join(this.folder, "node_modules"));
    this.write(".gitignore", "node_modules\n");
  }

  /** Commits all that is there. */
  commit(): void {
    this.git("init", "--quiet", "--initial-branch=main");
    this.git("add", "--all");
    const who = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    this.git(...who, "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=state");
  }

  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private git(...args: string[]): void {
    execFileSync("git", args, { cwd: this.folder, stdio: "pipe" });
  }
}
