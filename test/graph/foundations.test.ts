import { statSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it } from "vitest";
import { Foundations, refusedChanges } from "../../components/foundations.ts";
import { foundationsOf } from "../../model/foundations.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { run } from "../helpers/monitor.ts";
import { repo } from "../helpers/project.ts";

const domain = { cluster: { ...stackSettings.cluster, domain: "example.org" } };

/** Has the engine's hook look at a change from the tests' stack to this one. */
async function change(changes: Record<string, unknown>): Promise<pulumi.ResourceHook> {
  const plan = planOf(changes);
  const { result } = await run(() => refusedChanges(plan).beforeUpdate![0] as pulumi.ResourceHook);
  await result.callback({
    oldInputs: foundationsOf(planOf()),
    newInputs: foundationsOf(plan),
  } as unknown as pulumi.ResourceHookArgs);
  return result;
}

describe("the foundations of a cluster", () => {
  it("have the same name for every cluster, and hold what is compared, nothing of it secret", async () => {
    const plan = planOf();
    const { resources } = await run(async () => new Foundations("foundations", { plan }).accepted);
    expect(resources).toMatchObject([
      { name: "foundations", custom: false, parent: undefined },
      { name: "foundations-leftovers", parent: "foundations" },
    ]);
    expect(resources[0]!.inputs).toEqual(JSON.parse(JSON.stringify(foundationsOf(plan))));
  });

  it("end with what a destroy begins with: a command for this stack, of whatever organization", async () => {
    const { resources } = await run(async () => new Foundations("foundations", { plan: planOf() }).accepted);
    const { inputs, dependencies } = resources[1]!;
    expect(dependencies).toEqual([]);
    expect(inputs).toEqual({
      delete: "destroy/leftovers.sh",
      environment: { STACK: "organization/openstack-kubernetes/test" },
    });
    expect(statSync(join(repo, "destroy/leftovers.sh")).mode & 0o111).not.toBe(0);
  });

  it("refuse a change with a line for each reason", async () => {
    await expect(change(domain)).rejects.toThrow(
      /^refused:\nopenstack-kubernetes:cluster\.domain: cluster\.local cannot become example\.org: [^\n]+$/,
    );
  });

  it("let through what the settings allow, and what disrupts nothing", async () => {
    await change({ ...domain, allowDisruption: ["cluster.domain"] });
    await change({ kubelet: { maxPods: 50 } });
  });

  it("are looked at in a preview too", async () => {
    expect((await change({})).opts).toEqual({ onDryRun: true });
  });
});
