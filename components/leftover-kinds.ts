import { setTimeout as delay } from "node:timers/promises";
import type { Fields, OpenStackApi } from "./openstack-api.ts";
import { serversWithoutPort } from "./servers.ts";

/** How to find and take away what stands where a resource of this kind is to be made. */
export interface Kind {
  /**
   * The plugin has no update for it. One that OpenStack made, but did not answer for, is left unfinished in the state; the
   * engine would update it to finish it, and fail in each run. So it is made anew, as after every other change; it goes
   * before its successor comes.
   */
  withoutUpdate?: true;
  /** It goes after its successor has come. What is in it would all have to go before it otherwise. */
  mayStandTwice?: true;
  /** One that is replaced goes first although the plugin has an update for it. */
  goesFirst?: true;
  /** Id of the resource in which its place is; where that was made in this run, the place is free. */
  within?: (inputs: Fields) => string;
  remove: (cloud: OpenStackApi, inputs: Fields) => Promise<string[]>;
}

/** A kind whose leftovers go by a plain DELETE each: those that the fields name and that match. What is in use stays. */
const plain = (
  path: string,
  fields: (inputs: Fields) => Record<string, string>,
  within?: Kind["within"],
  matches: (found: Fields, inputs: Fields) => boolean = () => true,
): Kind => ({
  within,
  async remove(cloud, inputs) {
    const found = (await cloud.list(path, fields(inputs))).filter((one) => matches(one, inputs));
    const gone: string[] = [];
    for (const { id } of found)
      if (await cloud.call("network", `${path}/${id}`, "DELETE")) gone.push(id as string);
    return gone;
  },
});

const named = ({ name, description }: Fields) => ({ name, description });

/**
 * A part of Octavia's. While a load balancer or a part of it is at work Octavia refuses to change it, so that what is to
 * go is asked to until it is gone.
 */
const balancing = (
  path: string,
  fields: (inputs: Fields) => Record<string, string>,
  within?: Kind["within"],
  query = "",
  matches: (found: Fields) => boolean = () => true,
): Kind => ({
  within,
  async remove(cloud, inputs) {
    const left = async () => (await cloud.list(path, fields(inputs), "load-balancer")).filter(matches);
    const found = await left();
    const end = Date.now() + 300_000;
    for (let rest = found; rest.length > 0; rest = await left()) {
      if (Date.now() > end) throw new Error(`${path} ${rest[0]!.id} does not go away; delete it by hand`);
      for (const { id } of rest) await cloud.call("load-balancer", `${path}/${id}${query}`, "DELETE");
      await delay(1000);
    }
    return found.map(({ id }) => id as string);
  },
});

/** Two rules of a group are the same when all of these are; absent ones come back as null. */
const sameRule = (found: Fields, rule: Fields) =>
  found.direction === rule.direction &&
  found.ethertype === rule.ethertype &&
  found.protocol === (rule.protocol ?? null) &&
  found.port_range_min === (rule.portRangeMin ?? null) &&
  found.port_range_max === (rule.portRangeMax ?? null) &&
  found.remote_ip_prefix === (rule.remoteIpPrefix ?? null);

async function deleteServer(cloud: OpenStackApi, id: string): Promise<void> {
  await cloud.call("compute", `servers/${id}`, "DELETE");
  const end = Date.now() + 300_000;
  while ((await cloud.call("compute", `servers/${id}`)) !== undefined) {
    if (Date.now() > end) throw new Error(`the machine ${id} does not go away; delete it by hand`);
    await delay(1000);
  }
}

