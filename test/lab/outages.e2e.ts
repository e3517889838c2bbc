import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { V1NodeList } from "@kubernetes/client-node";
import { machinesOf, tryOn, type Machine } from "../../lab/client/machines.ts";
import { openStack } from "../../lab/client/openstack.ts";
import { labSettings, mustSucceed, Stack, type EngineRun } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { phase } from "../../lab/phase.ts";
import { isNodeReady, oneNodeAlone, reach } from "./helpers/cluster.ts";
import { inventory, serverNames } from "./helpers/inventory.ts";
import { Proxy, proxyOutside } from "./helpers/outside.ts";
import { stepsOf } from "./helpers/steps.ts";

// One stack comes up through one trouble after the other; each run goes on from what the last has left.

const name = "life-outages";
const node = `${name}-1`;
const instance = `control-plane-${node}-instance`;
const settings = await labSettings();

let stack: Stack;
let before: string[];

beforeAll(async () => {
  await fillMirror(settings.cluster);
  stack = await Stack.create(name, oneNodeAlone(settings, name));
  before = await inventory();
});

afterAll(() => stack?.destroyRest());

/** Whether Nova may give machines to the lab's one hypervisor. */
async function setHypervisor(how: "enable" | "disable"): Promise<void> {
  const binary = "nova-compute";
  const [{ services }] = await openStack<[{ services: { host: string }[] }]>({
    service: "compute",
    path: `/os-services?binary=${binary}`,
  });
  await openStack({
    service: "compute",
    method: "PUT",
    path: `/os-services/${how}`,
    body: { host: services[0]!.host, binary },
  });
}

/** Names of the resources that a run says errors of. */
const failedIn = ({ events }: EngineRun): string[] => [
  ...new Set(
    events
      .flatMap(({ diagnosticEvent }) =>
        diagnosticEvent?.severity === "error" ? (diagnosticEvent.urn ?? []) : [],
      )
      .map((urn) => urn.split("::").at(-1)!)
      .filter((resource) => resource.startsWith(`${name}-`)),
  ),
];

describe("life-07: the API answers 503", () => {
  // Whatever passes, no machine comes up before the next part.
  beforeAll(() => setHypervisor("disable"));
  afterAll(() => {
    stack.variables = {};
  });

  it("ends a run with that answer, and leaves nothing that stands in the next one's way", async () => {
    // Not those of the look-ups, without which a run does not begin.
    const proxy = await Proxy.start({
      every: 4,
      of: /^(POST|PUT|DELETE) \S+:(9696|8774)|^GET \S+[/][0-9a-f-]{36}$/,
    });
    stack.variables = { http_proxy: proxyOutside, NODE_USE_ENV_PROXY: "1" };
    try {
      for (const attempt of [1, 2, 3]) {
        const run = await phase(`${name}: pulumi up with answers of 503, ${attempt} of 3`, () => stack.up());
        expect(run.succeeded).toBe(false);
        expect(run.errors.join("\n")).toMatch(/503|currently unable to handle the request/);
      }
      console.log(`${name}: answered 503:\n${proxy.refused().join("\n")}`);
      expect(proxy.refused().length).toBeGreaterThan(2);
    } finally {
      await proxy.stop();
    }
  });
});

describe("life-07: Nova puts the server in ERROR", () => {
  afterAll(() => setHypervisor("enable"));

  it("is said by the node's name, and the next preview says that the machine is made anew", async () => {
    const run = await phase(`${name}: pulumi up without a hypervisor`, () => stack.up());
    expect(run.succeeded).toBe(false);
    expect(run.errors.join("\n")).toContain("ERROR");
    expect(failedIn(run)).toEqual([`${name}-${instance}`]);
    expect((await serverNames()).filter((server) => server === node)).toHaveLength(1);

    const preview = await stack.preview();
    expect(preview.errors).toEqual([]);
    const said = preview.events.flatMap(({ diagnosticEvent }) => diagnosticEvent?.message ?? []).join("\n");
    expect(said).toMatch(new RegExp(`^${node}: Nova could not build its machine, .*: No valid host`, "m"));
    expect(stepsOf(preview, name)).toContain(`replace ${instance}`);
  });
});

describe("life-07: SSH is cut in the middle of converge", () => {
  it("ends the run with the node's name, and the next one finishes", async () => {
    let machine: Machine | undefined;
    /** The machine is at work on its files. */
    const converging = async (): Promise<boolean> => {
      // The state does not have its address and keys yet, or is just being written.
      machine ??= await machinesOf(stack, [node]).then(
        (machines) => machines[node],
        () => undefined,
      );
      return machine !== undefined && (await tryOn(machine, "pgrep -f [c]onverge.sh")).exitCode === 0;
    };
    const cut = await phase(`${name}: pulumi up, its connections cut in converge`, () =>
      // Every session of the program, and the one that says so.
      stack.during(
        converging,
        async () => void (await tryOn(machine!, "sudo pkill -KILL -f '[s]shd.*@notty'")),
      ),
    );
    expect(cut.succeeded).toBe(false);
    expect(failedIn(cut)).toEqual([`${name}-control-plane-${node}-converge`]);

    await phase(`${name}: pulumi up to its end`, async () => mustSucceed(stack, await stack.up()));
    expect((await serverNames()).filter((server) => server === node)).toHaveLength(1);
    const { kubectl } = await reach(stack, [node]);
    const { items } = await kubectl.get<V1NodeList>("nodes");
    expect(items.map(isNodeReady)).toEqual([true]);
    expect((await stack.preview("--expect-no-changes")).errors).toEqual([]);
  });
});

it("life-07: all of it is destroyed without a trace in OpenStack", async () => {
  await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
  expect(await inventory()).toEqual(before);
});
