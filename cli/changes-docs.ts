import { stringify } from "yaml";
import { example, type Change, type Operation, type Touched } from "./changes/change.ts";
import { changes } from "./changes/changes.ts";

const introduction = `# What a change does

<!-- Made by \`npm run docs\` from cli/changes/; change it there. -->

What \`pulumi up\` does when a setting of a running cluster is another one. The resources are those of this stack; \`test/graph/changes.test.ts\` compares each row with the program's resources, \`test/lab/changes.life.ts\` with \`pulumi preview\` of a real cluster, and for some with what \`pulumi up\` did.

\`\`\`yaml
${stringify(example, { collectionStyle: "any" }).trimEnd()}
\`\`\`

**Refused** changes end \`pulumi preview\` and \`pulumi up\` before anything is done, with a line that says what to do instead. What runs is compared with what the stack was last asked for, the resource \`foundations\` of its state, finished or not: where an \`up\` failed, finish it before the next change. Some disrupt a cluster without ending it; \`allowDisruption\` lets them through.`;

/** docs/changes.md: all kinds of change that are known, and what they do. */
export function changesPage(): string {
  const sections = Object.entries(changes).map(([heading, rows]) => `## ${heading}\n\n${table(rows)}`);
  return `${[introduction, ...sections].join("\n\n")}\n`;
}

function table(rows: Change[]): string {
  const cells = rows.map(({ what, does, why, resources }) => [
    what,
    does === "refused" ? "**refused**" : does,
    why,
    told(resources),
  ]);
  return [["change", "what it does", "why and how", "resources"], ["---", "---", "---", "---"], ...cells]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

const words: Record<Operation, string> = {
  create: "makes",
  update: "updates",
  replace: "replaces",
  delete: "deletes",
};

/** `replaces instance, secrets of worker-1, ready; updates …`. */
function told(resources: Touched): string {
  return (Object.keys(words) as Operation[])
    .filter((operation) => resources[operation] !== undefined)
    .map((operation) => `${words[operation]} ${listed(resources[operation]!)}`)
    .join("; ");
}

/** What is of nodes first, so that nothing else is taken for a node's. */
function listed(resources: string[]): string {
  const parts = new Map<string, string[]>();
  for (const resource of resources.filter((resource) => resource.includes(": "))) {
    const [owner, part] = resource.split(": ") as [string, string];
    parts.set(owner, [...(parts.get(owner) ?? []), part]);
  }
  const ofNodes = [...parts].map(([owner, all]) =>
    all[0] === "the whole node" ? owner : `${all.map(code).join(", ")} of ${owner}`,
  );
  return [...ofNodes, ...resources.filter((resource) => !resource.includes(": ")).map(code)].join(", ");
}

const code = (text: string) => `\`${text}\``;
