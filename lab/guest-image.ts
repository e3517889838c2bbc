import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cached } from "./cache.ts";
import type { Compute } from "./compute.ts";
import { bound } from "./namespaces.ts";

const guest = join(import.meta.dirname, "guest");

async function texts(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(folder.length)] = await readFile(path, "utf8");
  }
  return files;
}

/** What an image is for: a node of a cluster, or a machine of Octavia's that is a load balancer. */
export type Purpose = "node" | "amphora";

/** The image of a purpose for a kind of compute, as a folder: disk.raw, or disk.qcow2 with vmlinuz and initrd. */
export async function guestImage(compute: Compute, purpose: Purpose, log: string): Promise<string> {
  // Guests of kvm and qemu are the same machines.
  const kind = compute === "lxc" ? "lxc" : "machine";
  const output = { file: log };
  return cached(`${purpose}-image-${kind}`, await texts(guest), async (folder) => {
    const [file, ...args] = bound(join(guest, "build"), folder, kind, purpose);
    await execa(file, args, { stdin: "ignore", stdout: output, stderr: output });
  });
}
