import { template } from "./templates.ts";

const scripts = "/usr/local/lib/openstack-kubernetes";
const converge = `${scripts}/converge.sh`;

/** Installs a node's keys and certificates from standard input; on a node that is up already, puts them to use. */
export const installSecrets = asRoot(
  `${template("commands/install-files.sh")}\nif [ -x ${converge} ]; then ${converge}; fi\n`,
  "secrets",
);

/** Installs a node's other files from standard input and brings the machine to what they say. */
export const installFilesAndConverge = asRoot(
  `${template("commands/install-files.sh")}\n${converge}\n`,
  "files",
);

/** Waits on a control-plane node until the cluster works; standard input: a line per node. */
export const waitUntilReady = asRoot(`exec ${scripts}/ready.sh`);

/** Drains a node and deletes its Node object, on a control-plane node. */
export function removeNode(name: string): string {
  return asRoot(`exec ${scripts}/remove-node.sh "$1"`, name);
}

/** A command line that runs a bash script as root and leaves standard input to it. */
function asRoot(script: string, ...args: string[]): string {
  return ["sudo", "-n", "bash", "-c", quote(script), "openstack-kubernetes", ...args.map(quote)].join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
