import * as pulumi from "@pulumi/pulumi";
import { setTimeout as delay } from "node:timers/promises";
import { OpenStackApi, type Fields } from "./openstack-api.ts";
import { serversNamed } from "./servers.ts";
import { stackName } from "./stack-name.ts";

/**
 * Description of the resources that are found by name: says whose they are, so that another stack's of the same name
 * are never taken for a leftover.
 */
export function clusterDescription(cluster: string): string {
  return `Kubernetes cluster ${cluster} of ${stackName()}`;
}

/** Name of a pool's server group. Nova keeps no description of one, so the name says whose it is. */
export function serverGroupName(cluster: string, pool: string): string {
  return `${cluster}-${pool} of ${stackName()}`;
}

/** How to find and take away what stands where a resource of this kind is to be made. */
interface Kind {
  /** Id of the resource in which its place is; where that was made in this run, the place is free. */
  within?: (inputs: Fields) => string;
  remove: (cloud: OpenStackApi, inputs: Fields) => Promise<string[]>;
}

/** A kind whose leftovers go by a plain DELETE each: those that the fields name and that match. */
const plain = (
  path: string,
  fields: (inputs: Fields) => Record<string, string>,
  within?: Kind["within"],
  matches: (found: Fields, inputs: Fields) => boolean = () => true,
): Kind => ({
  within,
  async remove(cloud, inputs) {
    const found = (await cloud.list(path, fields(inputs))).filter((one) => matches(one, inputs));
    for (const { id } of found) await cloud.call("network", `${path}/${id}`, "DELETE");
    return found.map(({ id }) => id as string);
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
): Kind => ({
  within,
  async remove(cloud, inputs) {
    const left = () => cloud.list(path, fields(inputs), "load-balancer");
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

const kinds: Record<string, Kind> = {
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
  ),
  "openstack:networking/floatingIp:FloatingIp": plain(
    "floatingips",
    ({ portId }) => ({ port_id: portId }),
    ({ portId }) => portId,
  ),
  "openstack:networking/secGroupRule:SecGroupRule": plain(
    "security-group-rules",
    ({ securityGroupId }) => ({ security_group_id: securityGroupId }),
    ({ securityGroupId }) => securityGroupId,
    sameRule,
  ),
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
    within: ({ networks }) => networks[0].port,
    async remove(cloud, { name, metadata, networks }) {
      const onPort = (await cloud.call("network", `ports/${networks[0].port}`))?.port.device_id as string;
      // Nova gives a server its port late, and takes it away when the server cannot be built.
      const named = await serversNamed(cloud, metadata.cluster, name);
      const servers = new Set(onPort ? [onPort, ...named] : named);
      for (const server of servers) await deleteServer(cloud, server);
      return [...servers];
    },
  },
};

/**
 * Kinds that the plugin has no update for. One that OpenStack made, but did not answer for, is left unfinished in the
 * state; the engine would update it to finish it, and fail in each run. So it is made anew, as after every other change.
 */
const withoutUpdate = new Set([
  "openstack:networking/secGroupRule:SecGroupRule",
  "openstack:networking/routerRoute:RouterRoute",
  "openstack:compute/serverGroup:ServerGroup",
]);
/** Kinds of which one that is replaced goes before its successor comes. */
const goingFirst = new Set([...withoutUpdate, "openstack:compute/instance:Instance"]);
const madeAnew = { replaceOnChanges: ["*"], deleteBeforeReplace: true };

/**
 * Lets a run go on from what an earlier one has left that did not come to its end.
 *
 * What is unfinished in the state, and cannot be finished, is made anew. And just before a resource is made, what a run
 * that was killed has left in its place is taken away. The engine notes an id only when it is there, and OpenStack goes on
 * with what it was asked for: a machine, port or address that no state knows then stands in the next run's way. Only what
 * holds a place that is this stack's own (its port, its network, its group, its router), or has its name and says that it
 * is this stack's and is not in use, is taken away.
 */
export function withoutLeftovers(): pulumi.ResourceTransformation {
  let cloud: Promise<OpenStackApi> | undefined;
  const made = new Set<string>();
  const before = new pulumi.ResourceHook("leftovers", async ({ type, name, newInputs = {}, oldInputs }) => {
    const { within, remove } = kinds[type]!;
    // The place of most replacements is held by the resource that they replace.
    const held = oldInputs !== undefined && !goingFirst.has(type);
    if (held || (within && made.has(within(newInputs)))) return;
    cloud ??= OpenStackApi.connect();
    const gone = await remove(await cloud, newInputs);
    if (gone.length > 0)
      void pulumi.log.warn(`${name}: took away what a killed run had left in its place: ${gone.join(", ")}`);
  });
  const after = new pulumi.ResourceHook("made", ({ id }) => {
    made.add(id);
  });
  return ({ type, props, opts }) =>
    type in kinds
      ? {
          props,
          opts: {
            ...opts,
            ...(withoutUpdate.has(type) && madeAnew),
            hooks: { beforeCreate: [before], afterCreate: [after] },
          },
        }
      : undefined;
}
