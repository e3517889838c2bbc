import type { V1NodeList } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { phase } from "../../lab/phase.ts";
import { isNodeReady, olderVersion, reach } from "./helpers/cluster.ts";
import { inventory, serverNames } from "./helpers/inventory.ts";

// The engine is killed again and again, each time a little later, and the next run goes on from what it left.

const name = "life-killed";
const base = await labSettings();
const older = await olderVersion(base);
const { "worker-2": added, ...fewer } = base.nodes;

const settings = (kubernetesVersion: string, nodes: object) => ({
  ...base,
  cluster: { ...base.cluster, name, kubernetesVersion },
  nodes,
});

let stack: Stack;
let before: string[];

beforeAll(async () => {
  await fillMirror(base.cluster, { kubernetesVersion: older });
  stack = await Stack.create(name, settings(older, fewer));
  before = await inventory();
}, 60 * 60_000);

afterAll(() => stack?.destroyRest());

/** Kills the engine once after each of these seconds of a run; how many of the runs were still at work. */
async function killedAfter(what: "up" | "destroy", seconds: readonly number[]): Promise<number> {
  let killed = 0;
  for (const [index, limit] of seconds.entries()) {
    const end = performance.now() + limit * 1000;
    const run = await phase(
      `${name}: ${what}, killed after ${limit} s (${index + 1} of ${seconds.length})`,
      () => stack.killedAt(() => Promise.resolve(performance.now() > end), what),
    );
    // Whoever is killed has no summary.
    if (!run.succeeded && Object.keys(run.changes).length === 0) killed++;
    else if (!run.succeeded) mustSucceed(stack, run);
    await stack.cancel();
  }
  return killed;
}

/** Finishes the run, and sees that each node is there once and Ready, with nothing more to do. */
async function finish(kubernetesVersion: string, nodes: object): Promise<void> {
  await phase(`${name}: up to its end`, async () => mustSucceed(stack, await stack.up()));
  const names = Object.keys(nodes).sort();
  const servers = await serverNames();
  expect(servers.filter((server) => names.includes(server)).sort()).toEqual(names);
  const { kubectl } = await reach(stack, names);
  const { items } = await kubectl.get<V1NodeList>("nodes");
  const found = items.map((node) => ({
    name: node.metadata!.name!,
    usable: isNodeReady(node) && !node.spec?.unschedulable,
    version: node.status!.nodeInfo!.kubeletVersion,
  }));
  expect(found.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
    names.map((node) => ({ name: node, usable: true, version: `v${kubernetesVersion}` })),
  );
  expect((await stack.preview("--expect-no-changes")).errors).toEqual([]);
}

describe("life-07: the engine killed at 36 points", () => {
  it(
    "of a first up that is given up: a destroy leaves nothing",
    async () => {
      for (const seconds of [7, 11, 15, 19, 23, 27]) {
        await killedAfter("up", [seconds]);
        await phase(`${name}: destroy`, async () => mustSucceed(stack, await stack.destroy()));
        expect(await inventory()).toEqual(before);
      }
    },
    30 * 60_000,
  );

  it(
    "of a first up",
    async () => {
      expect(await killedAfter("up", [6, 9, 12, 15, 18, 21, 24, 27])).toBeGreaterThan(5);
      await finish(older, fewer);
    },
    30 * 60_000,
  );

  it(
    "of an upgrade",
    async () => {
      await stack.write(settings(base.cluster.kubernetesVersion, fewer));
      expect(await killedAfter("up", [6, 9, 12, 15, 18, 21, 24])).toBeGreaterThan(3);
      await finish(base.cluster.kubernetesVersion, fewer);
    },
    30 * 60_000,
  );

  it(
    "of growing",
    async () => {
      await stack.write(settings(base.cluster.kubernetesVersion, { ...fewer, "worker-2": added }));
      expect(await killedAfter("up", [7, 10, 13, 16, 19, 22, 25])).toBeGreaterThan(3);
      await finish(base.cluster.kubernetesVersion, { ...fewer, "worker-2": added });
    },
    30 * 60_000,
  );

  it(
    "of destroying, and nothing is left",
    async () => {
      expect(await killedAfter("destroy", [3, 4, 5, 6, 7, 8, 9, 10])).toBeGreaterThan(3);
      await phase(`${name}: destroy to its end`, () => stack.destroyRest());
      expect(await inventory()).toEqual(before);
    },
    30 * 60_000,
  );
});
