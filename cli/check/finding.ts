/** A difference between what a stack says and what there is. */
export interface Finding {
  /** The node that it is about. */
  node?: string;
  what: string;
  /** Options of `pulumi up` that puts it back; absent where that takes a hand. */
  repair?: string[];
  /** What to do by hand. */
  advice?: string;
}

/** Options of `pulumi up` that make resources of these names anew. */
export function replacing(...names: string[]): string[] {
  return names.flatMap((name) => ["--replace", `**::${name}`]);
}

/** What a check has found, a line each, and the one command that puts back all that Pulumi can put back. */
export function report(stack: string, findings: readonly Finding[], more: readonly string[]): string {
  if (findings.length === 0) return `Nothing differs from what stack ${stack} says.`;
  const lines = findings.map(({ node, what, repair, advice }) => {
    const how = repair ? commandLine("pulumi up", repair) : advice;
    return `  ${node === undefined ? "" : `${node}: `}${what}${how === undefined ? "" : ` (${how})`}`;
  });
  const repairs = findings.flatMap(({ repair }) => (repair ? [repair] : []));
  const all = commandLine(`pulumi up --stack ${stack}`, [...more, ...repairs.flat()]);
  return [
    `${findings.length} difference${findings.length === 1 ? "" : "s"} from what stack ${stack} says:`,
    ...lines,
    ...(repairs.length > 0 ? ["What pulumi can put back, it puts back by:", `  ${all}`] : []),
  ].join("\n");
}

/** A command line, each option with its value once. */
function commandLine(command: string, options: readonly string[]): string {
  const given = new Set<string>();
  for (let index = 0; index < options.length; index++) {
    const option = options[index]!;
    const value = options[index + 1];
    if (value === undefined || value.startsWith("--")) given.add(option);
    else {
      given.add(`${option} ${value.includes("*") ? `'${value}'` : value}`);
      index++;
    }
  }
  return [command, ...given].join(" ");
}
