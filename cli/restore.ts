// Brings a stack's cluster back to a snapshot of etcd, on the control plane's machine or on one that `pulumi up` makes anew
// meanwhile. Run as a program: npm run restore -- STACK --from FILE|latest [--new-machine]
import { createReadStream } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { accessToApi, restartKubelet, restoreSnapshot } from "../model/commands.ts";
import { calledPath, command, commandLine, UserError } from "./command.ts";
import { apiOf, controlPlaneOf, gateOf, loggedIn, machinesOf, type Machine } from "./machines.ts";
import { checkSnapshot } from "./snapshot-files.ts";
import type { Streams } from "./ssh.ts";
import { resourcesOf } from "./stack-state.ts";

const usage = "usage: npm run restore -- STACK --from FILE|latest [--new-machine]";

const on = (machine: Pick<Machine, "name" | "connection">, line: string, streams?: Streams) =>
  loggedIn(machine, (run) => run(line, streams));

/** Does the same on all machines; throws what went wrong on any of them, once all are done. */
async function onAll(machines: readonly Machine[], line: string): Promise<void> {
  const done = await Promise.allSettled(machines.map((machine) => on(machine, line)));
  const failures = done.flatMap((one) => (one.status === "rejected" ? (one.reason as Error).message : []));
  if (failures.length > 0) throw new UserError(failures.join("\n"));
}

/**
 * Waits until the control plane has another machine. Workers are kept from its API until it has the snapshot: an empty one
 * knows none of their pods, so they would end them.
 */
async function newMachine(stack: string, machines: readonly Machine[]): Promise<void> {
  const old = controlPlaneOf(stack, machines);
  const workers = machines.filter((machine) => machine !== old);
  await onAll(workers, accessToApi("closed", apiOf(old)));
  console.log(
    `Waiting for a new machine of ${old.name}: pulumi up --replace '**::${old.resources.instance}'`,
  );
  for (;;) {
    const found = machinesOf(await resourcesOf(stack)).find(({ name }) => name === old.name);
    if (found !== undefined && found.instanceId !== old.instanceId) return;
    await delay(5000);
  }
}

await command(async () => {
  const { stack, values } = commandLine(usage, ["from"], ["new-machine"]);
  if (values.from === undefined) throw new UserError(`a snapshot is to be named\n${usage}`);
  const file = values.from === "latest" ? undefined : calledPath(values.from);
  if (file === undefined && values["new-machine"])
    throw new UserError("a new machine has no snapshot of its own; name a file");
  if (file !== undefined) await checkSnapshot(file);
  if (values["new-machine"]) await newMachine(stack, machinesOf(await resourcesOf(stack)));

  const resources = await resourcesOf(stack);
  const machines = machinesOf(resources);
  const controlPlane = controlPlaneOf(stack, machines);
  const instances = Object.fromEntries(machines.map(({ name, instanceId }) => [name, instanceId]));
  console.log(`Restoring etcd on ${controlPlane.name}; the API is away meanwhile`);
  const strangers =
    file === undefined
      ? await on(controlPlane, restoreSnapshot("latest", instances))
      : await on(controlPlane, restoreSnapshot("-", instances), { input: createReadStream(file) });
  for (const name of strangers.split("\n").filter(Boolean))
    console.log(`Node ${name} is in the snapshot and not in the stack: kubectl delete node ${name}`);

  await onAll(machines, accessToApi("open", apiOf(controlPlane)));
  // A node that the snapshot does not know registers only when its kubelet starts.
  await onAll(machines, restartKubelet);
  console.log("All kubelets have started anew; waiting until the cluster works");
  const gate = gateOf(resources);
  if (gate !== undefined)
    console.log((await on({ name: controlPlane.name, ...gate }, gate.command, { input: gate.input })).trim());
});
