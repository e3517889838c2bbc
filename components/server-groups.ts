import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { serverGroupName } from "./ownership.ts";

/** Nova's server groups of the pools: which machines are to be on different hosts. */
export class ServerGroups extends pulumi.ComponentResource {
  /** By pool, of those that have one. */
  readonly groups: Record<string, openstack.compute.ServerGroup>;

  constructor(name: string, { plan }: { plan: ClusterPlan }, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:nodes:ServerGroups", name, {}, opts);
    const { cluster } = plan.settings;
    this.groups = Object.fromEntries(
      Object.entries(plan.serverGroups).map(([pool, policy]) => {
        const group = new openstack.compute.ServerGroup(
          `${name}-${pool}`,
          { name: serverGroupName(cluster.name, pool), policies: [policy] },
          { parent: this },
        );
        return [pool, group];
      }),
    );
    this.registerOutputs({});
  }
}