/** By the type of the resource. All that is asked for comes from the inputs, so that a state is enough. */
export const kinds: Record<string, Kind> = {
  "openstack:networking/network:Network": plain("networks", named),
  "openstack:networking/router:Router": plain("routers", named),
  "openstack:networking/secGroup:SecGroup": plain("security-groups", named),
  "openstack:networking/subnet:Subnet": plain(
    "subnets",
    ({ networkId }) => ({ network_id: networkId }),
    ({ networkId }) => networkId,
  ),
  // By name and description as well: an existing network has other people's ports.
  "openstack:networking/port:Port": plain(
    "ports",
    ({ networkId, name, description }) => ({ network_id: networkId, name, description }),
    ({ networkId }) => networkId,
    // A machine comes after its port's id is known. So one with a machine is another state's of the same stack.
    ({ device_id }) => !device_id,
  ),
  "openstack:networking/floatingIp:FloatingIp": plain(
    "floatingips",
    // Not by port: when that is gone, the address stays.
    ({ description }) => ({ description }),
    ({ portId }) => portId,
    ({ port_id }, { portId }) => !port_id || port_id === portId,
  ),
  "openstack:networking/secGroupRule:SecGroupRule": {
    withoutUpdate: true,
    ...plain(
      "security-group-rules",
      ({ securityGroupId }) => ({ security_group_id: securityGroupId }),
      ({ securityGroupId }) => securityGroupId,
      sameRule,
    ),
  },
  "openstack:networking/routerInterface:RouterInterface": {
    within: ({ routerId }) => routerId,
    async remove(cloud, { routerId, subnetId }) {
      const ports = await cloud.list("ports", { device_id: routerId, fixed_ips: `subnet_id=${subnetId}` });
      if (ports.length > 0)
        await cloud.call("network", `routers/${routerId}/remove_router_interface`, "PUT", {
          subnet_id: subnetId,
        });
      return ports.map(({ id }) => id as string);
    },
  },
  // A route on an existing router that no port of the stack stands behind is refused before (project-lookups.ts).
  "openstack:networking/routerRoute:RouterRoute": {
    withoutUpdate: true,
    within: ({ routerId }) => routerId,
    async remove(cloud, { routerId, destinationCidr: destination, nextHop: nexthop }) {
      const routes = ((await cloud.call("network", `routers/${routerId}`))?.router.routes ?? []) as Fields[];
      if (!routes.some((route) => route.destination === destination && route.nexthop === nexthop)) return [];
      await cloud.call("network", `routers/${routerId}/remove_extraroutes`, "PUT", {
        router: { routes: [{ destination, nexthop }] },
      });
      return [destination];
    },
  },
  "openstack:compute/serverGroup:ServerGroup": {
    withoutUpdate: true,
    mayStandTwice: true,
    async remove(cloud, { name }) {
      const { server_groups: groups } = (await cloud.call("compute", "os-server-groups")) ?? {};
      // A group that a killed run has left has no machine: that would have waited for the group's id.
      const left = ((groups ?? []) as Fields[]).filter(
        (group) => group.name === name && group.members.length === 0,
      );
      for (const { id } of left) await cloud.call("compute", `os-server-groups/${id}`, "DELETE");
      return left.map(({ id }) => id as string);
    },
  },
  "openstack:loadbalancer/loadBalancer:LoadBalancer": balancing(
    "lbaas/loadbalancers",
    named,
    undefined,
    "?cascade=true",
    // Listeners come after its id is known.
    ({ listeners }) => !listeners?.length,
  ),
  "openstack:loadbalancer/listener:Listener": balancing(
    "lbaas/listeners",
    named,
    ({ loadbalancerId }) => loadbalancerId,
  ),
  "openstack:loadbalancer/pool:Pool": balancing("lbaas/pools", named, ({ listenerId }) => listenerId),
  "openstack:loadbalancer/monitor:Monitor": balancing(
    "lbaas/healthmonitors",
    ({ poolId }) => ({ pool_id: poolId }),
    ({ poolId }) => poolId,
  ),
  "openstack:compute/instance:Instance": {
    goesFirst: true,
    within: ({ networks }) => networks[0].port,
    async remove(cloud, { name, metadata, networks }) {
      const onPort = (await cloud.call("network", `ports/${networks[0].port}`))?.port.device_id as string;
      // Nova gives a server its port late, and takes it away when the server cannot be built.
      const without = await serversWithoutPort(cloud, metadata, name);
      const servers = new Set(onPort ? [onPort, ...without] : without);
      for (const server of servers) await deleteServer(cloud, server);
      return [...servers];
    },
  },
};
