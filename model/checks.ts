import * as z from "zod";
import {
  addressAt,
  contains,
  formatNetwork,
  overlap,
  parseNetwork,
  size,
  type Network,
} from "./addresses.ts";
import officialChecksums from "./checksums.json" with { type: "json" };
import { downloadsOf, parseChecksums, type Checksums } from "./downloads.ts";
import { describe, messageOf } from "./messages.ts";
import { firstOfPool } from "./plan.ts";
import { keyOf, longestNodePodPrefix, schema, type NodeSettings, type Settings } from "./settings.ts";
import { cniPlugins, criDockerd } from "./versions.ts";

/** 0 is the node network's own address, 1 the router's. */
const firstSlot = 2;
/** Bits that the pod network leaves for slots at least, so that there are some from the first on. */
const slotBits = 2;
/** The smallest node network, by its prefix length. */
const longestNodeNetwork = 28;
const checksumsKey = keyOf(["downloads", "checksums"]);

/** All mistakes of a stack's settings, one a line. */
export class SettingsError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(
      `${problems.length} wrong setting${problems.length === 1 ? "" : "s"}:\n` +
        problems.map((problem) => `  ${problem}`).join("\n"),
    );
    this.problems = problems;
  }
}

/** Settings that fit together, and the SHA-256 of what they download. */
export interface Checked {
  settings: Settings;
  checksums: Checksums;
}

/** The settings that concern each other, without those that are wrong by themselves. */
interface Known {
  cluster: Partial<Settings["cluster"]>;
  network: Partial<Settings["network"]>;
  nodes?: Record<string, Partial<NodeSettings>>;
  runtime?: Settings["runtime"];
  downloads: Partial<Settings["downloads"]>;
}

/**
 * Checks a stack's settings, each by itself and all together.
 * @param readText reads the file of checksums that the settings may name
 * @throws SettingsError with all mistakes
 */
export function check(input: unknown, readText: (file: string) => string): Checked {
  const parsed = schema.safeParse(input, { error: describe });
  const problems = (parsed.error?.issues ?? []).map((issue) => `${keyOf(issue.path)}: ${messageOf(issue)}`);
  const known = parsed.data ?? knownOf(input);
  problems.push(...networkProblems(known), ...nodeProblems(known));
  let checksums: Checksums = officialChecksums;
  const file = known.downloads.checksums;
  try {
    if (file !== undefined) checksums = { ...officialChecksums, ...parseChecksums(readText(file)) };
  } catch (error) {
    throw new SettingsError([...problems, `${checksumsKey}: ${file}: ${(error as Error).message}`]);
  }
  problems.push(...downloadProblems(known, checksums));
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);
  return { settings: parsed.data, checksums };
}

function knownOf(input: unknown): Known {
  const { cluster, network, nodes, runtime, downloads } = schema.shape;
  const given = fieldsOf(input);
  return {
    cluster: rightFields(cluster, given.cluster),
    network: rightFields(network, given.network),
    nodes:
      given.nodes === undefined
        ? undefined
        : Object.fromEntries(
            Object.entries(fieldsOf(given.nodes)).map(([name, node]) => [
              name,
              rightFields(nodes.valueType, node),
            ]),
          ),
    runtime: runtime.safeParse(given.runtime).data,
    downloads: rightFields(downloads.unwrap(), given.downloads),
  };
}

/** The fields of an object that are right by themselves, with their defaults. */
function rightFields<T extends z.ZodObject>(object: T, input: unknown): Partial<z.output<T>> {
  const given = fieldsOf(input);
  const parsed = Object.entries(object.shape).map(
    ([name, field]) => [name, z.safeParse(field, given[name]).data] as const,
  );
  return Object.fromEntries(parsed) as Partial<z.output<T>>;
}

function fieldsOf(input: unknown): Record<string, unknown> {
  return typeof input === "object" && input !== null ? (input as Record<string, unknown>) : {};
}

