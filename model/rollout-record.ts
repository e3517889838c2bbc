/** What converge.sh did on a node when it was last run to its end. */
export interface RolloutRecord {
  /** Milliseconds since 1970. */
  began: number;
  seconds: number;
  phases: Phase[];
}

interface Phase {
  name: string;
  seconds: number;
  /** Units that it restarted. */
  restarted: string[];
}

/**
 * Reads a node's record: a line for the beginning of each step, `<seconds since 1970> <step>`, and for each unit that the
 * step restarted, `<seconds since 1970> + <unit>`. The last line is the end.
 */
export function readRecord(text: string): RolloutRecord {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => {
      // bash writes the decimal point of its locale.
      const [, at, restarted, what] = /^([\d.,]+) (\+ )?(.+)$/.exec(line) ?? [];
      return { at: Number(at?.replace(",", ".")), restarted: restarted !== undefined, what: what ?? "" };
    });
  const begun = lines.filter(({ restarted }) => !restarted);
  const phases = begun.slice(0, -1).map(({ at, what }, index) => {
    const end = begun[index + 1]!.at;
    const units = lines.filter((line) => line.restarted && line.at >= at && line.at <= end);
    return { name: what, seconds: end - at, restarted: units.map((unit) => unit.what) };
  });
  const [first, last] = [begun[0]?.at ?? 0, begun.at(-1)?.at ?? 0];
  return { began: first * 1000, seconds: last - first, phases };
}
