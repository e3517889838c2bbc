import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

// lab/paths.ts has it too, but is for one lab, which is not chosen yet.
const repo = join(import.meta.dirname, "../../..");

/** Name of the lab beside the usual one. */
export const besideUsual = "beside";

/** Goes with the lab's state. */
const started = join(repo, ".lab", besideUsual, "state", "started-for-tests");

const run = (file: string, args: string[], LAB?: string) =>
  execa(file, args, { cwd: repo, stdio: "inherit", reject: false, env: { LAB } });
const command = (name: string, lab?: string) => run("node", ["lab/main.ts", name], lab);

/** Starts a lab, or what of it does not run. One that does not come up is tried once more, from nothing. */
export async function start(lab?: string): Promise<void> {
  if ((await command("start", lab)).exitCode === 0) return;
  await command("down", lab);
  if ((await command("start", lab)).exitCode !== 0) throw new Error("The lab did not come up, twice");
}

/** Starts the lab beside the usual one, unless an earlier file of tests has. */
export async function startBesideUsual(): Promise<void> {
  if (existsSync(started) && (await run("lab/run", ["true"], besideUsual)).exitCode === 0) return;
  await start(besideUsual);
  await writeFile(started, "");
}

/** Ends the lab beside the usual one. */
export async function endBesideUsual(): Promise<void> {
  await command("down", besideUsual);
}
