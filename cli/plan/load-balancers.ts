import type { ListenerPlan, LoadBalancerPlan } from "../../model/load-balancers.ts";

/** A load balancer; behind each listener are the nodes of these names and addresses. */
export interface LoadBalancerOverview extends Omit<LoadBalancerPlan, "name" | "listeners"> {
  listeners: Record<string, Omit<ListenerPlan, "name" | "members"> & { members: Record<string, string> }>;
}

/** A load balancer by its plan. */
export function loadBalancerOverview({
  listeners,
  ...balancer
}: Omit<LoadBalancerPlan, "name">): LoadBalancerOverview {
  const byName = listeners.map(({ name, members, ...listener }) => [
    name,
    {
      ...listener,
      members: Object.fromEntries(members.map(({ name, address, port }) => [name, `${address}:${port}`])),
    },
  ]);
  return { ...balancer, listeners: Object.fromEntries(byName) as LoadBalancerOverview["listeners"] };
}
