import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import type { Network } from "./network.ts";
import type { SecurityGroups } from "./security-groups.ts";

export interface AddressPairsArgs {
  plan: ClusterPlan;
  network: Network;
  securityGroups: SecurityGroups;
}

/**
 * The nodes' ports, each with its fixed address and an allowed address pair for its pod network, without which
 * Neutron drops what pods send (https://docs.openstack.org/api-ref/network/v2/#allowed-address-pairs).
 */
export class AddressPairs extends pulumi.ComponentResource {
  /** By node name. */
  readonly ports: Record<string, openstack.networking.Port>;

  constructor(
    name: string,
    { plan, network, securityGroups }: AddressPairsArgs,
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
            networkId: network.network.id,
            adminStateUp: true,
            fixedIps: [{ subnetId: network.subnet.id, ipAddress: node.address }],
            allowedAddressPairs: [{ ipAddress: node.podNetwork }],
            securityGroupIds: [
              groups.node.id,
              ...(node.role === "control-plane" ? [groups["control-plane"].id] : []),
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
