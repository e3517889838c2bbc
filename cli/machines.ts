import { unpack, type Files } from "../model/bundle.ts";
import { snapshotScript } from "../model/files/etcd.ts";
import { UserError } from "./command.ts";
import { onMachine, type Connection, type Run } from "./ssh.ts";
import { nameOf, type StateResource } from "./stack-state.ts";

/** A node's machine, as the state has it. */
export interface Machine {
  /** The node's name. */
  name: string;
  controlPlane: boolean;
  instanceId: string;
  /** Names of the resources that make it anew, and that send its files. */
  resources: { instance: string; converge: string };
  connection: Connection;
  /** What its last update in a running cluster said. */
  update?: string;
  /** What the program has sent to it, keys and certificates among it. */
  files: Files;
}

/** The gate that a cluster passes when it works: its command on the control plane, and what that reads. */
interface Gate {
  connection: Connection;
  command: string;
  input: string;
}

const commandType = "command:remote:Command";

/**
 * The machines of a stack that have something on them, so those of phase docker and later; the control plane first. One
 * that a run makes anew is none of them until all has been sent to it.
 */
export function machinesOf(resources: readonly StateResource[]): Machine[] {
  return resources
    .filter(({ type }) => type === "openstack-kubernetes:nodes:Node")
    .flatMap((node) => {
      const children = resources.filter(
        ({ parent, pendingReplacement }) => parent === node.urn && !pendingReplacement,
      );
      const instance = children.find(({ type }) => type === "openstack:compute/instance:Instance");
      const command = (part: string) =>
        children.find((child) => child.type === commandType && nameOf(child) === `${nameOf(node)}-${part}`);
      const converge = command("converge");
      if (!instance || !converge) return [];
      return {
        name: instance.inputs.name as string,
        controlPlane: (instance.inputs.metadata as { role?: string }).role === "control-plane",
        instanceId: instance.id!,
        resources: { instance: nameOf(instance), converge: nameOf(converge) },
        connection: converge.inputs.connection as Connection,
        update: (command("membership")?.outputs.stdout as string | undefined) || undefined,
        files: unpack(converge.inputs.stdin as string),
      };
    })
    .sort((a, b) => Number(b.controlPlane) - Number(a.controlPlane));
}

/** The machine with the cluster's control plane, as far as that has the script for snapshots of etcd. */
export function controlPlaneOf(stack: string, machines: readonly Machine[]): Machine {
  const found = machines.find(({ controlPlane, files }) => controlPlane && snapshotScript in files);
  if (found === undefined)
    throw new UserError(
      `no control plane of stack ${stack} takes snapshots of etcd yet; \`pulumi up\` in phase kubernetes`,
    );
  return found;
}

/** The API's URL for machines of the node network, as the control plane's own scripts know it. */
export function apiOf({ files }: Machine): string {
  return /^API_SERVER=(.+)$/m.exec(files["/etc/openstack-kubernetes/node.env"]!.content)![1]!;
}

/**
 * Logs in to a machine for as long as `use` lasts.
 * @throws UserError that begins with the machine's name
 */
export async function loggedIn<T>(
  { name, connection }: Pick<Machine, "name" | "connection">,
  use: (run: Run) => Promise<T>,
): Promise<T> {
  try {
    return await onMachine(connection, use);
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(
      error instanceof UserError || message.startsWith(`${name}:`) ? message : `${name}: ${message}`,
    );
  }
}

/** The cluster's gate, where a run has come that far. */
export function gateOf(resources: readonly StateResource[]): Gate | undefined {
  const gate = resources.find((one) => one.type === commandType && nameOf(one).endsWith("-ready"));
  return (
    gate && {
      connection: gate.inputs.connection as Connection,
      command: gate.inputs.create as string,
      input: gate.inputs.stdin as string,
    }
  );
}
