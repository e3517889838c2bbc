import type { Comparison } from "./compare.ts";
import type { Difference } from "./differences.ts";

/** What changes of a stack, for people. */
export function differencesText(stack: string, ref: string, comparison: Comparison): string {
  const { added, removed, differences, limit } = comparison;
  const parts = [
    ...(added.length > 0 ? [`new nodes: ${added.join(", ")}\n`] : []),
    ...(removed.length > 0 ? [`nodes that go: ${removed.join(", ")}\n`] : []),
    ...differences.map((difference) =>
      [heading(difference), ...difference.lines].map((line) => `${line}\n`).join(""),
    ),
  ];
  const title =
    parts.length === 0 ? `${stack}: nothing changes from ${ref}\n` : `${stack}: changes from ${ref}\n`;
  return [title, ...(limit === undefined ? [] : [`${limit}\n`]), ...parts].join("\n");
}

/** Where a difference is: `worker-1, worker-2: /etc/kubernetes/kubelet.yaml`. */
function heading({ nodes, subject, remark, around }: Difference): string {
  const where = nodes.length === 0 ? subject : `${nodes.join(", ")}: ${subject}`;
  const remarks = [
    ...(remark === undefined ? [] : [remark]),
    ...(around === undefined ? [] : [`lines around the changes are those of ${around}`]),
  ];
  return remarks.length === 0 ? where : `${where} (${remarks.join("; ")})`;
}
