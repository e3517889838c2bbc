import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { pages } from "../../cli/docs.ts";
import { examplePlan } from "../../cli/example.ts";
import { longestNote, packetWays } from "../../cli/packet-ways.ts";
import { settingsPage } from "../../cli/settings-docs.ts";
import { securityRules } from "../../model/security-rules.ts";
import { schema } from "../../model/settings.ts";
import { stackSettings } from "../helpers/cluster.ts";

const committed = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");

describe("files made by `npm run docs`", () => {
  it.each(Object.entries(pages))("%s is as it is made", (path, text) => {
    expect(committed(path), `${path} is not what it is made from: \`npm run docs\` renews it`).toBe(text);
  });
});

describe("docs/settings.md", () => {
  const rows = [...settingsPage().matchAll(/^\| `([^`]+)` +\| (.*?) *\| .* \|$/gm)].map(
    ([, setting, default_]) => ({ setting: setting!, default: default_! }),
  );
  const valueAt = (settings: unknown, path: string): unknown =>
    path
      .replaceAll("<name>", path.startsWith("pools.") ? "batch" : "worker-1")
      .replaceAll("[]", ".0")
      .split(".")
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], settings);
  const taint = { key: "example.org/disk", effect: "NoSchedule" };
  const tainted = { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, taints: [taint] } };
  const existing = { network: "office", subnet: "office-a", router: "office" };
  /** What a stack must say, and of each part that it may leave out what that part must say. */
  const given = {
    ...stackSettings,
    network: { ...stackSettings.network, existing },
    nodes: tainted,
    pools: { batch: { count: 1, slots: "30-39", taints: [taint] } },
    loadBalancers: { "worker-1": { listeners: { "worker-1": { port: 80, nodePort: 30080 } } } },
  };

  it("names the default that the schema fills in, and none where it fills in none", () => {
    const filledIn = schema.parse(given);
    for (const row of rows.filter((row) => valueAt(given, row.setting) === undefined)) {
      const value = valueAt(filledIn, row.setting);
      if (row.default === "") expect(value, row.setting).toBeTypeOf("object");
      else if (row.default === "none") expect(value, row.setting).toBeUndefined();
      else expect(value, row.setting).toEqual(parse(row.default.replaceAll("`", "")));
    }
  });

  it("calls required what the schema cannot do without", () => {
    const required = rows.filter((row) => row.default === "required");
    expect(required.length).toBeGreaterThan(0);
    for (const { setting } of required) {
      const settings = structuredClone(given);
      const [, parent, key] = /^(?:(.*)\.)?([^.]+)$/.exec(setting)!;
      const owner = parent === undefined ? settings : valueAt(settings, parent);
      delete (owner as Record<string, unknown>)[key!];
      expect(schema.safeParse(settings).success, setting).toBe(false);
    }
  });

  it("has every setting of the example", () => {
    const paths = (value: unknown, path: string): string[] =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => paths(inner, path === "" ? key : `${path}.${key}`))
        : [path];
    const example = schema.parse({
      ...stackSettings,
      nodes: { "worker-1": stackSettings.nodes["worker-1"] },
    });
    const settings = new Set(rows.map(({ setting }) => setting));
    for (const path of paths(example, "")) expect(settings).toContain(path.replace("worker-1", "<name>"));
  });
});

describe("docs/network.md", () => {
  const page = committed("docs/network.md");
  const plan = examplePlan();

  it("has only addresses of the plan that it describes", () => {
    const addresses = (text: string) => new Set(text.match(/\d+\.\d+\.\d+\.\d+(\/\d+)?/g));
    const known = addresses(JSON.stringify([plan, securityRules(plan.settings), packetWays(plan)]));
    const named = addresses(page);
    expect(named.size).toBeGreaterThan(10);
    expect([...named].filter((address) => !known.has(address))).toEqual([]);
  });

  it("quotes packet rules as they are on the node", () => {
    const rules = plan.workers[0]!.files["/etc/openstack-kubernetes/pod-network.nft"]!.content;
    const quoted = [...page.matchAll(/```nft\n(.+?)```/gs)].flatMap(([, block]) => block!.trim().split("\n"));
    expect(quoted).toHaveLength(3);
    for (const line of quoted) expect(rules).toContain(`    ${line}\n`);
  });

  it("shows the picture of each way", () => {
    const shown = [...page.matchAll(/!\[.+\]\((.+)\.svg\)/g)].map(([, name]) => name);
    expect(shown).toEqual(Object.keys(packetWays(plan)));
  });
});

describe.each(Object.entries(packetWays(examplePlan())))("the picture %s", (_, { stations, ...way }) => {
  it("has notes that fit into their station's frame", () => {
    for (const note of stations.flatMap(({ notes }) => notes))
      expect(note.length).toBeLessThanOrEqual(longestNote);
  });

  it.each(["request", "answer"] as const)("shows the whole %s, without gaps", (kind) => {
    const last = stations.length - 1;
    const ends = kind === "request" ? [0, last] : [last, 0];
    expect([way[kind][0]!.begin, way[kind].at(-1)!.end]).toEqual(ends);
    way[kind].slice(1).forEach(({ begin }, index) => expect(begin).toBe(way[kind][index]!.end));
  });
});
