import { bundle, digest } from "./bundle.ts";
import type { NodePlan } from "./plan.ts";
import { template } from "./templates.ts";

const scripts = "/usr/local/lib/openstack-kubernetes";

/** Installs a node's keys and certificates from standard input. */
export const installSecrets = asRoot(template("commands/install-files.sh"), "secrets");

/** Installs a node's other files from standard input and brings the machine to what they say. */
export const installFilesAndConverge = asRoot(
  `${template("commands/install-files.sh")}\n${scripts}/converge.sh\n`,
  "files",
);

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
