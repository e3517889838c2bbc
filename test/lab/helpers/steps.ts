import type { EngineRun } from "../../../lab/client/stack.ts";

/** What a run did to each of a cluster's resources, or a preview would do: "update workers-w-1-converge". */
export const stepsOf = ({ events }: EngineRun, cluster: string): string[] =>
  events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op }) => !["same", "read"].includes(op))
    .map(({ op, urn }) => ({ op, name: urn.split("::").at(-1)! }))
    .filter(({ name }) => name.startsWith(`${cluster}-`))
    .map(({ op, name }) => `${op} ${name.slice(cluster.length + 1)}`)
    .sort();

/** Types of the resources that a run changed, replaced or deleted, sorted. */
export function changedTypes({ events }: EngineRun): string[] {
  const steps = events.flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? []);
  return [
    ...new Set(steps.filter(({ op }) => !["same", "create", "read"].includes(op)).map(({ type }) => type)),
  ].sort();
}
