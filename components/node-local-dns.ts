import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { nodeLocalDns } from "../model/addons/node-local-dns.ts";
import type { ClusterPlan } from "../model/plan.ts";

/** A cache of the cluster's DNS on each node. */
export class NodeLocalDns extends pulumi.ComponentResource {
  constructor(name: string, { plan }: { plan: ClusterPlan }, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:addons:NodeLocalDns", name, {}, opts);
    const { configMap, daemonSet } = nodeLocalDns(plan);
    // Children inherit their parent's provider, but not what they are deleted with.
    const parent = { parent: this, deletedWith: opts?.deletedWith };
    const config = new kubernetes.core.v1.ConfigMap(`${name}-config`, configMap, parent);
    new kubernetes.apps.v1.DaemonSet(`${name}-daemon-set`, daemonSet, { ...parent, dependsOn: [config] });
    this.registerOutputs({});
  }
}
