import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { lab } from "./paths.ts";
import { LabError } from "./phase.ts";

/** Kinds of machines that Nova can boot here, best first. */
const computes = ["kvm", "lxc", "qemu"] as const;
export type Compute = (typeof computes)[number];

/** Written when OpenStack has started once; the kind of compute is its content. */
export const startedFile = lab("state", "started");

/** The kind of compute of the lab that has started here. */
export const startedCompute = async (): Promise<Compute | undefined> =>
  (await readFile(startedFile, "utf8").catch(() => undefined)) as Compute | undefined;

/** Name of the Pulumi stack that a lab builds: machines in software get one worker and settings of their own. */
export const stackOf = (compute: Compute | undefined): string => (compute === "qemu" ? "lab-qemu" : "lab");

/** What this machine offers to guests. */
export interface Host {
  /** Why KVM cannot run a guest; undefined when it can. */
  readonly noKvm: string | undefined;
  /** Has the host cgroup v1 hierarchies? LXC guests are proven on those alone. */
  readonly cgroupV1: boolean;
}

/** The best kind for a host, or the asked-for one, with the reason in words. */
export function chooseCompute(host: Host, asked?: string): { compute: Compute; why: string } {
  if (asked !== undefined && !computes.some((kind) => kind === asked))
    throw new LabError(`--compute ${asked}: allowed are ${computes.join(", ")}`);
  if (asked === "kvm" && host.noKvm !== undefined)
    throw new LabError(
      `--compute kvm: this machine cannot run a guest by KVM (${host.noKvm}). Use lxc or qemu`,
    );
  if (asked === "lxc" && !host.cgroupV1)
    throw new LabError("--compute lxc: guests of this kind need a host with cgroup v1. Use kvm or qemu");
  if (asked !== undefined) return { compute: asked as Compute, why: "asked for" };
  if (host.noKvm === undefined) return { compute: "kvm", why: "hardware virtualisation boots a guest here" };
  if (host.cgroupV1) return { compute: "lxc", why: `native speed; no kvm: ${host.noKvm}` };
  return { compute: "qemu", why: `slow; no kvm: ${host.noKvm}; no lxc: the host has cgroup v2 only` };
}

/** Why KVM cannot run a guest with a kernel here. */
async function kvmTrouble(): Promise<string | undefined> {
  // A KVM in software runs the probe's instruction and then hangs in a real kernel's start.
  if (!/^flags\s*:.* (vmx|svm)( |$)/m.test(await readFile("/proc/cpuinfo", "utf8")))
    return "the processor shows no hardware virtualisation";
  const probe = await execa(
    "/usr/bin/python3",
    [join(import.meta.dirname, "openstack/compute/kvm_probe.py")],
    {
      ...{ reject: false, timeout: 10_000 },
    },
  );
  return probe.exitCode === 0 ? undefined : probe.stderr.trim().split("\n").at(-1) || "the probe did not end";
}

/** Looks at the machine: runs a tiny guest by KVM and reads the cgroup hierarchies. */
export async function inspectHost(): Promise<Host> {
  const groups = await readFile("/proc/self/cgroup", "utf8");
  return { noKvm: await kvmTrouble(), cgroupV1: /^[1-9]\d*:/m.test(groups) };
}
