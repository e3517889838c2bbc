import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Writable } from "node:stream";
import { UserError } from "./command.ts";

/** Bytes of the SHA-256 that etcd puts behind a snapshot, which is of all bytes before it. */
const sumLength = 32;

/**
 * Whether a file is a whole snapshot of etcd, by the checksum at its end.
 * @throws UserError where it is not
 */
export async function checkSnapshot(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => {
      throw new UserError(`${path} cannot be read`);
    },
  );
  const wrong = new UserError(`${path} is no whole snapshot of etcd: its checksum differs`);
  if (size <= sumLength) throw wrong;
  const sum = createHash("sha256");
  await pipeline(createReadStream(path, { end: size - sumLength - 1 }), sum);
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(sumLength), 0, sumLength, size - sumLength);
    if (!sum.digest().equals(buffer)) throw wrong;
  } finally {
    await file.close();
  }
}

/** Writes a snapshot that no one else can read; it is there as a whole or not at all. */
export async function writeSnapshot(
  path: string,
  write: (file: Writable) => Promise<unknown>,
): Promise<void> {
  const unfinished = `${path}.new`;
  await rm(unfinished, { force: true });
  const file = createWriteStream(unfinished, { mode: 0o600, flags: "wx" });
  try {
    const written = new Promise<void>((resolve, reject) => file.on("close", resolve).on("error", reject));
    await Promise.all([written, write(file)]);
    await checkSnapshot(unfinished);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
