import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { destroyLeftovers } from "./destroy-leftovers.ts";
import { clusterDescription } from "./ownership.ts";

export interface NetworkArgs {
  plan: ClusterPlan;
  externalNetworkId: string;
  /** The security groups that ports will have. */
  groups: pulumi.Resource[];
}

/** Where the nodes are, whether the program makes it or it is there already. */
export interface NodeNetwork {
  networkId: pulumi.Input<string>;
  subnetId: pulumi.Input<string>;
  routerId: pulumi.Input<string>;
  /** What all waits for that Neutron makes a port for: what no state knows of that goes before network and groups do. */
  leftovers: pulumi.Resource;
  /** What routes, floating addresses and machines wait for: the router leads out once it is there. */
  leadsOut: pulumi.Resource[];
}

/** The machines' network and subnet, and the router that routes pods and leads out. */
export class Network extends pulumi.ComponentResource implements NodeNetwork {
  readonly networkId: pulumi.Output<string>;
  readonly subnetId: pulumi.Output<string>;
  readonly routerId: pulumi.Output<string>;
  readonly leftovers: pulumi.Resource;
  readonly leadsOut: pulumi.Resource[];

  constructor(
    name: string,
    { plan, externalNetworkId, groups }: NetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:Network", name, {}, opts);
    const { cluster, network: settings } = plan.settings;
    const description = clusterDescription(cluster.name);
    const network = new openstack.networking.Network(
      `${name}-net`,
      { name: `${cluster.name}-nodes`, description, adminStateUp: true },
      { parent: this },
    );
    const subnet = new openstack.networking.Subnet(
      `${name}-subnet`,
      {
        name: `${cluster.name}-nodes`,
        description,
        networkId: network.id,
        cidr: settings.nodeNetwork,
        ipVersion: 4,
        allocationPools: [plan.allocationPool],
        dnsNameservers: settings.nameServers,
      },
      { parent: this },
    );
    const router = new openstack.networking.Router(
      `${name}-router`,
      { name: cluster.name, description, adminStateUp: true, externalNetworkId },
      { parent: this },
    );
    this.leftovers = destroyLeftovers(`${name}-leftovers`, {
      parent: this,
      dependsOn: [subnet, router, ...groups],
    });
    const routerInterface = new openstack.networking.RouterInterface(
      `${name}-router-interface`,
      // With it go the routes by way of its subnet.
      { routerId: router.id, subnetId: subnet.id, forceDestroy: true },
      { parent: this, dependsOn: this.leftovers },
    );
    this.networkId = network.id;
    this.subnetId = subnet.id;
    this.routerId = router.id;
    this.leadsOut = [routerInterface];
    this.registerOutputs({ networkId: this.networkId, routerId: this.routerId });
  }
}
