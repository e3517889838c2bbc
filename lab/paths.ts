import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Root of the checkout. */
export const repo = join(import.meta.dirname, "..");

/** Folder of the lab in the checkout. `LAB` names one beside the checkout's usual one, with a folder below that one's. */
const labFolder = join(repo, ".lab", process.env.LAB ?? "");

/** A path below the lab's own folder in the checkout. */
export const lab = (...parts: string[]): string => join(labFolder, ...parts);

/** Where builds and packages are kept between labs and checkouts. */
export const cacheRoot = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "openstack-kubernetes");

/** Folder of the lab as its processes see it: short, the same for every checkout, gone with the lab. */
export const run = (...parts: string[]): string => join("/run/openstack-kubernetes-lab", ...parts);

/** Network namespace, cgroup and lock of the lab. */
export const labName = `osk-lab-${createHash("sha256").update(labFolder).digest("hex").slice(0, 8)}`;

export const controlAddress = "172.24.4.1";
export const mirrorUrl = `http://${controlAddress}:8000`;
export const registry = `${controlAddress}:5050`;

/** Credentials of the lab's administrator, as OpenStack's clients read them. */
export const openstackEnvironment: Readonly<Record<string, string | undefined>> = parseEnv(
  readFileSync(join(import.meta.dirname, "openstack/openrc"), "utf8"),
);
