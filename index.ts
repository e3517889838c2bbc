import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "./components/cluster.ts";
import { lookUp } from "./components/lookups.ts";
import officialChecksums from "./model/checksums.json" with { type: "json" };
import { parseChecksums, type Checksums } from "./model/downloads.ts";
import { plan, type ClusterPlan } from "./model/plan.ts";
import { parseSettings, settingsFromConfig } from "./model/settings.ts";

/** Runs a step whose errors are for the user: the message without a stack trace. */
async function userStep<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

function checksumsOf(file: string | undefined): Checksums {
  if (file === undefined) return officialChecksums;
  return parseChecksums(readFileSync(file, "utf8"));
}

const planned: ClusterPlan = await userStep(() => {
  const settings = parseSettings(settingsFromConfig(pulumi.runtime.allConfig()));
  return plan(settings, checksumsOf(settings.downloads.checksums));
});
const cloud = await userStep(() => lookUp(planned));
const cluster = new Cluster(planned.settings.cluster.name, { plan: planned, cloud });

export const kubeconfig = pulumi.secret(cluster.kubeconfig);
export const endpoints = cluster.endpoints;
export const inventory = cluster.inventory;
