import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster.ts";
import { endWithEngine } from "./components/end-with-engine.ts";
import { Foundations, refusedChanges } from "./components/foundations.ts";
import { withoutLeftovers } from "./components/leftovers.ts";
import { lookUp } from "./components/lookups.ts";
import { watchRoutes } from "./components/route-watch.ts";
import { check } from "./model/checks.ts";
import { plan, type ClusterPlan } from "./model/plan.ts";
import { settingsFromConfig } from "./model/settings.ts";

/** Runs a step whose errors are for the user: the message without a stack trace. */
async function userStep<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

endWithEngine();
const planned: ClusterPlan = await userStep(() => {
  const input = settingsFromConfig(pulumi.runtime.allConfig());
  const { settings, checksums } = check(input, (file) => readFileSync(file, "utf8"));
  return plan(settings, checksums);
});
const cloud = await userStep(() => lookUp(planned));
const hooks = refusedChanges(planned);
const foundations = new Foundations("foundations", { plan: planned }, { hooks });
await foundations.accepted;
const cluster = new Cluster(
  planned.settings.cluster.name,
  { plan: planned, cloud, leftovers: foundations.leftovers },
  { transformations: [withoutLeftovers()] },
);
if (cluster.podRoutes) watchRoutes(planned, cluster.podRoutes);

export const kubeconfig = cluster.kubeconfig;
export const dockerClient = cluster.dockerClient;
export const endpoints = cluster.endpoints;
export const inventory = cluster.inventory;
export const ansibleInventory = cluster.ansibleInventory;
