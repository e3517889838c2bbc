import type { ExistingNetwork } from "../model/existing-network.ts";
import { noStock, type Flavor, type Need, type Stock } from "../model/needs.ts";
import type { ClusterPlan } from "../model/plan.ts";
import {
  flavorFindings,
  quotaFindings,
  type Findings,
  type ProjectQuota,
  type ProjectQuotas,
} from "../model/preflight.ts";
import { clusterDescription, serverGroupName } from "./ownership.ts";
import { addressesOf, routesOf, securityRuleOf } from "./neutron-answers.ts";
import { reasonOf, type Fields, type OpenStackApi } from "./openstack-api.ts";

export interface PreflightArgs {
  plan: ClusterPlan;
  connection: Promise<OpenStackApi>;
  /** By name, as far as they are there. */
  flavors: Promise<Record<string, Flavor>>;
  /** Where the nodes are to be, if that is there already. */
  surroundings: Promise<ExistingNetwork | undefined>;
}

/** Limit and usage in Nova's answer to `limits`. */
const novaNames = {
  servers: ["maxTotalInstances", "totalInstancesUsed"],
  cores: ["maxTotalCores", "totalCoresUsed"],
  memory: ["maxTotalRAMSize", "totalRAMUsed"],
  serverGroups: ["maxServerGroups", "totalServerGroupsUsed"],
} satisfies Partial<Record<Need, [string, string]>>;

const neutronNames = {
  ports: "port",
  floatingAddresses: "floatingip",
  securityGroups: "security_group",
  securityGroupRules: "security_group_rule",
  networks: "network",
  subnets: "subnet",
  routers: "router",
} satisfies Partial<Record<Need, string>>;

/**
 * Whether flavors are large enough and quotas leave what the stack does not have yet. Quotas take two calls; what the
 * stack has is asked only where they would not leave room for all of it. What cannot be asked is a warning.
 */
export async function preflight({
  plan,
  connection,
  flavors,
  surroundings,
}: PreflightArgs): Promise<Findings> {
  const warnings: string[] = [];
  const orWarn = <T>(quotas: string, query: Promise<T>): Promise<T | undefined> =>
    query.catch((error: unknown) => {
      warnings.push(`The project's ${quotas} are not checked: ${reasonOf(error)}`);
      return undefined;
    });
  const quotas = orWarn("quotas", connection).then(
    (api) =>
      api &&
      Promise.all([
        orWarn("quotas of servers, cores and memory", novaQuotas(api)),
        orWarn("quotas of ports, addresses, groups and networks", neutronQuotas(api)),
      ]),
  );
  const [known, existing, told] = await Promise.all([flavors, surroundings, quotas]);

  const left: ProjectQuotas = { ...told?.[0], ...told?.[1] };
  const findingsWith = (stock: Stock) => quotaFindings(plan, known, left, stock);
  let found = findingsWith(existing === undefined ? noStock : stockOf(existing));
  if (found.problems.length + found.warnings.length > 0) {
    const stock = await orWarn(
      "quotas",
      connection.then((api) => stockNow(plan, api, existing)),
    );
    found = stock === undefined ? { problems: [], warnings: [] } : findingsWith(stock);
  }
  const ofFlavors = flavorFindings(plan.settings, known);
  return {
    problems: [...ofFlavors.problems, ...found.problems],
    warnings: [...ofFlavors.warnings, ...found.warnings, ...warnings],
  };
}

/** https://docs.openstack.org/api-ref/compute/#limits-limits; everyone may read them of the own project. */
async function novaQuotas(api: OpenStackApi): Promise<ProjectQuotas> {
  const { absolute } = (await answered(api, "compute", "limits")).limits as Fields;
  return {
    ...quotasBy(novaNames, ([limit, used]) => ({ limit: absolute[limit], used: absolute[used] })),
    membersOfServerGroup: absolute.maxServerGroupMembers,
  };
}

/** https://docs.openstack.org/api-ref/network/v2/#show-quota-details-for-a-tenant */
async function neutronQuotas(api: OpenStackApi): Promise<ProjectQuotas> {
  const { quota } = await answered(api, "network", `quotas/${api.projectId}/details.json`);
  return {
    ...quotasBy(neutronNames, (name) => quota[name]),
    routesOfRouter: quota.router_routes?.limit,
  };
}

async function answered(api: OpenStackApi, service: "compute" | "network", path: string): Promise<Fields> {
  const answer = await api.call(service, path);
  if (answer === undefined) throw new Error(`OpenStack's ${service} service has no ${path}`);
  return answer;
}

/** Those quotas that the service has. */
function quotasBy<Name>(names: Record<string, Name>, quotaOf: (name: Name) => ProjectQuota | undefined) {
  const quotas = Object.entries(names).map(([need, name]) => [need, quotaOf(name)] as const);
  return Object.fromEntries(quotas.filter(([, quota]) => quota?.limit !== undefined)) as ProjectQuotas;
}

/** What the look-up of an existing network tells of the stock. */
function stockOf({ ports, router }: ExistingNetwork): Stock {
  return { ...noStock, ports: ports.filter(({ ofThisStack }) => ofThisStack), routes: router.routes };
}

/** What the stack has now, by the description that tells it from others'. */
async function stockNow(plan: ClusterPlan, api: OpenStackApi, existing?: ExistingNetwork): Promise<Stock> {
  const ours = { description: clusterDescription(plan.settings.cluster.name) };
  const ofNetwork = async (): Promise<Partial<Stock>> => {
    const kinds = ["ports", "networks", "routers"].map((kind) => api.list(kind, ours));
    const [ports, networks, routers] = (await Promise.all(kinds)) as [Fields[], Fields[], Fields[]];
    return {
      ports: addressesOf(ports),
      networks: networks.length,
      subnets: networks.flatMap(({ subnets }) => subnets as string[]).length,
      routers: routers.length,
      routes: routers.flatMap(routesOf),
    };
  };
  const ofPools = Object.keys(plan.serverGroups).map((pool) =>
    serverGroupName(plan.settings.cluster.name, pool),
  );
  const balancers =
    plan.loadBalancers.length > 0 ? api.list("lbaas/loadbalancers", ours, "load-balancer") : [];
  const [network, floatingAddresses, groups, serverGroups, loadBalancers] = await Promise.all([
    existing === undefined ? ofNetwork() : stockOf(existing),
    api.list("floatingips", { project_id: api.projectId }),
    api.list("security-groups", ours),
    ofPools.length === 0 ? undefined : api.call("compute", "os-server-groups"),
    balancers,
  ]);
  const rules = groups.flatMap(({ security_group_rules }) => security_group_rules as Fields[]);
  return {
    ...noStock,
    ...network,
    loadBalancers: Object.fromEntries(loadBalancers.map(({ name, vip_port_id }) => [name, vip_port_id])),
    portsWithFloatingAddress: floatingAddresses.flatMap(({ port_id }) => (port_id ?? []) as string[]),
    serverGroups: ((serverGroups?.server_groups ?? []) as Fields[]).filter(({ name }) =>
      ofPools.includes(name),
    ).length,
    securityGroups: groups.length,
    securityRules: rules.filter(({ direction }) => direction === "ingress").map(securityRuleOf),
    egressRules: rules.filter(({ direction }) => direction === "egress").length,
  };
}
