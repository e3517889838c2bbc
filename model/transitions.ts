import type { Foundations } from "./foundations.ts";
import { phases } from "./phases.ts";
import { keyOf, type Disruption } from "./settings.ts";

/** A change that is refused: of which setting, why, and what to do instead. */
export interface Refusal {
  setting: string;
  reason: string;
  remedy: string;
}

type Rule = (before: Foundations, after: Foundations) => Refusal[];

/**
 * What of a change would cut off what runs.
 * @param before as the stack was last asked for
 * @param allowed the settings whose change may disrupt what runs
 */
export function refusals(before: Foundations, after: Foundations, allowed: readonly string[]): Refusal[] {
  const rules = before.phase === "kubernetes" ? [...always, ...ofRunningCluster] : always;
  return rules.flatMap((rule) => rule(before, after)).filter(({ setting }) => !allowed.includes(setting));
}

/** A refusal in one line. */
export function refusalText({ setting, reason, remedy }: Refusal): string {
  return `${keyOf([setting])}: ${reason}; ${remedy}`;
}

const anotherStack = "keep it, or build another stack with it and move what runs there";
const allow = (setting: Disruption) =>
  `to go on nevertheless, add ${setting} to ${keyOf(["allowDisruption"])}`;

/** A setting that stays as it is. */
function fixed<K extends keyof Foundations>(
  key: K,
  setting: string,
  why: string,
  remedy = anotherStack,
): Rule {
  return (before, after) =>
    before[key] === after[key]
      ? []
      : [{ setting, reason: `${was(before[key])} cannot become ${was(after[key])}: ${why}`, remedy }];
}

const was = (value: unknown) =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "one of the program's own");

const always: Rule[] = [
  fixed(
    "clusterName",
    "cluster.name",
    "every resource is named by it, so a second cluster would be made and this one destroyed",
  ),
  phaseRule,
  fixed("nodeNetwork", "network.nodeNetwork", "machines keep the addresses that they booted with"),
  fixed("existingNetwork", "network.existing", "machines stay in the network in which they were made"),
  fixed(
    "externalNetwork",
    "network.externalNetwork",
    "Neutron lets no router go from a network that its floating addresses are of",
  ),
  addressRule,
  takenAddressRule,
];

const ofRunningCluster: Rule[] = [
  versionRule,
  fixed("podNetwork", "cluster.podNetwork", "Kubernetes never changes a node's pod network"),
  fixed("nodePodPrefix", "cluster.nodePodPrefix", "Kubernetes never changes a node's pod network"),
  podNetworkRule,
  fixed("serviceNetwork", "cluster.serviceNetwork", "Kubernetes never changes a service's address"),
  fixed(
    "domain",
    "cluster.domain",
    "pods that run find no service until they are made anew",
    allow("cluster.domain"),
  ),
  dnsAddressRule,
  fixed(
    "apiPort",
    "cluster.apiPort",
    "a kubelet that asks at the old port neither hears of a drain nor keeps its node Ready",
  ),
  fixed("runtime", "runtime", "pods that run in the one would run on beside those of the other"),
  controlPlaneRule,
];

function phaseRule(before: Foundations, after: Foundations): Refusal[] {
  if (phases.indexOf(after.phase) >= phases.indexOf(before.phase)) return [];
  const reason = `${before.phase} cannot become ${after.phase}: what runs on the machines is not taken off them`;
  return [{ setting: "phase", reason, remedy: "destroy the stack and build it anew" }];
}

/** https://kubernetes.io/releases/version-skew-policy/: one minor version after the other, and never back. */
function versionRule(before: Foundations, after: Foundations): Refusal[] {
  const refused = (why: string, remedy: string): Refusal[] => [
    {
      setting: "cluster.kubernetesVersion",
      reason: `${before.kubernetesVersion} cannot become ${after.kubernetesVersion}: ${why}`,
      remedy,
    },
  ];
  const [major, minor, patch] = numbers(before.kubernetesVersion);
  const [toMajor, toMinor, toPatch] = numbers(after.kubernetesVersion);
  const step = toMinor! - minor!;
  if (major !== toMajor || step < 0 || (step === 0 && toPatch! < patch!))
    return refused("etcd and the API's objects do not go back to an older release", anotherStack);
  if (step > 1)
    return refused(
      "the control plane takes one minor version at a time",
      `go to ${toMajor}.${minor! + 1} first`,
    );
  return [];
}

