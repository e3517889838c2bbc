import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import { anyone } from "../model/load-balancer-settings.ts";
import type { ListenerPlan, LoadBalancerPlan } from "../model/load-balancers.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { clusterDescription } from "./ownership.ts";
import type { NodeNetwork } from "./network.ts";

export interface LoadBalancerArgs {
  plan: ClusterPlan;
  balancer: LoadBalancerPlan;
  network: NodeNetwork;
}

/**
 * A load balancer of Octavia's on the node network. Its own address there is Neutron's choice, from the range that no
 * node has an address in. A listener has all workers in one resource, so that a worker more changes that one alone.
 */
export class LoadBalancer extends pulumi.ComponentResource {
  /** The floating address, or where it has none that of the node network. */
  readonly address: pulumi.Output<string>;

  constructor(
    name: string,
    { plan, balancer, network }: LoadBalancerArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:network:LoadBalancer", name, {}, opts);
    const { cluster, network: settings } = plan.settings;
    const description = clusterDescription(cluster.name);
    const fullName = `${cluster.name}-${balancer.name}`;
    const { vipAddress, vipPortId, id } = new openstack.loadbalancer.LoadBalancer(
      `${name}-balancer`,
      {
        name: fullName,
        description,
        vipSubnetId: network.subnetId,
        loadbalancerProvider: balancer.provider,
      },
      { parent: this },
    );
    let latest: pulumi.Resource[] = [];
    for (const listener of balancer.listeners) {
      const names = {
        name: `${name}-${listener.name}`,
        fullName: `${fullName}-${listener.name}`,
        description,
      };
      const members = this.#listen(names, listener, {
        loadbalancerId: id,
        subnetId: network.subnetId,
        after: latest,
      });
      latest = [members];
    }
    this.address = vipAddress;
    if (balancer.floatingAddress) {
      this.address = new openstack.networking.FloatingIp(
        `${name}-floating-address`,
        {
          pool: settings.floatingPool ?? settings.externalNetwork,
          description: `${description}, load balancer ${balancer.name}`,
          portId: vipPortId,
        },
        // Neutron associates an address only with a port behind a router that leads out.
        { parent: this, dependsOn: network.leadsOut },
      ).address;
    }
    this.registerOutputs({ address: this.address });
  }

  /**
   * A port of the load balancer, the workers behind it, and how Octavia asks them whether they answer. One part comes
   * after the other: of two requests at once Octavia can answer one with 400, as if a setting were wrong, when its
   * database ends a deadlock, and the plugin does not try that again.
   */
  #listen(
    { name, fullName, description }: { name: string; fullName: string; description: string },
    { protocol, port, allowedCidrs, method, healthCheck, members }: ListenerPlan,
    {
      loadbalancerId,
      subnetId,
      after,
    }: { loadbalancerId: pulumi.Output<string>; subnetId: pulumi.Input<string>; after: pulumi.Resource[] },
  ): openstack.loadbalancer.Members {
    const listener = new openstack.loadbalancer.Listener(
      `${name}-listener`,
      {
        name: fullName,
        description,
        loadbalancerId,
        protocol,
        protocolPort: port,
        // Octavia's provider ovn refuses a list of all networks too.
        allowedCidrs: allowedCidrs.join() === anyone.join() ? undefined : allowedCidrs,
        insertHeaders: protocol === "HTTP" ? { "X-Forwarded-For": "true" } : undefined,
      },
      // A port has one listener, whatever its protocol.
      { parent: this, deleteBeforeReplace: true, dependsOn: after },
    );
    const pool = new openstack.loadbalancer.Pool(
      `${name}-pool`,
      { name: fullName, description, listenerId: listener.id, protocol, lbMethod: method },
      // A listener has one pool of its own,
      { parent: this, deleteBeforeReplace: true },
    );
    const { type, path: urlPath, delay, timeout, maxRetries } = healthCheck;
    const monitor = new openstack.loadbalancer.Monitor(
      `${name}-monitor`,
      {
        name: fullName,
        poolId: pool.id,
        type,
        urlPath,
        delay,
        timeout,
        maxRetries,
        maxRetriesDown: maxRetries,
      },
      // and a pool one health check.
      { parent: this, deleteBeforeReplace: true },
    );
    return new openstack.loadbalancer.Members(
      `${name}-members`,
      {
        poolId: pool.id,
        members: members.map(({ name, address, port: protocolPort }) => ({
          name,
          address,
          protocolPort,
          subnetId,
        })),
      },
      { parent: this, dependsOn: monitor },
    );
  }
}
