import { mkdir, readFile, stat, statfs } from "node:fs/promises";
import { tryLock } from "./lock.ts";
import { cacheRoot, lab, labName } from "./paths.ts";
import { LabError } from "./phase.ts";

const gib = 1024 ** 3;

/** OpenStack takes 3 GiB and three nodes of a cluster about 2; building Kubernetes in the same time takes some more. */
const memoryNeeded = 8 * gib;
/** Guest disks, images and packages. */
const stateNeeded = 15 * gib;
/** Builds of Kubernetes and the engine, their compiler's own cache. */
const cacheNeeded = 15 * gib;

/** What can stand in the way of a lab; all of it is said at once, before anything starts. */
export async function troubles(): Promise<string[]> {
  const found: string[] = [];
  if (process.getuid?.() !== 0) found.push("The lab makes namespaces and installs packages: run it as root.");
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID=debian$/m.test(release) || !/^VERSION_ID="?12"?$/m.test(release))
    found.push("The lab's OpenStack comes from Debian 12's packages, and this is another system.");
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1];
  if (Number(available) * 1024 < memoryNeeded)
    found.push(
      `${amount(Number(available) * 1024)} of memory are free, the lab needs ${amount(memoryNeeded)}.`,
    );
  found.push(
    ...(await folderTroubles(lab(), stateNeeded)),
    ...(await folderTroubles(cacheRoot(), cacheNeeded)),
  );
  return found;
}

const amount = (bytes: number): string => `${(bytes / gib).toFixed(1)} GiB`;

async function folderTroubles(folder: string, needed: number): Promise<string[]> {
  try {
    await mkdir(folder, { recursive: true });
    if (!(await stat(folder)).isDirectory())
      return [`${folder} is in use: it is not a folder. Move it away.`];
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    return free < needed ? [`${amount(free)} are free in ${folder}, the lab needs ${amount(needed)}.`] : [];
  } catch (error) {
    return [`${folder} cannot be used: ${(error as Error).message}`];
  }
}

/** Holds the one lock for commands that change this checkout's lab, until this process ends, however it ends. */
export async function lockLab(): Promise<void> {
  if ((await tryLock(labName)) === undefined)
    throw new LabError("Another command is at work on this lab. Wait for its end");
}
