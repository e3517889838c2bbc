import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { foundationsOf, type Foundations as Facts } from "../model/foundations.ts";
import { refusals, refusalText } from "../model/transitions.ts";
import { destroyLeftovers } from "./destroy-leftovers.ts";

/**
 * What the cluster is built on, kept in the stack's state. Its name is the same for every cluster, so that a renamed one
 * is noticed.
 */
export class Foundations extends pulumi.ComponentResource {
  /** Ends once the engine has accepted them; never where a change is refused, since the engine then ends the run. */
  readonly accepted: Promise<void>;
  /** What everything of OpenStack's waits for: a destroy ends with it. */
  readonly leftovers: pulumi.Resource;

  constructor(name: string, { plan }: { plan: ClusterPlan }, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:index:Foundations", name, { ...foundationsOf(plan) }, opts);
    this.leftovers = destroyLeftovers(`${name}-leftovers`, { parent: this });
    this.accepted = new Promise((resolve) => this.urn.apply(() => resolve()));
    this.registerOutputs({});
  }
}

/** Refuses, in a preview already, what would cut off what runs (model/transitions.ts). */
export function refusedChanges({ settings }: ClusterPlan): pulumi.ResourceHookBinding {
  const refuse = new pulumi.ResourceHook(
    "refused-changes",
    ({ oldInputs, newInputs }) => {
      const found = refusals(oldInputs as Facts, newInputs as Facts, settings.allowDisruption);
      if (found.length > 0) throw new Error(["refused:", ...found.map(refusalText)].join("\n"));
    },
    { onDryRun: true },
  );
  return { beforeUpdate: [refuse] };
}
