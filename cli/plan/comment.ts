import type { Comparison } from "./compare.ts";
import type { Difference } from "./differences.ts";

/** First line of a comment, by which it is found to be replaced. */
export const marker = "<!-- openstack-kubernetes: offline plan -->";
/** Characters that GitHub takes in a comment. */
export const longestComment = 65_536;

/** How much of a stack is shown: lines of a difference, and groups of nodes that have the same differences. */
interface Limits {
  lines: number;
  groups: number;
}

/** Tried from the first on until the comment is short enough. */
const allLimits: Limits[] = [
  { lines: Infinity, groups: Infinity },
  { lines: 200, groups: Infinity },
  { lines: 50, groups: Infinity },
  { lines: 50, groups: 40 },
  { lines: 20, groups: 20 },
  { lines: 10, groups: 5 },
  { lines: 0, groups: 0 },
];
/** How many nodes are named side by side. */
const namedNodes = 6;
/** Characters of a problem in the table. */
const shortProblem = 200;

/** A stack's differences, or why there are none. */
export interface StackResult {
  stack: string;
  comparison?: Comparison;
  problem?: string;
}

/** The Markdown comment on a pull request that changes stacks since the commit `base`. */
export function comment(base: string, results: StackResult[]): string {
  const head = [
    marker,
    "### What this pull request changes in the clusters",
    "",
    `By the offline plan, since ${code(base)}. No cloud was asked: what is replaced only \`pulumi preview\` says.`,
    "",
    "| stack | changes |",
    "| --- | --- |",
    ...results.map((result) => `| ${code(result.stack)} | ${summary(result)} |`),
  ].join("\n");
  const pointer = `\n\nCut to GitHub's limit. All of it: ${code(`npm run plan -- STACK --diff ${base}`)}`;
  for (const limits of allLimits) {
    const text = `${head}${results.map((result) => section(result, limits)).join("")}`;
    const whole = limits.lines === Infinity ? text : text + pointer;
    if (whole.length < longestComment) return `${whole}\n`;
  }
  // So many stacks that their table alone is too long.
  const room = longestComment - pointer.length - 1;
  return `${head.slice(0, head.lastIndexOf("\n", room))}${pointer}\n`;
}

/** `1 new node, 3 differences on 2 nodes`. */
function summary({ comparison, problem }: StackResult): string {
  if (comparison === undefined) return `no plan: ${code(short(problem!.replaceAll(/\s+/g, " ")))}`;
  const { added, removed, differences, limit } = comparison;
  const ofCluster = differences.filter(({ nodes }) => nodes.length === 0);
  const ofNodes = differences.filter(({ nodes }) => nodes.length > 0);
  const nodes = new Set(ofNodes.flatMap(({ nodes }) => nodes));
  const parts = [
    ...(added.length > 0 ? [`${counted(added.length, "new node")}`] : []),
    ...(removed.length > 0 ? [`${counted(removed.length, "node")} less`] : []),
    ...(ofCluster.length > 0 ? [`${counted(ofCluster.length, "difference")} of the cluster`] : []),
    ...(nodes.size > 0 ? [`${counted(ofNodes.length, "difference")} on ${counted(nodes.size, "node")}`] : []),
  ];
  const changes = parts.length === 0 ? "none" : parts.join(", ");
  return limit === undefined ? changes : `${changes}; ${code(limit)}`;
}

/** A stack, folded, and in it the differences of each group of nodes, folded. */
function section({ stack, comparison, problem }: StackResult, limits: Limits): string {
  if (comparison === undefined)
    return folded(code(stack), fenced(problem!.split("\n"), "text", limits.lines));
  const { added, removed, differences } = comparison;
  if (added.length + removed.length + differences.length === 0) return "";
  const groups = new Map<string, Difference[]>();
  for (const difference of differences) {
    const key = difference.nodes.join();
    groups.set(key, [...(groups.get(key) ?? []), difference]);
  }
  const parts = [
    ...(added.length > 0 ? [`\nnew nodes: ${named(added)}\n`] : []),
    ...(removed.length > 0 ? [`\nnodes that go: ${named(removed)}\n`] : []),
    ...[...groups.values()].slice(0, limits.groups).map((group) => {
      const { nodes } = group[0]!;
      const where = nodes.length === 0 ? "the cluster" : named(nodes);
      return folded(
        `${where}: ${counted(group.length, "difference")}`,
        group.map((difference) => shown(difference, limits.lines)).join(""),
      );
    }),
  ];
  const hidden = groups.size - limits.groups;
  if (hidden > 0) parts.push(`\n\n… and ${counted(hidden, "group")} of nodes with other differences\n`);
  return folded(code(stack), parts.join(""));
}

function shown({ subject, remark, around, lines }: Difference, limit: number): string {
  const remarks = [
    ...(remark === undefined ? [] : [remark]),
    ...(around === undefined ? [] : [`lines around the changes are those of ${around}`]),
  ];
  const title = `\n${code([subject, ...remarks].join("; "))}\n`;
  return lines.length === 0 ? title : title + fenced(lines, "diff", limit);
}

/** A block of code; its fence is longer than any in it. */
function fenced(lines: string[], language: string, limit: number): string {
  const kept = lines.slice(0, limit);
  if (kept.length < lines.length) kept.push(`… ${counted(lines.length - kept.length, "line")} more`);
  const longest = Math.max(2, ...kept.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = "`".repeat(longest + 1);
  return `\n${fence}${language}\n${kept.join("\n")}\n${fence}\n`;
}

function folded(title: string, body: string): string {
  return `\n\n<details>\n<summary>${title}</summary>\n${body}\n</details>`;
}

function named(nodes: string[]): string {
  const more = nodes.length - namedNodes;
  return code(nodes.slice(0, namedNodes).join(", ")) + (more > 0 ? ` and ${more} more` : "");
}

function short(text: string): string {
  return text.length > shortProblem ? `${text.slice(0, shortProblem)}…` : text;
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Text of others as code, in which nothing is Markdown, HTML or a mention. */
function code(text: string): string {
  const plain = text.replaceAll(/[^A-Za-z0-9 .,:;/+-]/g, (character) => `&#${character.codePointAt(0)};`);
  return `<code>${plain}</code>`;
}
