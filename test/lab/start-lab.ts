import { execa } from "execa";
import { repo } from "../../lab/paths.ts";

const lab = (...args: string[]) =>
  execa("node", ["lab/main.ts", ...args], { cwd: repo, stdio: "inherit", reject: false });

/** Starts the lab, or what of it does not run. One that does not come up is tried once more, from nothing. */
export default async function startLab(): Promise<void> {
  if ((await lab("start")).exitCode === 0) return;
  await lab("down");
  if ((await lab("start")).exitCode !== 0) throw new Error("The lab did not come up, twice");
}