function numbers(version: string): number[] {
  return version.split(".").map(Number);
}

/** The nodes that are there before and after. */
function kept(before: Foundations, after: Foundations) {
  return Object.entries(before.nodes).flatMap(([name, old]) => {
    const now = after.nodes[name];
    return now === undefined ? [] : [{ name, old, now }];
  });
}

const anotherName = (name: string) =>
  `rename ${name}, with a slot that no node has: it leaves the cluster and a new machine comes in its place`;

function addressRule(before: Foundations, after: Foundations): Refusal[] {
  if (before.nodeNetwork !== after.nodeNetwork) return [];
  return kept(before, after)
    .filter(({ old, now }) => old.address !== now.address)
    .map(({ name, old, now }) => ({
      setting: `nodes.${name}.slot`,
      reason: `${old.address} cannot become ${now.address}: a machine keeps the address that it booted with`,
      remedy: anotherName(name),
    }));
}

/** The engine makes a new node's port before it deletes the old one's, and Neutron gives an address to one port only. */
function takenAddressRule(before: Foundations, after: Foundations): Refusal[] {
  if (before.nodeNetwork !== after.nodeNetwork) return [];
  const leaving = new Map(
    Object.entries(before.nodes).flatMap(([name, { address }]) =>
      name in after.nodes ? [] : [[address, name] as const],
    ),
  );
  return Object.entries(after.nodes)
    .filter(([name, { address }]) => !(name in before.nodes) && leaving.has(address))
    .map(([name, { address }]) => ({
      setting: `nodes.${name}.slot`,
      reason: `${address} is the address of ${leaving.get(address)}, which leaves only when ${name} has come`,
      remedy: `give ${name} another slot, or take ${leaving.get(address)} away by a run before`,
    }));
}

function podNetworkRule(before: Foundations, after: Foundations): Refusal[] {
  if (before.podNetwork !== after.podNetwork || before.nodePodPrefix !== after.nodePodPrefix) return [];
  return kept(before, after)
    .filter(({ old, now }) => old.podNetwork !== now.podNetwork && old.address === now.address)
    .map(({ name, old, now }) => ({
      setting: `nodes.${name}.podNetwork`,
      reason: `${old.podNetwork} cannot become ${now.podNetwork}: Kubernetes never changes a node's pod network`,
      remedy: anotherName(name),
    }));
}

/** What makes a machine anew (Node's instance in components/node.ts). */
const ofMachine = ["image", "availabilityZone", "keyPair"] as const;

function dnsAddressRule(before: Foundations, after: Foundations): Refusal[] {
  if (before.serviceNetwork !== after.serviceNetwork) return [];
  const why = "pods that run have no DNS until they are made anew";
  return fixed("dnsAddress", "cluster.dnsAddress", why, allow("cluster.dnsAddress"))(before, after);
}

function controlPlaneRule(before: Foundations, after: Foundations): Refusal[] {
  const lost = (name: string) => `etcd, which holds all of the cluster, is on the disk of ${name}`;
  const nameOf = ({ nodes }: Foundations) =>
    Object.keys(nodes).find((name) => nodes[name]!.role === "control-plane")!;
  const [name, other] = [nameOf(before), nameOf(after)];
  if (name !== other) {
    const reason = `the control plane cannot move from ${name} to ${other}: ${lost(name)}`;
    return [{ setting: "nodes", reason, remedy: anotherStack }];
  }
  const [old, now] = [before.nodes[name]!, after.nodes[name]!];
  const changed = ofMachine
    .filter((key) => old[key] !== now[key])
    .map((key) => ({
      setting: `nodes.${name}.${key}`,
      reason: `${old[key] ?? "none"} cannot become ${now[key] ?? "none"}, since the machine would be made anew: ${lost(name)}`,
      remedy: old[key] === undefined ? "leave it out" : `keep ${old[key]} for this node`,
    }));
  const keys = before.authorizedKeys.join() !== after.authorizedKeys.join();
  const reason = `they are in what a machine boots with, so every machine would be made anew: ${lost(name)}`;
  const remedy = "keep them, and add a key to ~/.ssh/authorized_keys on the machines";
  return keys ? [...changed, { setting: "ssh.authorizedKeys", reason, remedy }] : changed;
}
