import { resourceOf, summary, type Operation, type Touched } from "../../../cli/changes/change.ts";
import type { EngineRun } from "../../../lab/client/stack.ts";

const operations: Record<string, Operation> = {
  create: "create",
  update: "update",
  delete: "delete",
  "create-replacement": "replace",
  replace: "replace",
  "delete-replaced": "replace",
};

/** What a preview says that it would do to a cluster's resources, or an `up` did, components left out. */
export function touchedBy({ events }: EngineRun, cluster: string): Touched {
  const sets = new Map<Operation, Set<string>>();
  for (const { resourcePreEvent, resOutputsEvent } of events) {
    const { op, urn, type } = (resourcePreEvent ?? resOutputsEvent)?.metadata ?? {};
    const name = urn?.split("::").at(-1) ?? "";
    const operation = operations[op ?? ""];
    if (
      operation === undefined ||
      !name.startsWith(`${cluster}-`) ||
      type!.startsWith("openstack-kubernetes:")
    )
      continue;
    sets.set(operation, (sets.get(operation) ?? new Set()).add(resourceOf(name, cluster)));
  }
  return summary(Object.fromEntries([...sets].map(([operation, names]) => [operation, [...names]])));
}
