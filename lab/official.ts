import { createHash } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { LabError } from "./phase.ts";

const probeSeconds = 4;
const probes = new Map<string, Promise<boolean>>();

async function answers(host: string): Promise<boolean> {
  try {
    await fetch(`https://${host}/`, { method: "HEAD", signal: AbortSignal.timeout(probeSeconds * 1000) });
    return true;
  } catch {
    return false;
  }
}

/** Does an official download place answer from here? Asked once a host, within seconds. */
export function reachable(host: string): Promise<boolean> {
  const known = probes.get(host) ?? answers(host);
  probes.set(host, known);
  return known;
}

/** Fetches a file by HTTPS and refuses it if its SHA-256 is not the expected one. */
export async function download(url: string, file: string, expected?: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new LabError(`${url}: HTTP ${response.status}`);
  await mkdir(dirname(file), { recursive: true });
  const hash = createHash("sha256");
  const output = await open(file, "w", 0o755);
  try {
    for await (const chunk of response.body) {
      hash.update(chunk);
      await output.write(chunk);
    }
  } finally {
    await output.close();
  }
  const actual = hash.digest("hex");
  if (expected !== undefined && actual !== expected) {
    await rm(file);
    throw new LabError(`${url}: SHA-256 is ${actual}, expected ${expected}. Not used.`);
  }
}
