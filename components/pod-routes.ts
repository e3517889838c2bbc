import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import type { Network } from "./network.ts";

/** The router's routes, one per node: its pod network by way of its address. */
export class PodRoutes extends pulumi.ComponentResource {
  constructor(
    name: string,
    { plan, network }: { plan: ClusterPlan; network: Network },
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:PodRoutes", name, {}, opts);
    for (const node of plan.nodes) {
      new openstack.networking.RouterRoute(
        `${name}-${node.name}`,
        { routerId: network.router.id, destinationCidr: node.podNetwork, nextHop: node.address },
        // Neutron takes no route whose next hop is on no subnet of the router, and keeps a subnet that one uses.
        { parent: this, dependsOn: [network.routerInterface] },
      );
    }
    this.registerOutputs({});
  }
}
