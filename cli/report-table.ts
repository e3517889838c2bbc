import type { RolloutRecord } from "../model/rollout-record.ts";

export interface NodeReport {
  name: string;
  /** What the last update of a node in a running cluster said: how long it was drained and away. */
  update?: string;
  record?: RolloutRecord;
  /** Why there is no record. */
  trouble?: string;
}

/** Seconds below which a phase that restarted nothing had nothing to do. */
const idle = 0.05;

/** A row for each phase of each node that had something to do, and one for the whole. */
export function reportTable(reports: readonly NodeReport[]): string {
  const rows = reports.flatMap(({ name, update, record, trouble }): string[][] => {
    if (record === undefined) return [[name, "", trouble ?? "", "", ""]];
    const began = new Date(record.began).toISOString().replace("T", " ").slice(0, 19);
    const phases = record.phases.filter(({ seconds, restarted }) => seconds >= idle || restarted.length > 0);
    return [
      [name, began, "in all", record.seconds.toFixed(1), ""],
      ...phases.map((phase) => ["", "", phase.name, phase.seconds.toFixed(1), phase.restarted.join(" ")]),
      ...(update === undefined ? [] : [["", "", `last update: ${update.replace(`${name}: `, "")}`, "", ""]]),
    ];
  });
  const table = [["node", "began (UTC)", "phase", "seconds", "restarted"], ...rows];
  // A sentence in the place of a phase makes the column no wider.
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(
      ...table.map((row) => (row[3] === "" ? 0 : row[column]!.length), column === 0 ? longest(reports) : 0),
    ),
  );
  return table
    .map(([node, began, phase, seconds, restarted]) =>
      [
        node!.padEnd(widths[0]!),
        began!.padEnd(widths[1]!),
        phase!.padEnd(widths[2]!),
        seconds!.padStart(widths[3]!),
        restarted!,
      ]
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function longest(reports: readonly NodeReport[]): number {
  return Math.max(0, ...reports.map(({ name }) => name.length));
}
