import { includes, overlap, parseNetwork } from "./addresses.ts";
import type { ClusterPlan } from "./plan.ts";
import { keyOfNode } from "./pools.ts";
import { keyOf } from "./settings.ts";

/** What an existing network is like, as far as a cluster depends on it. */
export interface ExistingNetwork {
  subnet: { name: string; cidr: string; gateway?: string; dhcp: boolean };
  router: {
    id: string;
    name: string;
    /** Ids of the external networks that it leads to. */
    leadsTo: string[];
    /** Those for IPv6 among them. */
    routes: { destination: string; nextHop: string }[];
    /** The IPv4 subnets behind it that the nodes are not in. */
    otherSubnets: { name: string; cidr: string }[];
  };
  /** Whose the subnet's addresses are. */
  ports: { address: string; id: string; device: string; ofThisStack: boolean }[];
}

/**
 * What keeps a cluster out of an existing network.
 *
 * A node's address may lie in the subnet's allocation pool, which in most subnets is all of it: Neutron gives an address
 * to one port only. What counts is that nobody else has it.
 * @param externalNetworkId id of the external network, where that is known
 */
export function existingNetworkProblems(
  { settings, routing, nodes }: ClusterPlan,
  { subnet, router, ports }: ExistingNetwork,
  externalNetworkId?: string,
): string[] {
  const { nodeNetwork, externalNetwork } = settings.network;
  if (subnet.cidr !== nodeNetwork) {
    const key = keyOf(["network", "nodeNetwork"]);
    return [`${key}: must be ${subnet.cidr}, the network of the subnet ${subnet.name}, not ${nodeNetwork}`];
  }
  const problems: string[] = [];
  if (!subnet.dhcp) {
    const key = keyOf(["network", "existing", "subnet"]);
    problems.push(`${key}: ${subnet.name} has no DHCP, by which the machines learn their addresses`);
  }
  const routerKey = keyOf(["network", "existing", "router"]);
  if (!ports.some(({ address, device }) => address === subnet.gateway && device === router.id)) {
    problems.push(
      `${routerKey}: ${router.name} is not the gateway of the subnet ${subnet.name}, ` +
        (subnet.gateway === undefined ? "which has none" : `${subnet.gateway}; add the subnet to it`),
    );
  }
  if (externalNetworkId !== undefined && !router.leadsTo.includes(externalNetworkId))
    problems.push(`${routerKey}: ${router.name} does not lead to the external network ${externalNetwork}`);
  // The networks of a cluster that is there cannot change, so a subnet that came later must not stop its next run.
  if (!ports.some(({ ofThisStack }) => ofThisStack)) problems.push(...overlapProblems(settings, router));
  for (const { name, pool, address, podNetwork } of nodes) {
    const holder = ports.find((port) => port.address === address && !port.ofThisStack);
    if (holder !== undefined)
      problems.push(
        `${keyOfNode(name, pool, "slot")}: the address ${address} of ${name} is that of port ${holder.id}`,
      );
    // Only routes of its own could be in another's way.
    for (const { destination, nextHop } of routing.byRouter ? router.routes.filter(isIPv4) : []) {
      const ours = ports.some((port) => port.address === nextHop && port.ofThisStack);
      if (!ours && includes(parseNetwork(podNetwork), parseNetwork(destination))) {
        problems.push(
          `${routerKey}: ${router.name} routes ${destination}, which is of the pod network of ${name}, ` +
            `by way of ${nextHop}; take another pod network, or that route away`,
        );
      }
    }
  }
  return problems;
}

/** Pods do not reach a subnet of the router whose addresses are pods' or services' as well. */
function overlapProblems({ cluster }: ClusterPlan["settings"], router: ExistingNetwork["router"]): string[] {
  return (["podNetwork", "serviceNetwork"] as const).flatMap((key) =>
    router.otherSubnets
      .filter(({ cidr }) => overlap(parseNetwork(cluster[key]), parseNetwork(cidr)))
      .map(
        ({ name, cidr }) =>
          `${keyOf(["cluster", key])}: ${cluster[key]} overlaps the subnet ${name}, ${cidr}, ` +
          `which is behind the router ${router.name} too; take another network`,
      ),
  );
}

function isIPv4({ destination }: { destination: string }): boolean {
  return !destination.includes(":");
}
