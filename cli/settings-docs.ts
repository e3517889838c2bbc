import { stringify } from "yaml";
import * as z from "zod";
import { schema } from "../model/settings.ts";
import { criDockerd, flannel } from "../model/versions.ts";

const introduction = `# Settings

<!-- Made by \`npm run docs\` from model/settings.ts; change it there. -->

Settings are structured values below \`openstack-kubernetes:\` in \`Pulumi.<stack>.yaml\`; \`Pulumi.dev.yaml\` and \`Pulumi.lab.yaml\` are examples. All mistakes are reported at once, before anything is asked of OpenStack. Credentials are the OpenStack provider's: \`openstack:cloud\` with \`clouds.yaml\`, or the \`OS_\` variables.`;

const notes = `A slot is a promise: a node keeps its address and pod network as long as it keeps its slot, whatever happens to others; never give a living node's slot to another. With the defaults slots run from 2 to 191.

A pool stands for workers that are alike. Its nodes are \`POOL-1\`, \`POOL-2\` and so on, as if they stood in \`nodes\`: number N has the N-th slot of the pool's range and the N-th zone in turn, whatever \`count\` is. A pool grows by the next number and shrinks by its highest; numbers in \`remove\` are passed over, so that \`{count: 3, remove: [2]}\` has the nodes 1, 3 and 4. A number stays unused for as long as it is in \`remove\`; taken out of it, it comes back as a new machine, and where \`count\` stays the highest goes. The whole range is the pool's own: no node and no other pool may have a slot of it, so that the pool can grow. Another list of zones moves nodes to other zones, and so makes their machines anew; a further pool does not.

\`\`\`yaml
openstack-kubernetes:pools:
  batch:
    count: 3
    slots: 100-149
    remove: [2] # or [batch-2]
    flavor: m1.large
    availabilityZones: [az1, az2]
    serverGroup: soft-anti-affinity
    labels: { disk: fast }
    taints: [{ key: example.org/batch, effect: NoSchedule }]
\`\`\`

No published SHA-256 of cri-dockerd ${criDockerd} or flannel ${flannel} is pinned: with \`runtime: docker\` or \`network.routing: flannel\` name a file in \`downloads.checksums\` with that one line, checked against the release's own page.`;

const anyOf = new Intl.ListFormat("en-GB", { type: "disjunction" });

type Part = z.core.JSONSchema.BaseSchema;
type Row = [setting: string, default_: string, meaning: string];

/** docs/settings.md: all settings of the schema, in its order. */
export function settingsPage(): string {
  // `input` is what a user writes: what has a default is not required.
  const rows = explained(rowsOf("", z.toJSONSchema(schema, { io: "input" })));
  return `${introduction}\n\n${table([["setting", "default", "meaning"], ...rows])}\n\n${notes}\n`;
}

/** The settings below a part of the schema. */
function rowsOf(path: string, part: Part): Row[] {
  const { properties, required = [], items, additionalProperties: value } = part;
  const rows = Object.entries(properties ?? {}).flatMap(([key, property]) => {
    const setting = path === "" ? key : `${path}.${key}`;
    return [
      ...rowOf(setting, property as Part, required.includes(key)),
      ...rowsOf(setting, property as Part),
    ];
  });
  if (isDictionary(items)) rows.push(...rowsOf(`${path}[]`, items));
  if (isDictionary(value)) rows.push(...rowOf(`${path}.<name>`, value), ...rowsOf(`${path}.<name>`, value));
  return rows;
}

function isDictionary(part: unknown): part is Part & Required<Pick<Part, "properties">> {
  return typeof part === "object" && part !== null && "properties" in part;
}

/** Nothing for a dictionary that only holds others together. */
function rowOf(setting: string, part: Part, required = false): Row[] {
  if (part.description === undefined) {
    if (isDictionary(part)) return [];
    throw new Error(`${setting} has no description in model/settings.ts`);
  }
  return [[`\`${setting}\``, defaultOf(part, required), valuesOf(part) + part.description]];
}

function defaultOf(part: Part, required: boolean): string {
  if (required) return "required";
  if (isDictionary(part)) return "";
  if (part.default === undefined) return "none";
  const flow = { collectionStyle: "flow", flowCollectionPadding: false } as const;
  return `\`${stringify(part.default, flow).trimEnd()}\``;
}

/** What a value may be, where the schema lists it or says from where to where. */
function valuesOf({ enum: values, type, minimum, maximum }: Part): string {
  if (values !== undefined) return `${anyOf.format(values.map((value) => `\`${value}\``))}: `;
  if (type !== "integer") return "";
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? `${minimum} or more: `
    : `${minimum} to ${maximum}: `;
}

/** Says the same only once: a setting that means what an earlier one does refers to that one. */
function explained(rows: Row[]): Row[] {
  return rows.map(([setting, default_, meaning]) => {
    const [first] = rows.find((row) => row[2] === meaning)!;
    return [setting, default_, first === setting ? meaning : `as ${first}`];
  });
}

/** The last column is not padded: a terminal wraps it. */
function table([head, ...rows]: Row[]): string {
  const lines = [head!, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]!.length)));
  const printed = lines.map(
    ([setting, default_, meaning]) =>
      `| ${setting!.padEnd(widths[0]!)} | ${default_!.padEnd(widths[1]!)} | ${meaning} |`,
  );
  const rule = `| ${"-".repeat(widths[0]!)} | ${"-".repeat(widths[1]!)} | ------- |`;
  return [printed[0], rule, ...printed.slice(1)].join("\n");
}
