// Names each difference between what a stack says and what there is: in OpenStack and the API, as a preview with a
// refresh finds them, and on the machines. Ends with 1 where there is one.
// Run as a program: npm run check -- STACK [--config-file FILE]
import { cloudFindings, previewOf } from "./check/cloud.ts";
import { report } from "./check/finding.ts";
import { nodeFindings } from "./check/node.ts";
import { calledPath, command, commandLine } from "./command.ts";
import { machinesOf } from "./machines.ts";
import { resourcesOf } from "./stack-state.ts";

const usage = "usage: npm run check -- STACK [--config-file FILE]";

await command(async () => {
  const { stack, values } = commandLine(usage, ["config-file"]);
  const file = values["config-file"];
  const options = file === undefined ? [] : ["--config-file", calledPath(file)];
  const resources = await resourcesOf(stack);
  const machines = machinesOf(resources);
  const nodes = machines.map(({ name }) => name);
  const [preview, ...onNodes] = await Promise.all([
    previewOf(stack, options),
    ...machines.map((machine) => nodeFindings(machine, nodes)),
  ]);
  const findings = [...cloudFindings(preview, resources, nodes), ...onNodes.flat()];
  console.log(report(stack, findings, options));
  if (findings.length > 0) process.exitCode = 1;
});
