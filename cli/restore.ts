// Brings a stack's cluster back to a snapshot of etcd, on the control plane's machine or on one that `pulumi up` makes anew
// meanwhile. Run as a program: npm run restore -- STACK --from FILE|latest [--new-machine] [--without NODE,NODE]
import { createReadStream } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { accessToApi, restartKubelet, restoreSnapshot } from "../model/commands.ts";
import { calledPath, command, commandLine, UserError } from "./command.ts";
import { apiOf, controlPlaneOf, gateOf, loggedIn, machinesOf, type Machine } from "./machines.ts";
import { checkSnapshot } from "./snapshot-files.ts";
import type { Streams } from "./ssh.ts";
import { resourcesOf } from "./stack-state.ts";

const usage = "usage: npm run restore -- STACK --from FILE|latest [--new-machine] [--without NODE,NODE]";

const on = (machine: Pick<Machine, "name" | "connection">, line: string, streams?: Streams) =>
  loggedIn(machine, (run) => run(line, streams));

/** Does the same on all machines; hands back those on which it was done, and says of each other one what went wrong. */
async function onAll(machines: readonly Machine[], line: string): Promise<Machine[]> {
  const done = await Promise.allSettled(machines.map((machine) => on(machine, line)));
  return machines.filter((_machine, index) => {
    const one = done[index]!;
    if (one.status === "rejected") console.error((one.reason as Error).message);
    return one.status === "fulfilled";
  });
}

/** A stack's machines without those of the named nodes. */
function without(machines: readonly Machine[], names: readonly string[]): Machine[] {
  const unknown = names.filter((name) => !machines.some((machine) => machine.name === name));
  if (unknown.length > 0) throw new UserError(`the stack has no machine of ${unknown.join(", ")}\n${usage}`);
  return machines.filter(({ name }) => !names.includes(name));
}

/**
 * Waits until the control plane has another machine. Workers are kept from its API until it has the snapshot: an empty one
 * knows none of their pods, so they would end them.
 */
async function newMachine(stack: string, machines: readonly Machine[]): Promise<void> {
  const old = controlPlaneOf(stack, machines);
  const workers = machines.filter((machine) => machine !== old);
  const closed = await onAll(workers, accessToApi("closed", apiOf(old)));
  if (closed.length < workers.length)
    throw new UserError("a worker that has no machine any more is left out by --without NODE");
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
  const { stack, values } = commandLine(usage, ["from", "without"], ["new-machine"]);
  const leftOut = values.without?.split(",") ?? [];
  if (values.from === undefined) throw new UserError(`a snapshot is to be named\n${usage}`);
  const file = values.from === "latest" ? undefined : calledPath(values.from);
  if (file === undefined && values["new-machine"])
    throw new UserError("a new machine has no snapshot of its own; name a file");
  if (file !== undefined) await checkSnapshot(file);
  if (values["new-machine"]) await newMachine(stack, without(machinesOf(await resourcesOf(stack)), leftOut));

  const resources = await resourcesOf(stack);
  const all = machinesOf(resources);
  const machines = without(all, leftOut);
  const controlPlane = controlPlaneOf(stack, machines);
  const instances = Object.fromEntries(all.map(({ name, instanceId }) => [name, instanceId]));
  console.log(`Restoring etcd on ${controlPlane.name}; the API is away meanwhile`);
  const strangers =
    file === undefined
      ? await on(controlPlane, restoreSnapshot("latest", instances))
      : await on(controlPlane, restoreSnapshot("-", instances), { input: createReadStream(file) });
  for (const name of strangers.split("\n").filter(Boolean))
    console.log(`Node ${name} is in the snapshot and not in the stack: kubectl delete node ${name}`);

  const opened = await onAll(machines, accessToApi("open", apiOf(controlPlane)));
  // A node that the snapshot does not know registers only when its kubelet starts.
  const started = await onAll(opened, restartKubelet);
  // etcd is back: a worker that is away stands in nobody's way, and its kubelet starts anew with its machine.
  console.log(
    `${started.length} of ${machines.length} kubelets have started anew; waiting until the cluster works`,
  );
  const gate = gateOf(resources);
  if (gate !== undefined)
    console.log((await on({ name: controlPlane.name, ...gate }, gate.command, { input: gate.input })).trim());
});
