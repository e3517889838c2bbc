import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, readdir, readlink, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cacheRoot } from "./paths.ts";

/** What a file of an entry was when the entry was made; the sum is asked for only where size or time differ. */
type Listed = { size: number; time: number; sha256: string } | { link: string };
type Manifest = Record<string, Listed>;

const manifestName = ".manifest.json";

/** SHA-256 of a file, in hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** JSON that does not depend on the order in which an object's keys were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

async function list(folder: string): Promise<Manifest> {
  const manifest: Manifest = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.isSymbolicLink()) manifest[name] = { link: await readlink(path) };
    else if (entry.isFile()) {
      const { size, mtimeMs } = await stat(path);
      manifest[name] = { size, time: mtimeMs, sha256: await sha256(path) };
    }
  }
  return manifest;
}

async function unchanged(path: string, listed: Listed): Promise<boolean> {
  if ("link" in listed) return (await readlink(path)) === listed.link;
  const { size, mtimeMs } = await stat(path);
  return size === listed.size && (mtimeMs === listed.time || (await sha256(path)) === listed.sha256);
}

async function intact(entry: string): Promise<boolean> {
  try {
    const manifest = JSON.parse(await readFile(join(entry, manifestName), "utf8")) as Manifest;
    for (const [name, listed] of Object.entries(manifest)) {
      if (!(await unchanged(join(entry, name), listed))) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Takes away what a process left that was killed while it made this entry. */
async function removeLeftOvers(prefix: string): Promise<void> {
  for (const name of await readdir(cacheRoot())) {
    if (name.startsWith(prefix) && !alive(Number(name.slice(prefix.length)))) {
      await rm(join(cacheRoot(), name), { recursive: true, force: true });
    }
  }
}

async function obtain(name: string, entry: string, make: (dir: string) => Promise<void>): Promise<string> {
  if (await intact(entry)) return entry;
  await mkdir(cacheRoot(), { recursive: true });
  const prefix = `.${name}.`;
  await removeLeftOvers(prefix);
  const dir = join(cacheRoot(), `${prefix}${process.pid}`);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir);
  try {
    await make(dir);
    await writeFile(join(dir, manifestName), JSON.stringify(await list(dir)));
    // Another process may have made the same entry meanwhile: then it is as good as ours.
    if (!(await intact(entry))) {
      await rm(entry, { recursive: true, force: true });
      await rename(dir, entry);
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return entry;
}

const underWay = new Map<string, Promise<string>>();

/**
 * Folder of the cache with what `make` writes for these inputs. It is made once; an entry of which a file is missing
 * or changed is made again. `make` works in a folder beside it, so an entry is there whole or not at all.
 */
export async function cached(
  name: string,
  inputs: unknown,
  make: (dir: string) => Promise<void>,
): Promise<string> {
  const key = createHash("sha256").update(canonical(inputs)).digest("hex").slice(0, 16);
  const entry = join(cacheRoot(), `${name}-${key}`);
  const other = underWay.get(entry);
  if (other !== undefined) return other;
  const ours = obtain(`${name}-${key}`, entry, make).finally(() => underWay.delete(entry));
  underWay.set(entry, ours);
  return ours;
}
