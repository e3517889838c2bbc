import { bundle, digest } from "./bundle.ts";
import type { NodePlan } from "./plan.ts";
import { template } from "./templates.ts";

const scripts = "/usr/local/lib/openstack-kubernetes";

const receive = template("commands/receive-files.sh");
const install = `bash --norc -c ${quote(template("scripts/install-files.sh"))} install-files.sh "$1"\n`;
const converge = `${scripts}/converge.sh\n`;

/** Installs a node's keys and certificates from standard input. */
export const installSecrets = asRoot(`${receive}\n${install}`, "secrets");

/** Installs a node's other files from standard input and brings the machine to what they say. */
export const installFilesAndConverge = asRoot(`${receive}\n${install}${converge}`, "files");

/**
 * The same for a machine that may be a node of a running cluster by now: there the files are only staged, for
 * `rollOut` to put them to use.
 * @param keys digest of the node's keys and certificates, so that new ones are put to use on any machine
 */
export function stageOrConverge(keys: string): string {
  const stage = template("commands/stage-or-converge.sh");
  return asRoot(`${receive}\n${stage}${install}${converge}`, "files", keys);
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
 * How a control-plane node reaches a node, and digests of the node's files and keys: a new one lets the update run.
 * @param hostKey the node's SSH host key, its type and itself
 * @param keys digest of the node's keys and certificates
 */
export function rolloutInput(
  { address, files }: NodePlan,
  login: string,
  hostKey: string,
  keys: string,
): string {
  return `${address} ${login} ${digest(bundle(files))} ${keys}\n${hostKey.trim()}\n`;
}

/** Drains a node and deletes its Node object, on a control-plane node. */
export function removeNode(name: string): string {
  return asRoot(`exec ${scripts}/remove-node.sh "$1"`, name);
}

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
