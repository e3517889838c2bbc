import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { startedCompute } from "../compute.ts";
import type { LabSettings } from "../client/stack.ts";
import { lab } from "../paths.ts";

/** Prints what a bench has found and on what, and keeps its figures as JSON in `.lab/bench-NAME.json`. */
export async function publish(
  name: string,
  settings: LabSettings,
  report: string,
  figures: object,
): Promise<void> {
  const results = lab(`bench-${name}.json`);
  const compute = await startedCompute();
  const machine = { cores: availableParallelism(), compute, nodes: Object.keys(settings.nodes).length };
  await writeFile(results, `${JSON.stringify({ ...machine, settings, ...figures }, null, 2)}\n`);
  console.log(`
${machine.nodes} nodes on ${settings.runtime}, Kubernetes ${settings.cluster.kubernetesVersion}; ${compute} guests, ${machine.cores} cores

${report}
As JSON: ${results}`);
}
