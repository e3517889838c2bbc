import { formatPatch, OMIT_HEADERS, structuredPatch } from "diff";
import type { NodeOverview, Overview } from "./overview.ts";

/** What two plans of a stack are compared by: whole overviews, or the files of nodes alone. */
export type Comparable = Partial<Omit<Overview, "nodes">> &
  Pick<Overview, "texts"> & { nodes: Record<string, Partial<NodeOverview> & Pick<NodeOverview, "files">> };

/** A difference between two plans of a stack. */
export interface Difference {
  /** The nodes that have this same difference; none where it is one of the cluster. */
  nodes: string[];
  /** Path of a file, or what else is different. */
  subject: string;
  /** What there is to say beside the lines, such as a changed mode. */
  remark?: string;
  /** Lines of a unified diff, without headers. */
  lines: string[];
  /** Node whose lines are shown around the changed ones, where not all nodes have the same there. */
  around?: string;
}

export interface Differences {
  /** Nodes that only one side has, whose files are not compared. */
  added: string[];
  removed: string[];
  differences: Difference[];
}

/** A difference before it is known which nodes have it. */
type Found = Omit<Difference, "nodes">;

/** A file of a node for comparison; a key or certificate has no text. */
interface FileState {
  mode: string;
  text?: string;
}

/** How many lines a diff shows around the changed ones. */
const context = 3;

/** What changes from one plan to another. */
export function differencesOf(before: Comparable, after: Comparable): Differences {
  const added = Object.keys(after.nodes).filter((name) => !Object.hasOwn(before.nodes, name));
  const removed = Object.keys(before.nodes).filter((name) => !Object.hasOwn(after.nodes, name));
  const grouped = new Map<string, Difference>();
  for (const [name, node] of Object.entries(after.nodes)) {
    if (added.includes(name)) continue;
    const old = before.nodes[name]!;
    const facts = factDifferences("the node itself", nodeFacts(old), nodeFacts(node));
    const files = fileDifferences(nodeFiles(old, before.texts), nodeFiles(node, after.texts));
    for (const difference of [...facts, ...files]) {
      const key = [difference.subject, difference.remark, ...difference.lines.filter(isChange)].join("\n");
      const same = grouped.get(key);
      if (same === undefined) {
        grouped.set(key, { ...difference, nodes: [name] });
        continue;
      }
      same.nodes.push(name);
      // Lines around the changed ones may hold a node's own name or address.
      if (same.lines.join() !== difference.lines.join()) same.around = same.nodes[0];
    }
  }
  const cluster = factDifferences("the cluster", clusterFacts(before), clusterFacts(after));
  return {
    added,
    removed,
    differences: [...cluster.map((found) => ({ ...found, nodes: [] })), ...grouped.values()],
  };
}

const isChange = (line: string) => line.startsWith("+") || line.startsWith("-");

function clusterFacts({
  format: _format,
  stack: _stack,
  nodes: _nodes,
  texts: _texts,
  ...facts
}: Comparable) {
  return flatten(facts);
}

function nodeFacts({ files: _files, keys: _keys, ...facts }: Partial<NodeOverview>) {
  return flatten(facts);
}

function nodeFiles(
  { files, keys = [] }: Comparable["nodes"][string],
  texts: Overview["texts"],
): Map<string, FileState> {
  const states = new Map<string, FileState>();
  for (const [path, { mode, sha256 }] of Object.entries(files))
    states.set(path, { mode, text: texts[sha256]! });
  for (const path of keys) states.set(path, { mode: "0600" });
  return states;
}

/** Single facts by path, such as `networks.pods.network`; a list of plain values is one. */
function flatten(value: unknown, path = "", facts = new Map<string, string>()): Map<string, string> {
  const isPlain = (item: unknown): item is string | number | boolean | null | undefined =>
    typeof item !== "object" || item === null;
  if (isPlain(value)) {
    if (value !== undefined) facts.set(path, String(value));
  } else if (Array.isArray(value) && value.every(isPlain)) {
    facts.set(path, JSON.stringify(value));
  } else {
    for (const [key, inner] of Object.entries(value)) {
      flatten(inner, path === "" ? key : `${path}.${key}`, facts);
    }
  }
  return facts;
}

/** One difference for all facts of a single line, and one for each text of several. */
function factDifferences(subject: string, before: Map<string, string>, after: Map<string, string>): Found[] {
  const lines: string[] = [];
  const texts: Found[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) continue;
    if (`${old}${now}`.includes("\n")) texts.push({ subject: path, lines: unified(old ?? "", now ?? "") });
    else {
      if (old !== undefined) lines.push(`-${path}: ${old}`);
      if (now !== undefined) lines.push(`+${path}: ${now}`);
    }
  }
  return lines.length === 0 ? texts : [{ subject, lines }, ...texts];
}

function fileDifferences(before: Map<string, FileState>, after: Map<string, FileState>): Found[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old?.text === now?.text && old?.mode === now?.mode) return [];
    return [{ subject: path, remark: remarkOn(old, now), lines: unified(old?.text ?? "", now?.text ?? "") }];
  });
}

function remarkOn(before: FileState | undefined, after: FileState | undefined): string | undefined {
  const kind = (after ?? before)!.text === undefined ? "a key or certificate" : "a file";
  if (before === undefined) return `${kind} more, mode ${after!.mode}`;
  if (after === undefined) return `${kind} less`;
  return before.mode === after.mode ? undefined : `mode ${before.mode} becomes ${after.mode}`;
}

function unified(before: string, after: string): string[] {
  const patch = structuredPatch("", "", before, after, undefined, undefined, { context });
  return formatPatch(patch, OMIT_HEADERS)
    .split("\n")
    .filter((line) => line !== "");
}
