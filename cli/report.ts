// What the last `pulumi up` that touched a node did there, and how long each phase took, as a table.
// Run as a program: npm run report -- STACK
import { printRecord } from "../model/commands.ts";
import { readRecord } from "../model/rollout-record.ts";
import { command, commandLine } from "./command.ts";
import { machinesOf, type Machine } from "./machines.ts";
import { reportTable, type NodeReport } from "./report-table.ts";
import { onMachine } from "./ssh.ts";
import { resourcesOf } from "./stack-state.ts";

const usage = "usage: npm run report -- STACK";

async function reportOf({ name, update, connection }: Machine): Promise<NodeReport> {
  try {
    const record = readRecord(await onMachine(connection, (run) => run(printRecord)));
    return { name, update, record };
  } catch (error) {
    return { name, update, trouble: (error as Error).message };
  }
}

await command(async () => {
  const { stack } = commandLine(usage, []);
  const reports = await Promise.all(machinesOf(await resourcesOf(stack)).map(reportOf));
  console.log(reportTable(reports));
  if (reports.some(({ trouble }) => trouble !== undefined)) process.exitCode = 1;
});
