import type { EngineRun } from "../../../lab/client/stack.ts";

/** What a run did to each resource, or a preview would do: "update workers-w-1-converge", without the cluster's name. */
export const stepsOf = ({ events }: EngineRun, cluster: string): string[] =>
  events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op }) => !["same", "read"].includes(op))
    .map(
      ({ op, urn }) =>
        `${op} ${urn
          .split("::")
          .at(-1)!
          .slice(cluster.length + 1)}`,
    )
    .sort();
