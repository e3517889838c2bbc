import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { openStack, type Call } from "../../lab/client/openstack.ts";
import { labSettings, mustSucceed, Stack, type EngineRun } from "../../lab/client/stack.ts";
import { phase } from "../../lab/phase.ts";
import { inventory } from "./helpers/inventory.ts";
import { ProjectQuotas } from "./helpers/project-quotas.ts";

// One stack that is too large for its project at first, and then just fits.

const name = "e2e-preflight";
const settings = await labSettings();
const { slot, flavor = settings.machine.flavor } = Object.values(settings.nodes).find(
  ({ role }) => role === "control-plane",
)!;
const stackSettings = (machine: object = { flavor }) => ({
  ...settings,
  cluster: { ...settings.cluster, name },
  machine: { ...settings.machine, ...machine },
  nodes: { [`${name}-1`]: { role: "control-plane", slot } },
});

let quotas: ProjectQuotas;
let stack: Stack;
let smallFlavor: Call;
let before: string[];

beforeAll(async () => {
  quotas = await ProjectQuotas.ofLab();
  stack = await Stack.create(name, stackSettings());
  const body = { flavor: { name, ram: 512, vcpus: 1, disk: 5 } };
  const [made] = await openStack<[{ flavor: { id: string } }]>({
    service: "compute",
    method: "POST",
    path: "/flavors",
    body,
  });
  smallFlavor = { service: "compute", method: "DELETE", path: `/flavors/${made.flavor.id}`, orGone: true };
  before = await inventory();
});

afterEach(() => quotas.restore());

afterAll(async () => {
  await stack?.destroyRest();
  if (smallFlavor) await openStack(smallFlavor);
});

const linesOf = (errors: string[]) => errors.flatMap((error) => error.split("\n"));
const warnings = ({ events }: EngineRun) =>
  events.flatMap(({ diagnosticEvent }) =>
    diagnosticEvent?.severity === "warning" ? diagnosticEvent.message : [],
  );

it("a flavor that is too small and quotas that leave too little are told in one run, and nothing is made", async () => {
  await quotas.leave({ cores: 0, floatingip: 0 });
  await stack.write(stackSettings({ flavor: name, image: "nowhere" }));
  for (const run of [await stack.preview(), await stack.up()]) {
    expect(run.succeeded).toBe(false);
    expect(linesOf(run.errors).sort()).toEqual([
      expect.stringMatching(
        /^openstack-kubernetes:machine\.flavor: .* 5 GB of disk, .* needs 10 GB; choose a larger flavor$/,
      ),
      expect.stringMatching(
        /^openstack-kubernetes:machine\.flavor: .* 512 MiB of memory, .* needs 2048 MiB; choose a larger flavor$/,
      ),
      "openstack-kubernetes:machine.image: this OpenStack project sees no image named nowhere",
      expect.stringMatching(/^openstack-kubernetes:nodes: of cores the cluster needs 1 more, .* leaves 0 /),
      expect.stringMatching(
        /^openstack-kubernetes:nodes: of floating addresses the cluster needs 1 more, .* leaves 0 /,
      ),
    ]);
  }
  expect(await inventory()).toEqual(before);
});

it("quotas that leave just enough are enough, and no hindrance once the stack has used them up", async () => {
  await quotas.leave({
    instances: 1,
    cores: 2,
    // The router's port in the subnet and that of DHCP come with the node's.
    port: 3,
    floatingip: 1,
    security_group: 2,
    network: 1,
    subnet: 1,
    router: 1,
  });
  await stack.write(stackSettings());
  const up = await phase(`${name}: pulumi up`, async () => mustSucceed(stack, await stack.up()));
  expect(warnings(up).filter((warning) => warning.includes("quota"))).toEqual([]);
  const preview = await stack.preview("--expect-no-changes");
  expect(preview.errors).toEqual([]);

  const more = { [`${name}-2`]: { role: "worker", slot: slot + 1 } };
  await stack.write({ ...stackSettings(), nodes: { ...stackSettings().nodes, ...more } });
  const further = await stack.preview();
  expect(linesOf(further.errors).map((line) => line.split(" more, ")[0])).toEqual([
    "openstack-kubernetes:nodes: of servers the cluster needs 1",
    "openstack-kubernetes:nodes: of cores the cluster needs 2",
    "openstack-kubernetes:nodes: of ports the cluster needs 1",
    "openstack-kubernetes:nodes: of floating addresses the cluster needs 1",
  ]);

  await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
  expect(await inventory()).toEqual(before);
});
