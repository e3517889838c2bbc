import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machinesOf, tryOn } from "../../lab/client/machines.ts";
import { tryInLab } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack, type LabSettings } from "../../lab/client/stack.ts";
import { lab, repo } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import { oneNodeAlone } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory, serverNames } from "./helpers/inventory.ts";

const settings = await labSettings();
const alone = (name: string): LabSettings => oneNodeAlone(settings, name);

describe("wrong settings, before anything is made", () => {
  const name = "e2e-wrong";
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.create(name, alone(name));
  });

  it("names both of two mistakes in one run", async () => {
    const before = await inventory();
    await stack.write({
      ...alone(name),
      cluster: { ...settings.cluster, name, kubernetesVersion: "1.20.0" },
      runtime: "podman",
    });
    const run = await stack.up();
    expect(run.succeeded).toBe(false);
    expect(run.errors.join("\n")).toMatch(/openstack-kubernetes:cluster\.kubernetesVersion: must be .*1\.36/);
    expect(run.errors.join("\n")).toMatch(/openstack-kubernetes:runtime: must be one of docker, containerd/);
    expect(await inventory()).toEqual(before);
  });

  it.each([
    [
      "image",
      { machine: { ...alone(name).machine, image: "nowhere" } },
      /^openstack-kubernetes:machine\.image: .* no image named nowhere$/,
    ],
    [
      "flavor",
      { machine: { ...alone(name).machine, flavor: "nowhere" } },
      /^openstack-kubernetes:machine\.flavor: .* no flavor named nowhere$/,
    ],
    [
      "external network",
      { network: { ...settings.network, externalNetwork: "nowhere" } },
      /^openstack-kubernetes:network\.externalNetwork: .* no external network named nowhere$/,
    ],
  ])("says in one line that OpenStack has no such %s", async (_, wrong, line) => {
    const before = await inventory();
    await stack.write({ ...alone(name), ...wrong });
    const run = await stack.up();
    expect(run.succeeded).toBe(false);
    expect(run.errors).toEqual([expect.stringMatching(line)]);
    expect(await inventory()).toEqual(before);
  });

  it("says in one line that there are no credentials", async () => {
    const before = await inventory();
    await stack.write(alone(name));
    const run = await stack.upWithout(["OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD"]);
    expect(run.succeeded).toBe(false);
    expect(run.errors).toEqual([
      expect.stringMatching(/^OpenStack could not be asked; check .*clouds\.yaml.*$/),
    ]);
    expect(await inventory()).toEqual(before);
  });
});

describe("a download that is not what its checksum says", () => {
  const name = "e2e-checksum";
  let stack: Stack | undefined;
  afterAll(() => stack?.destroyRest());

  it("is refused by name and not installed", async () => {
    const wrong = alone(name);
    stack = await Stack.create(name, wrong);
    const before = await inventory();
    const sums = await readFile(lab("SHA256SUMS"), "utf8");
    const checksums = join(stack.folder, "SHA256SUMS");
    await writeFile(checksums, sums.replace(/^[0-9a-f]{64}(?=.*\/kubelet$)/m, "0".repeat(64)));
    await stack.write({
      ...wrong,
      downloads: { ...wrong.downloads, checksums: relative(repo, checksums) },
    });

    const run = await phase(`${name}: pulumi up`, () => stack!.up());
    expect(run.succeeded).toBe(false);
    const url = `${wrong.downloads.kubernetes}/v${wrong.cluster.kubernetesVersion}/bin/linux/amd64/kubelet`;
    expect(run.errors.join("\n")).toContain(`checksum of ${url} differs: expected ${"0".repeat(64)}, got`);
    const machine = (await machinesOf(stack, [`${name}-1`]))[`${name}-1`]!;
    expect((await tryOn(machine, "test -e /usr/local/bin/kubelet")).exitCode).toBe(1);

    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack!, await stack!.destroy()));
    expect(await inventory()).toEqual(before);
  });
});

describe("a run of the program that was killed", () => {
  const name = "e2e-killed";
  let stack: Stack | undefined;
  afterAll(() => stack?.destroyRest());

  const killedWithItsInstance = (stack: Stack) =>
    phase(`${name}: pulumi up, killed with its first instance`, () =>
      stack.killedAt(async () => (await serverNames()).includes(`${name}-1`)),
    );

  it("is given up by a destroy, which takes away what no state knows", async () => {
    stack = await Stack.create(name, alone(name));
    const before = await inventory();
    await killedWithItsInstance(stack);
    await stack.cancel();
    expect((await stack.resources()).filter(({ type }) => type.endsWith(":Instance"))).toEqual([]);
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack!, await stack!.destroy()));
    expect(await inventory()).toEqual(before);
  });

  it("is finished by the next run, and nothing is left when the stack is destroyed", async () => {
    stack = await Stack.create(name, alone(name));
    const before = await inventory();
    const killed = await killedWithItsInstance(stack);
    expect(killed.succeeded).toBe(false);
    // It did not end by itself, with a summary.
    expect(killed.changes).toEqual({});
    // Neither the program nor a plugin outlives the engine.
    const leftBehind = ["pgrep", "-af", "pulumi/cmd/run/index[.]js|lab/plugins/.*/main[.]ts"];
    await eventually(60, async () => expect((await tryInLab(leftBehind)).stdout).toBe(""));

    await stack.cancel();
    await phase(`${name}: pulumi up again`, async () => mustSucceed(stack!, await stack!.up()));
    expect((await serverNames()).filter((server) => server === `${name}-1`)).toHaveLength(1);
    const preview = await stack.preview("--expect-no-changes");
    expect(preview.errors).toEqual([]);

    const state = () => stack!.pulumi("stack", "export", "--stack", name);
    expect(await state()).toContain('"type": "creating"');
    mustSucceed(stack, await stack.refresh("--clear-pending-creates"));
    expect(await state()).not.toContain('"type": "creating"');

    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack!, await stack!.destroy()));
    expect(await inventory()).toEqual(before);
  });
});
