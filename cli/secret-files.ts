import { rename, rm, writeFile } from "node:fs/promises";

/** Writes a file that no one else can read; it is there as a whole or not at all. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.new`;
  // One that a killed run has left may have other permissions.
  await rm(unfinished, { force: true });
  await writeFile(unfinished, text, { mode: 0o600, flag: "wx" });
  await rename(unfinished, path);
}
