import type { ClusterPlan } from "./plan.ts";
import { securityRules } from "./security-rules.ts";

/**
 * What a project may have where its cloud sets nothing else
 * (https://docs.openstack.org/neutron/latest/admin/ops-quotas.html; Nova's `[quota] instances`, `server_groups` and
 * `server_group_members`). `routes` is a limit of each router, `max_routes` in Neutron's configuration and from 2026.2
 * the quota `router_routes`; `serverGroupMembers` is a limit of each group.
 */
const usualDefaults = {
  servers: 10,
  serverGroups: 10,
  serverGroupMembers: 10,
  ports: 500,
  floatingAddresses: 50,
  routes: 30,
  securityGroups: 10,
  securityGroupRules: 100,
  networks: 100,
  subnets: 100,
  routers: 10,
};

export type QuotaName = keyof typeof usualDefaults;

/** What a cluster needs of a quota, without what its project has already. */
export interface Quota {
  needed: number;
  usualDefault: number;
  /** Whether the usual default is too small for the cluster alone. */
  exceeded: boolean;
}

/** Neutron opens each new group to all that leaves, by a rule for IPv4 and one for IPv6. */
const rulesOfEachGroup = 2;
/** Ports of a network of the program's that no node has: the router's in the subnet, and the one for DHCP or metadata. */
const otherPorts = 2;

/** The quotas that a cluster needs. Cores and memory are not among them: only the cloud knows its flavors. */
export function quotas(plan: ClusterPlan): Record<QuotaName, Quota> {
  const { nodes, settings, routing, loadBalancers } = plan;
  const members = Object.keys(plan.serverGroups).map(
    (pool) => nodes.filter((node) => node.pool === pool).length,
  );
  const groups = Object.values(securityRules(settings));
  const made = settings.network.existing === undefined ? 1 : 0;
  const needed: Record<QuotaName, number> = {
    servers: nodes.length,
    serverGroups: members.length,
    serverGroupMembers: Math.max(0, ...members),
    // That of a load balancer's machine is Octavia's own; its address is the project's.
    ports: nodes.length + made * otherPorts + loadBalancers.length,
    floatingAddresses: nodes.length + loadBalancers.filter(({ floatingAddress }) => floatingAddress).length,
    routes: routing.byRouter ? nodes.length : 0,
    securityGroups: groups.length,
    securityGroupRules: groups.flat().length + groups.length * rulesOfEachGroup,
    networks: made,
    subnets: made,
    routers: made,
  };
  const entries = (Object.keys(usualDefaults) as QuotaName[]).map((name) => [
    name,
    {
      needed: needed[name],
      usualDefault: usualDefaults[name],
      exceeded: needed[name] > usualDefaults[name],
    },
  ]);
  return Object.fromEntries(entries) as Record<QuotaName, Quota>;
}
