import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import type { AddressPairs } from "./address-pairs.ts";
import { destroyLeftovers } from "./destroy-leftovers.ts";
import type { NodeNetwork } from "./network.ts";
import { clusterDescription } from "./ownership.ts";

export interface FloatingAddressesArgs {
  plan: ClusterPlan;
  network: NodeNetwork;
  addressPairs: AddressPairs;
}

/** A floating address for each node: for SSH, the API, node ports and Docker from outside. */
export class FloatingAddresses extends pulumi.ComponentResource {
  /** By node name. */
  readonly addresses: Record<string, openstack.networking.FloatingIp>;

  constructor(
    name: string,
    { plan, network, addressPairs }: FloatingAddressesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:FloatingAddresses", name, {}, opts);
    const { externalNetwork, floatingPool = externalNetwork } = plan.settings.network;
    // Neutron does not let a port go while it gives that an address.
    const leftovers = destroyLeftovers(`${name}-leftovers`, {
      parent: this,
      dependsOn: Object.values(addressPairs.ports),
    });
    this.addresses = Object.fromEntries(
      plan.nodes.map((node) => {
        const address = new openstack.networking.FloatingIp(
          `${name}-${node.name}`,
          {
            pool: floatingPool,
            description: `${clusterDescription(plan.settings.cluster.name)}, node ${node.name}`,
            portId: addressPairs.ports[node.name]!.id,
          },
          // Neutron associates an address only with a port behind a router that leads out.
          { parent: this, dependsOn: [...network.leadsOut, leftovers] },
        );
        return [node.name, address];
      }),
    );
    this.registerOutputs({});
  }
}