function networkProblems({ cluster, network }: Known): string[] {
  const problems: string[] = [];
  const report = (path: string[], text: string) => problems.push(`${keyOf(path)}: ${text}`);
  const pods = networkOf(cluster.podNetwork);
  const services = networkOf(cluster.serviceNetwork);
  const machines = networkOf(network.nodeNetwork);
  const networks = [
    { path: ["cluster", "podNetwork"], network: pods },
    { path: ["cluster", "serviceNetwork"], network: services },
    { path: ["network", "nodeNetwork"], network: machines },
  ];
  networks.forEach(({ path, network: one }, index) => {
    for (const { path: otherPath, network: other } of networks.slice(index + 1)) {
      if (one && other && overlap(one, other))
        report(path, `${formatNetwork(one)} overlaps ${keyOf(otherPath)} ${formatNetwork(other)}`);
    }
  });
  const { nodePodPrefix, dnsAddress } = cluster;
  if (pods && pods.prefix > longestNodePodPrefix - slotBits) {
    report(
      ["cluster", "podNetwork"],
      `must be a /${longestNodePodPrefix - slotBits} or larger, not /${pods.prefix}`,
    );
  } else if (pods && nodePodPrefix !== undefined && nodePodPrefix < pods.prefix + slotBits) {
    report(
      ["cluster", "nodePodPrefix"],
      `must be from ${pods.prefix + slotBits} to ${longestNodePodPrefix}, not ${nodePodPrefix}: a node's part of ${formatNetwork(pods)}`,
    );
  }
  // The API server takes no larger service network than 2^20 addresses; the DNS default needs 16.
  if (services && (services.prefix < 12 || services.prefix > 28)) {
    report(["cluster", "serviceNetwork"], `must be between /12 and /28, not /${services.prefix}`);
  } else if (services && dnsAddress !== undefined) {
    const last = size(services) - 1;
    // The first is the network's own address, the second the API's, the last Kubernetes gives to nobody.
    const taken = [0, 1, last].map((n) => addressAt(services, n));
    if (!contains(services, dnsAddress) || taken.includes(dnsAddress)) {
      report(
        ["cluster", "dnsAddress"],
        `must be from ${addressAt(services, 2)} to ${addressAt(services, last - 1)}, not ${dnsAddress}`,
      );
    }
  }
  if (machines && machines.prefix > longestNodeNetwork) {
    report(["network", "nodeNetwork"], `must be a /${longestNodeNetwork} or larger, not /${machines.prefix}`);
  }
  return problems;
}

function nodeProblems({ cluster, network, nodes }: Known): string[] {
  if (nodes === undefined) return [];
  const problems: string[] = [];
  const roles = Object.values(nodes).map(({ role }) => role);
  const controlPlanes = Object.keys(nodes).filter((name) => nodes[name]!.role === "control-plane");
  // A role that is wrong by itself may be meant for the control plane's.
  if (controlPlanes.length > 1 || (controlPlanes.length === 0 && !roles.includes(undefined))) {
    const found = controlPlanes.length === 0 ? "none has" : `${controlPlanes.join(", ")} have`;
    problems.push(`${keyOf(["nodes"])}: exactly one node has the role control-plane; ${found} it`);
  }
  const limits = slotLimits(cluster, network);
  const end = Math.min(...limits.map(({ slots }) => slots));
  const taken = new Map<number, string>();
  for (const [name, { slot }] of Object.entries(nodes)) {
    if (slot === undefined) continue;
    const key = keyOf(["nodes", name, "slot"]);
    const other = taken.get(slot);
    if (other !== undefined) problems.push(`${key}: ${slot} is the slot of ${other}`);
    taken.set(slot, name);
    if (limits.length > 0 && (slot < firstSlot || slot >= end)) {
      const reasons = limits.map(({ reason }) => reason).join(", ");
      problems.push(`${key}: must be from ${firstSlot} to ${end - 1}, not ${slot}: ${reasons}`);
    }
  }
  return problems;
}

/** What bounds the slots, among networks that are right. */
function slotLimits(cluster: Known["cluster"], network: Known["network"]) {
  const limits: { slots: number; reason: string }[] = [];
  const machines = networkOf(network.nodeNetwork);
  if (machines && machines.prefix <= longestNodeNetwork) {
    limits.push({
      slots: firstOfPool(machines),
      reason: `${network.nodeNetwork} has its router at 1 and Neutron's own range in its last quarter`,
    });
  }
  const pods = networkOf(cluster.podNetwork);
  const bits = (cluster.nodePodPrefix ?? 0) - (pods?.prefix ?? 0);
  if (pods && bits >= slotBits) {
    limits.push({
      slots: 2 ** bits,
      reason: `${cluster.podNetwork} has ${2 ** bits} networks of /${cluster.nodePodPrefix}`,
    });
  }
  return limits;
}

function downloadProblems({ cluster, runtime, downloads }: Known, checksums: Checksums): string[] {
  const { kubernetesVersion } = cluster;
  if (kubernetesVersion === undefined) return [];
  const missing = downloadsOf({
    kubernetesVersion,
    cniPlugins,
    criDockerd: runtime === "docker" ? criDockerd : undefined,
  }).flatMap(({ path }) => (checksums[path] === undefined ? [path] : []));
  if (missing.length === 0) return [];
  const remedy =
    downloads.checksums === undefined
      ? "name a file of them in sha256sum format"
      : `add them to ${downloads.checksums}`;
  return [`${checksumsKey}: no SHA-256 is known for ${missing.join(", ")}; ${remedy}`];
}

function networkOf(text: string | undefined): Network | undefined {
  return text === undefined ? undefined : parseNetwork(text);
}
