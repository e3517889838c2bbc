import { addressAt, contains, formatNetwork, overlap, parseNetwork, size } from "./addresses.ts";
import officialChecksums from "./checksums.json" with { type: "json" };
import { dnsProblems } from "./dns-checks.ts";
import { downloadsOf, parseChecksums, type Checksums } from "./downloads.ts";
import { knownOf, networkOf, type Known } from "./known-settings.ts";
import { loadBalancerProblems } from "./load-balancer-checks.ts";
import { describe, messageOf } from "./messages.ts";
import { longestNodeNetwork, nodeProblems, slotBits } from "./node-checks.ts";
import { poolProblems } from "./pool-checks.ts";
import { portProblems } from "./ports.ts";
import { keyOf, longestNodePodPrefix, schema, type Settings } from "./settings.ts";
import { cniPlugins, criDockerd, flannel } from "./versions.ts";

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

/**
 * Checks a stack's settings, each by itself and all together.
 * @param readText reads the file of checksums that the settings may name
 * @throws SettingsError with all mistakes
 */
export function check(input: unknown, readText: (file: string) => string): Checked {
  const parsed = schema.safeParse(input, { error: describe });
  const problems = (parsed.error?.issues ?? []).map((issue) => `${keyOf(issue.path)}: ${messageOf(issue)}`);
  const known = knownOf(input);
  problems.push(
    ...networkProblems(known),
    ...routingProblems(known),
    ...portProblems(known),
    ...nodeProblems(known),
    ...poolProblems(known),
    ...dnsProblems(known),
    ...loadBalancerProblems(known),
  );
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

function networkProblems({ cluster, network, existingNetwork }: Known): string[] {
  const problems: string[] = [];
  const report = (path: string[], text: string) => problems.push(`${keyOf(path)}: ${text}`);
  const pods = networkOf(cluster.podNetwork);
  const services = networkOf(cluster.serviceNetwork);
  const machines = networkOf(network.nodeNetwork);
  const networks = [
    { path: ["cluster", "podNetwork"], network: pods },
    { path: ["cluster", "serviceNetwork"], network: services },
    { path: ["network", "nodeNetwork"], network: machines },
    ...(network.routedNetworks ?? []).map((text, index) => ({
      path: ["network", "routedNetworks", String(index)],
      network: parseNetwork(text),
    })),
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
  if (existingNetwork && network.nameServers !== undefined && network.nameServers.length > 0)
    report(["network", "nameServers"], "are those of the existing subnet; change them there");
  return problems;
}

function routingProblems({ network: { routing, flannel, routedNetworks } }: Known): string[] {
  const problems: string[] = [];
  const report = (path: string[], other: string) =>
    problems.push(
      `${keyOf(["network", ...path])}: is only for ${keyOf(["network", "routing"])} ${other}, not ${routing}`,
    );
  if (routing === "router" && flannel?.backend !== undefined) report(["flannel", "backend"], "flannel");
  // Of machines that are no nodes none knows the way back to a pod.
  if (routing === "flannel" && routedNetworks?.length) report(["routedNetworks"], "router");
  return problems;
}

function downloadProblems({ cluster, network, runtime, downloads }: Known, checksums: Checksums): string[] {
  const { kubernetesVersion } = cluster;
  if (kubernetesVersion === undefined) return [];
  const missing = downloadsOf({
    kubernetesVersion,
    cniPlugins,
    criDockerd: runtime === "docker" ? criDockerd : undefined,
    flannel: network.routing === "flannel" ? flannel : undefined,
  }).flatMap(({ path }) => (checksums[path] === undefined ? [path] : []));
  if (missing.length === 0) return [];
  const remedy =
    downloads.checksums === undefined
      ? "name a file of them in sha256sum format"
      : `add them to ${downloads.checksums}`;
  return [`${checksumsKey}: no SHA-256 is known for ${missing.join(", ")}; ${remedy}`];
}
