import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { clusterDescription } from "./ownership.ts";
import type { NodeNetwork } from "./network.ts";
import type { SecurityGroups } from "./security-groups.ts";

export interface AddressPairsArgs {
  plan: ClusterPlan;
  network: NodeNetwork;
  securityGroups: SecurityGroups;
  /** Ids of security groups of one's own, by name. */
  securityGroupIds: Record<string, string>;
}

/**
 * The nodes' ports, each with its fixed address and, where pods' packets cross it as they are, an allowed address pair
 * for its pod network, without which Neutron drops them
 * (https://docs.openstack.org/api-ref/network/v2/#allowed-address-pairs).
 */
export class AddressPairs extends pulumi.ComponentResource {
  /** By node name. */
  readonly ports: Record<string, openstack.networking.Port>;

  constructor(
    name: string,
    { plan, network, securityGroups, securityGroupIds }: AddressPairsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:AddressPairs", name, {}, opts);
    const { groups } = securityGroups;
    this.ports = Object.fromEntries(
      plan.nodes.map((node) => {
        const port = new openstack.networking.Port(
          `${name}-${node.name}`,
          {
            name: `${plan.settings.cluster.name}-${node.name}`,
            description: clusterDescription(plan.settings.cluster.name),
            networkId: network.networkId,
            adminStateUp: true,
            fixedIps: [{ subnetId: network.subnetId, ipAddress: node.address }],
            allowedAddressPairs: plan.routing.podsOnPorts ? [{ ipAddress: node.podNetwork }] : [],
            securityGroupIds: [
              groups.node.id,
              ...(node.role === "control-plane" ? [groups["control-plane"].id] : []),
              ...node.securityGroups.map((group) => securityGroupIds[group]!),
            ],
          },
          { parent: this },
        );
        return [node.name, port];
      }),
    );
    this.registerOutputs({});
  }
}
