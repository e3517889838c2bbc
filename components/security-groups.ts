import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { securityRules, type GroupRole } from "../model/security-rules.ts";
import { clusterDescription } from "./ownership.ts";

/** The security groups of the machines, by role. */
export class SecurityGroups extends pulumi.ComponentResource {
  readonly groups: Record<GroupRole, openstack.networking.SecGroup>;

  constructor(name: string, { plan }: { plan: ClusterPlan }, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:network:SecurityGroups", name, {}, opts);
    const rules = securityRules(plan.settings);
    const group = (role: GroupRole) => {
      const group = new openstack.networking.SecGroup(
        `${name}-${role}`,
        {
          name: `${plan.settings.cluster.name}-${role}`,
          description: clusterDescription(plan.settings.cluster.name),
        },
        { parent: this },
      );
      for (const rule of rules[role]) {
        new openstack.networking.SecGroupRule(
          `${name}-${role}-${rule.name}`,
          {
            securityGroupId: group.id,
            direction: "ingress",
            ethertype: "IPv4",
            protocol: rule.protocol,
            portRangeMin: rule.ports?.min,
            portRangeMax: rule.ports?.max,
            remoteIpPrefix: rule.remoteIpPrefix,
          },
          // Neutron deletes a group's rules with it; the provider takes five seconds for each, one after the other.
          { parent: this, deletedWith: group },
        );
      }
      return group;
    };
    this.groups = { node: group("node"), "control-plane": group("control-plane") };
    this.registerOutputs({});
  }
}
