// Takes a snapshot of a stack's etcd. It stays on the control-plane node, and is fetched where a file is named.
// Run as a program: npm run snapshot -- STACK [--output FILE]
import { printFile, takeSnapshot } from "../model/commands.ts";
import { calledPath, command, commandLine } from "./command.ts";
import { controlPlaneOf, loggedIn, machinesOf } from "./machines.ts";
import { writeSnapshot } from "./snapshot-files.ts";
import { resourcesOf } from "./stack-state.ts";

const usage = "usage: npm run snapshot -- STACK [--output FILE]";

await command(async () => {
  const { stack, values } = commandLine(usage, ["output"]);
  const controlPlane = controlPlaneOf(stack, machinesOf(await resourcesOf(stack)));
  await loggedIn(controlPlane, async (run) => {
    const path = (await run(takeSnapshot)).trim();
    console.log(`The snapshot is on ${controlPlane.name}: ${path}`);
    if (values.output === undefined) return;
    const file = calledPath(values.output);
    await writeSnapshot(file, (output) => run(printFile(path), { output }));
    console.log(`It is here too: ${file}`);
  });
});
