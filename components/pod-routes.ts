import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import type { AddressPairs } from "./address-pairs.ts";
import type { NodeNetwork } from "./network.ts";

export interface PodRoutesArgs {
  plan: ClusterPlan;
  network: NodeNetwork;
  addressPairs: AddressPairs;
}

/** The router's routes, one per node: its pod network by way of its address. */
export class PodRoutes extends pulumi.ComponentResource {
  readonly routerId: pulumi.Input<string>;
  /** By node name. */
  readonly routes: Record<string, openstack.networking.RouterRoute>;

  constructor(
    name: string,
    { plan, network, addressPairs }: PodRoutesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:PodRoutes", name, {}, opts);
    this.routerId = network.routerId;
    this.routes = Object.fromEntries(
      plan.nodes.map((node) => {
        const route = new openstack.networking.RouterRoute(
          `${name}-${node.name}`,
          { routerId: network.routerId, destinationCidr: node.podNetwork, nextHop: node.address },
          // Neutron takes no route whose next hop is on no subnet of the router, and keeps a subnet that one uses.
          // By its next hop's port a route is known to be this stack's, so the port comes first.
          {
            parent: this,
            dependsOn: [...network.leadsOut, addressPairs.ports[node.name]!],
            // The plugin fails to delete a route that is gone already, as after a destroy that was killed.
            deletedWith: network.leadsOut[0],
          },
        );
        return [node.name, route];
      }),
    );
    this.registerOutputs({});
  }
}
