import type { ClusterPlan, NodePlan } from "./plan.ts";
import { quotas, type QuotaName } from "./quotas.ts";
import { securityRules, type SecurityRule } from "./security-rules.ts";

/** What OpenStack counts for a project; memory in MiB. */
export type Need = Exclude<QuotaName, "serverGroupMembers"> | "cores" | "memory";

/** What a machine of a flavor has. */
export interface Flavor {
  cores: number;
  /** MiB. */
  memory: number;
  /** GB. */
  disk: number;
}

/** What is there already of that which a plan asks for. */
export interface Stock {
  /** The stack's own ports on its nodes' subnet; the device is the machine that has the port, empty where none has. */
  ports: { address: string; id: string; device: string }[];
  /** Ids of the ports of the stack's load balancers, by name. */
  loadBalancers: Record<string, string>;
  /** Ids of the ports that have a floating address. */
  portsWithFloatingAddress: string[];
  serverGroups: number;
  securityGroups: number;
  /** What the stack's groups let in, and how many rules they have for what leaves. */
  securityRules: Omit<SecurityRule, "name">[];
  egressRules: number;
  networks: number;
  subnets: number;
  routers: number;
  /** All routes of the nodes' router. */
  routes: { destination: string; nextHop: string }[];
}

/** The stock of a stack that has nothing yet. */
export const noStock: Stock = {
  ports: [],
  loadBalancers: {},
  portsWithFloatingAddress: [],
  serverGroups: 0,
  securityGroups: 0,
  securityRules: [],
  egressRules: 0,
  networks: 0,
  subnets: 0,
  routers: 0,
  routes: [],
};

/** The nodes that have no machine yet. */
export function newNodes({ nodes }: ClusterPlan, { ports }: Stock): NodePlan[] {
  const taken = new Set(ports.filter(({ device }) => device !== "").map(({ address }) => address));
  return nodes.filter(({ address }) => !taken.has(address));
}

/**
 * What a plan needs beside what is there. A machine that is there counts for nothing, whatever its flavor: that it is to
 * become a larger one shows only in the stack's state.
 * @param flavors by name; machines of others count without cores and memory
 */
export function newNeeds(
  plan: ClusterPlan,
  flavors: Record<string, Flavor>,
  stock: Stock,
): Record<Need, number> {
  const { nodes, settings } = plan;
  const ports = new Map(stock.ports.map((port) => [port.address, port]));
  const portOf = ({ address }: NodePlan) => ports.get(address);
  const withFloatingAddress = new Set(stock.portsWithFloatingAddress);
  const routes = new Set(stock.routes.map(({ destination, nextHop }) => `${destination} ${nextHop}`));
  const rules = new Set(stock.securityRules.map(meaning));
  const newMachines = newNodes(plan, stock);
  const sum = (what: "cores" | "memory") =>
    newMachines.reduce((total, { flavor }) => total + (flavors[flavor]?.[what] ?? 0), 0);

  const wanted = quotas(plan);
  const balancerPorts = plan.loadBalancers.flatMap(({ name, floatingAddress }) => {
    const id = stock.loadBalancers[`${settings.cluster.name}-${name}`];
    return id === undefined ? [] : [{ id, floatingAddress }];
  });
  const there: Record<Exclude<Need, "cores" | "memory">, number> = {
    servers: nodes.length - newMachines.length,
    serverGroups: stock.serverGroups,
    // With the subnet come the ports that neither a node nor a load balancer has.
    ports:
      nodes.filter(portOf).length +
      balancerPorts.length +
      Math.min(stock.subnets, 1) * (wanted.ports.needed - nodes.length - plan.loadBalancers.length),
    floatingAddresses:
      nodes.filter((node) => withFloatingAddress.has(portOf(node)?.id ?? "")).length +
      balancerPorts.filter(({ id, floatingAddress }) => floatingAddress && withFloatingAddress.has(id))
        .length,
    routes: nodes.filter(({ podNetwork, address }) => routes.has(`${podNetwork} ${address}`)).length,
    securityGroups: stock.securityGroups,
    securityGroupRules:
      stock.egressRules +
      Object.values(securityRules(settings))
        .flat()
        .filter((rule) => rules.has(meaning(rule))).length,
    networks: stock.networks,
    subnets: stock.subnets,
    routers: stock.routers,
  };
  const missing = (Object.keys(there) as (keyof typeof there)[]).map((name) => [
    name,
    Math.max(0, wanted[name].needed - there[name]),
  ]);
  return {
    ...(Object.fromEntries(missing) as typeof there),
    cores: sum("cores"),
    memory: sum("memory"),
  };
}

/** Two rules with the same text let in the same. No two of the program's do, in whichever groups they are. */
function meaning({ protocol, ports, remoteIpPrefix }: Omit<SecurityRule, "name">): string {
  return `${protocol ?? ""} ${ports?.min ?? ""} ${ports?.max ?? ""} ${remoteIpPrefix}`;
}
