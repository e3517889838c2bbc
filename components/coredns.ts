import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { coredns } from "../model/addons/coredns.ts";
import type { ClusterPlan } from "../model/plan.ts";

/** The cluster's DNS. */
export class CoreDns extends pulumi.ComponentResource {
  readonly deployment: kubernetes.apps.v1.Deployment;

  constructor(name: string, { plan }: { plan: ClusterPlan }, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:addons:CoreDns", name, {}, opts);
    const objects = coredns(plan);
    // Children inherit their parent's provider, but not what they are deleted with.
    const parent = { parent: this, deletedWith: opts?.deletedWith };
    new kubernetes.core.v1.ServiceAccount(`${name}-service-account`, objects.serviceAccount, parent);
    new kubernetes.rbac.v1.ClusterRole(`${name}-role`, objects.clusterRole, parent);
    new kubernetes.rbac.v1.ClusterRoleBinding(`${name}-role-binding`, objects.clusterRoleBinding, parent);
    const configMap = new kubernetes.core.v1.ConfigMap(`${name}-config`, objects.configMap, parent);
    this.deployment = new kubernetes.apps.v1.Deployment(`${name}-deployment`, objects.deployment, {
      ...parent,
      dependsOn: [configMap],
    });
    new kubernetes.core.v1.Service(`${name}-service`, objects.service, parent);
    this.registerOutputs({});
  }
}
