import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { clusterDescription } from "./leftovers.ts";

export interface NetworkArgs {
  plan: ClusterPlan;
  externalNetworkId: string;
}

/** The machines' network and subnet, and the router that routes pods and leads out. */
export class Network extends pulumi.ComponentResource {
  readonly network: openstack.networking.Network;
  readonly subnet: openstack.networking.Subnet;
  readonly router: openstack.networking.Router;
  /** Routes and floating addresses work only once this is there. */
  readonly routerInterface: openstack.networking.RouterInterface;

  constructor(
    name: string,
    { plan, externalNetworkId }: NetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:Network", name, {}, opts);
    const { network, cluster } = plan.settings;
    const description = clusterDescription(cluster.name);
    this.network = new openstack.networking.Network(
      `${name}-net`,
      { name: `${cluster.name}-nodes`, description, adminStateUp: true },
      { parent: this },
    );
    this.subnet = new openstack.networking.Subnet(
      `${name}-subnet`,
      {
        name: `${cluster.name}-nodes`,
        description,
        networkId: this.network.id,
        cidr: network.nodeNetwork,
        ipVersion: 4,
        allocationPools: [plan.allocationPool],
        dnsNameservers: network.nameServers,
      },
      { parent: this },
    );
    this.router = new openstack.networking.Router(
      `${name}-router`,
      { name: cluster.name, description, adminStateUp: true, externalNetworkId },
      { parent: this },
    );
    this.routerInterface = new openstack.networking.RouterInterface(
      `${name}-router-interface`,
      { routerId: this.router.id, subnetId: this.subnet.id },
      { parent: this },
    );
    this.registerOutputs({ networkId: this.network.id, routerId: this.router.id });
  }
}
