import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changed, example, type Change } from "../../cli/changes/change.ts";
import { changes } from "../../cli/changes/changes.ts";
import { openStack, type Call } from "../../lab/client/openstack.ts";
import { inLabRun } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack, type EngineRun } from "../../lab/client/stack.ts";
import { lab, repo } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import { checksums, checksumsFile } from "../helpers/cluster.ts";
import { inventory } from "./helpers/inventory.ts";
import { touchedBy } from "./helpers/touched.ts";

// One cluster, for which the engine tells of each change in docs/changes.md what it would do, and does some of them.

const name = "e2e-changes";
const { machine, nodes, ...settings } = await labSettings();
const { flavor } = Object.values(nodes).find(({ role }) => role === "control-plane")!;
const start = changed(
  { ...settings, machine, nodes: example.nodes },
  { cluster: { name }, nodes: { "cp-1": { flavor } } },
);

const rows = Object.values(changes)
  .flat()
  .filter(({ notOnLab }) => notOnLab === undefined);
const row = (what: string): Change => {
  const found = rows.find((candidate) => candidate.what === what);
  if (found === undefined) throw new Error(`no change is named ${what}`);
  return found;
};

/** Those that the cluster goes through, each after the ones before. */
const done = [
  "who may reach the nodes",
  "name servers",
  "a worker's security groups",
  "a node's labels",
  "a setting of the kubelet",
  "a flag of the API server",
  "name servers of CoreDNS",
  "the cluster's domain, allowed",
  "a worker's flavor",
  "a node more",
  "a node less",
];

/** What the changes name and OpenStack must have, and where it is deleted. */
const made: { make: Call; remove: (answer: Answer) => string }[] = [
  ...["m1.large", "m1.xlarge"].map((size) => ({
    make: post("compute", "/flavors", { flavor: { name: size, ram: 2304, vcpus: 2, disk: 10 } }),
    remove: ({ flavor }: Answer) => `/flavors/${flavor!.id}`,
  })),
  {
    make: post("compute", "/os-keypairs", { keypair: { name: "operator" } }),
    remove: () => "/os-keypairs/operator",
  },
  {
    make: post("network", "/v2.0/security-groups", { security_group: { name: "office" } }),
    remove: ({ security_group: group }) => `/v2.0/security-groups/${group!.id}`,
  },
  {
    make: post("network", "/v2.0/networks", { network: { name: "other", "router:external": true } }),
    remove: ({ network }) => `/v2.0/networks/${network!.id}`,
  },
];
/** No machine boots from it. */
const image = ["--disk-format=raw", "--container-format=bare", "--file=/etc/hostname", "debian-13.1"];

type Answer = Record<string, { id: string } | undefined>;

function post(service: Call["service"], path: string, body: unknown): Call {
  return { service, method: "POST", path, body };
}

let stack: Stack;
let removals: Call[] = [];
let before: string[];
/** As the cluster is now. */
let current: typeof start;

beforeAll(async () => {
  before = await inventory();
  const answers = await openStack<Answer[]>(...made.map(({ make }) => make));
  await inLabRun(["openstack", "image", "create", ...image]);
  removals = made.map(({ make: { service }, remove }, index) => ({
    service,
    method: "DELETE",
    path: remove(answers[index]!),
    orGone: true,
  }));
  stack = await Stack.create(name, start);
  // Of what is on the lab's mirror the sums are right; the rest is for previews alone.
  const sums = join(stack.folder, "SHA256SUMS");
  const others = ["1.36.2", "1.36.4", "1.37.1"].map((version) => checksumsFile(checksums(version))).join("");
  await writeFile(sums, others + (await readFile(lab("SHA256SUMS"), "utf8")));
  current = changed(start, { downloads: { checksums: relative(repo, sums) } });
});

/** Takes away what the changes name. */
async function remove(): Promise<void> {
  await openStack(...removals.splice(0));
  if ((await inventory()).some((line) => line.endsWith(" debian-13.1")))
    await inLabRun(["openstack", "image", "delete", "debian-13.1"]);
}

afterAll(async () => {
  await stack?.destroyRest();
  await remove();
});

const withChange = ({ before = {}, after }: Change) => changed(changed(current, before), after);

async function up(): Promise<EngineRun> {
  return mustSucceed(stack, await stack.up());
}

/** Does a change, and compares what its preview says, what it did, and what docs/changes.md says. */
async function goThrough(change: Change): Promise<void> {
  const next = withChange(change);
  await stack.write(next);
  const preview = mustSucceed(stack, await stack.preview());
  const run = await phase(`${name}: ${change.what}`, up);
  current = next;
  const foreseen = touchedBy(preview, name);
  expect(touchedBy(run, name)).toEqual(foreseen);
  expect(foreseen).toEqual(change.resources);
}

it("a later phase does to the stack what its preview says", async () => {
  const change = row("a later phase");
  current = changed(current, change.before!);
  await stack.write(current);
  await phase(`${name}: pulumi up, Docker alone`, up);
  await goThrough(change);
});

describe("a preview says what docs/changes.md says", () => {
  it.each(rows.filter(({ does, what }) => does !== "refused" && what !== "a later phase"))(
    "$what",
    async (change) => {
      await stack.write(withChange(change));
      expect(touchedBy(mustSucceed(stack, await stack.preview()), name)).toEqual(change.resources);
    },
  );
});

describe("a preview refuses what docs/changes.md says is refused", () => {
  it.each(rows.filter(({ does }) => does === "refused"))("$what", async (change) => {
    await stack.write(withChange(change));
    const run = await stack.preview();
    expect(run.succeeded).toBe(false);
    expect(run.errors.join("\n")).toMatch(/"refused-changes" failed: .*\nopenstack-kubernetes:\S+: .+; .+/);
    expect(touchedBy(run, name)).toEqual({});
  });
});

it("a refused change changes nothing", async () => {
  await stack.write(withChange(row("the pod network")));
  const [resources, there] = [await stack.resources(), await inventory()];
  const run = await stack.up();
  expect(run.succeeded).toBe(false);
  expect(await stack.resources()).toEqual(resources);
  expect(await inventory()).toEqual(there);
});

describe("what `up` did is what its preview said", () => {
  it.each(done.map(row))("$what", goThrough);

  it("and nothing is left to do", async () => {
    const preview = await stack.preview("--expect-no-changes");
    expect(preview.errors).toEqual([]);
  });
});

it("is destroyed without a trace", async () => {
  await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
  await remove();
  expect(await inventory()).toEqual(before);
});
