import { bundle, digest, type Files } from "./bundle.ts";
import { snapshotScript } from "./files/etcd.ts";
import type { NodePlan } from "./plan.ts";
import { template } from "./templates.ts";

const scripts = "/usr/local/lib/openstack-kubernetes";

const receive = template("commands/receive-files.sh");
const install = `install_staged() { bash --norc -c ${quote(template("scripts/install-files.sh"))} install-files.sh "$1"; }\n`;
const converge = `${scripts}/converge.sh\n`;

/** Installs a node's files, keys among them, from standard input (`pack`) and brings the machine to what they say. */
export const installAndConverge = installing("");

/**
 * The same for a machine that may be a node of a running cluster by now: there only keys and certificates are
 * installed, and all other files staged, for `rollOut` to put both to use.
 */
export const stageOrConverge = installing(template("commands/stage-or-converge.sh"));

function installing(betweenKeysAndFiles: string): string {
  return asRoot(
    `${receive}\n${install}install_staged secrets\n${betweenKeysAndFiles}install_staged files\n${converge}`,
  );
}

/** Waits on a control-plane node until the cluster works; standard input: `readyInput`. */
export const waitUntilReady = asRoot(`exec ${scripts}/ready.sh`);

/** A line per node for `waitUntilReady`. The digest of a node's files lets it run again when they change. */
export function readyInput(nodes: NodePlan[]): string {
  return nodes
    .map(({ name, role, podNetwork, podGateway, files }) =>
      [name, role, podNetwork, podGateway, `${digest(bundle(files))}\n`].join(" "),
    )
    .join("");
}

/** Has a node put to use what is staged there, on a control-plane node; standard input: `rolloutInput`. */
export function rollOut(name: string): string {
  return asRoot(`exec ${scripts}/rollout.sh "$1"`, name);
}

/**
 * How a control-plane node reaches a node, and what lets the update run when it is new: digests of the node's files and
 * keys, and when files were last staged there, since files of before that come again have no new digest.
 * @param hostKey the node's SSH host key, its type and itself
 * @param keys digest of the node's keys and certificates
 * @param staged what the installation of the files has printed: `stageOrConverge` says when it was
 */
export function rolloutInput(
  { address, files }: NodePlan,
  login: string,
  hostKey: string,
  keys: string,
  staged: string,
): string {
  return `${address} ${login} ${digest(bundle(files))} ${keys} ${digest(staged)}\n${hostKey.trim()}\n`;
}

/** Drains a node and deletes its Node object, on a control-plane node. */
export function removeNode(name: string): string {
  return asRoot(`exec ${scripts}/remove-node.sh "$1"`, name);
}

/** Says what on a node is not as its stack has left it; standard input: `checkInput`. */
export const checkNode = asRoot(template("commands/check-node.sh"));

/** A line for `checkNode` for each file that a node should have and each unit that should run. */
export function checkInput(files: Files, units: readonly string[]): string {
  const ofFiles = Object.entries(files).map(
    ([path, { content, mode }]) => `file ${mode} ${digest(content)} ${path}\n`,
  );
  return [...ofFiles, ...units.map((unit) => `unit ${unit}\n`)].join("");
}

/** Prints what a node's last installation or update did, for `readRecord` (rollout-record.ts). */
export const printRecord = printFile("/var/lib/openstack-kubernetes/converged");

/** Takes a snapshot of etcd on a control-plane node and prints its path there. */
export const takeSnapshot = asRoot(`exec ${snapshotScript} take`);

/** Prints a file of a node. */
export function printFile(path: string): string {
  return asRoot('exec cat -- "$1"', path);
}

/**
 * Brings etcd back to a snapshot on a control-plane node; prints the names of nodes that are in the snapshot and not
 * among these.
 * @param from the node's newest snapshot, or that on standard input
 * @param instances id of each node's machine by its name
 */
export function restoreSnapshot(from: "latest" | "-", instances: Record<string, string>): string {
  const nodes = Object.entries(instances).map(([name, id]) => `${name}=${id}`);
  return asRoot(`exec ${snapshotScript} restore "$@"`, from, ...nodes);
}

/**
 * Keeps a node and its pods away from an API that does not know them, or lets them reach it again.
 * @param api the API's URL for machines of the node network
 */
export function accessToApi(access: "closed" | "open", api: string): string {
  const { hostname, port } = new URL(api);
  return asRoot(template("commands/api-access.sh"), access, hostname, port || "443");
}

/** Starts a node's kubelet anew, after which it registers its node where the API does not know it. */
export const restartKubelet = asRoot("exec systemctl restart kubelet.service");

/** A command line that runs a bash script as root and leaves standard input to it. */
function asRoot(script: string, ...args: string[]): string {
  // bash reads root's .bashrc where its input is a socket, as under sshd.
  return [
    "sudo",
    "-n",
    "bash",
    "--norc",
    "-c",
    quote(script),
    "openstack-kubernetes",
    ...args.map(quote),
  ].join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
