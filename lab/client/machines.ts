import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StateResource } from "../../cli/stack-state.ts";
import type { Stack } from "./stack.ts";
import { tryInLab, type Finished, type RunOptions } from "./run.ts";

interface Connection {
  host: string;
  user: string;
  privateKey: string;
  hostKey: string;
}

/** A node's machine, to be reached as the program reaches it. */
export interface Machine {
  name: string;
  host: string;
  /** The `ssh` command up to the machine's command. */
  ssh: string[];
}

/** The one resource whose name ends like this. */
export function resourceNamed(resources: StateResource[], ending: string): StateResource {
  const [found, ...others] = resources.filter(({ urn }) => urn.endsWith(ending));
  if (found === undefined || others.length > 0)
    throw new Error(`${found === undefined ? "no" : "more than one"} resource is named …${ending}`);
  return found;
}

/** Command line of `ssh` that trusts this host key alone. */
export async function sshCommand(folder: string, name: string, connection: Connection): Promise<string[]> {
  const { host, user, privateKey, hostKey } = connection;
  const [key, hosts] = [join(folder, `${name}.key`), join(folder, `${name}.known-hosts`)];
  await writeFile(key, privateKey, { mode: 0o600 });
  await writeFile(hosts, `${host} ${hostKey.trim()}\n`);
  const options = {
    BatchMode: "yes",
    IdentitiesOnly: "yes",
    UserKnownHostsFile: hosts,
    StrictHostKeyChecking: "yes",
    ConnectTimeout: "5",
    // A machine that was reset never ends a connection.
    ServerAliveInterval: "5",
    LogLevel: "ERROR",
  };
  const flags = Object.entries(options).flatMap(([option, value]) => ["-o", `${option}=${value}`]);
  return ["ssh", "-i", key, ...flags, `${user}@${host}`];
}

/** The machines of a stack's nodes, by name, with the keys of its state: to be reached in every phase. */
export async function machinesOf(stack: Stack, names: readonly string[]): Promise<Record<string, Machine>> {
  const [resources, user] = await Promise.all([stack.resources(), stack.login()]);
  const output = (ending: string, name: string): string =>
    String(resourceNamed(resources, ending).outputs[name]);
  const machines = names.map(async (name) => {
    const connection = {
      host: output(`-floating-addresses-${name}`, "address"),
      user,
      privateKey: output("-ssh-key", "privateKeyOpenssh"),
      hostKey: output(`-${name}-host-key`, "publicKeyOpenssh"),
    };
    const ssh = await sshCommand(stack.folder, name, connection);
    return [name, { name, host: connection.host, ssh }] as const;
  });
  return Object.fromEntries(await Promise.all(machines));
}

/** How a command on a machine ended. */
export const tryOn = (machine: Machine, command: string, options?: RunOptions): Promise<Finished> =>
  tryInLab([...machine.ssh, command], options);

/** Standard output of a command on a machine. */
export async function on(machine: Machine, command: string, options?: RunOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await tryOn(machine, command, options);
  if (exitCode === 0) return stdout;
  throw new Error(`${command} on ${machine.name} ended with ${exitCode}\n${stdout}\n${stderr}`);
}
