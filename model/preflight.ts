import { newNeeds, newNodes, type Flavor, type Need, type Stock } from "./needs.ts";
import { includes } from "./phases.ts";
import type { ClusterPlan } from "./plan.ts";
import { quotas } from "./quotas.ts";
import { references } from "./references.ts";
import { keyOf, type NodeSettings, type Settings } from "./settings.ts";

/** What stands in a cluster's way, and what may; a line each. */
export interface Findings {
  problems: string[];
  warnings: string[];
}

/** What a project may have of something, and what it has. */
export interface ProjectQuota {
  /** Negative where there is none. */
  limit: number;
  used: number;
}

/** The project's quotas, as far as OpenStack tells them. */
export interface ProjectQuotas extends Partial<Record<Exclude<Need, "routes">, ProjectQuota>> {
  /** What one router may have of routes, and one server group of members; negative where there is no limit. */
  routesOfRouter?: number;
  membersOfServerGroup?: number;
}

/**
 * The least memory of a machine by role, in MiB. kubeadm refuses a control plane with less than 1700 MB and 2 CPUs
 * (ControlPlaneMem and ControlPlaneNumCPU in cmd/kubeadm/app/constants/constants.go), and Kubernetes asks for 2 GB on
 * any machine, as less leaves little room for pods
 * (https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/#before-you-begin). A worker
 * with half of that still works, and so does a control plane with one CPU, slowly; neither is refused.
 */
const leastMemory: Record<NodeSettings["role"], number> = { "control-plane": 2048, worker: 1024 };

/** The least disk of a machine, in GB: the smallest that the lab's tests run with (lab/openstack/admin.py). */
const leastDisk = 10;

/**
 * Flavors that are too small for the nodes that name them. Before phase kubernetes only the image asks for something,
 * which Nova refuses itself.
 * @param flavors by name; others are left out
 */
export function flavorFindings(settings: Settings, flavors: Record<string, Flavor>): Findings {
  const findings: Findings = { problems: [], warnings: [] };
  if (!includes(settings.phase, "kubernetes")) return findings;
  for (const role of Object.keys(leastMemory) as NodeSettings["role"][]) {
    for (const [name, keys] of references(settings, "flavor", role)) {
      const flavor = flavors[name];
      if (flavor === undefined) continue;
      const key = keys.join(", ");
      const lacks = (has: string, least: string) =>
        `${key}: ${name} has ${has}, and a ${role} node needs ${least}; choose a larger flavor`;
      if (flavor.memory < leastMemory[role])
        findings.problems.push(lacks(`${flavor.memory} MiB of memory`, `${leastMemory[role]} MiB`));
      if (flavor.disk === 0)
        findings.warnings.push(
          `${key}: ${name} has no disk of its own; most clouds refuse such a machine, since this program makes no ` +
            `volume to boot from, and others give it a disk as large as its image, where a ${role} node needs ` +
            `${leastDisk} GB; choose a flavor with a disk`,
        );
      else if (flavor.disk < leastDisk)
        findings.problems.push(lacks(`${flavor.disk} GB of disk`, `${leastDisk} GB`));
    }
  }
  return findings;
}

/** The setting that decides how much is needed, what is counted, and how to do with less. */
const needTexts: Record<Need, { path: string[]; counted: string; remedy: string }> = {
  servers: { path: ["nodes"], counted: "servers", remedy: "have fewer nodes" },
  cores: { path: ["nodes"], counted: "cores", remedy: "have fewer nodes or smaller flavors" },
  memory: { path: ["nodes"], counted: "memory in MiB", remedy: "have fewer nodes or smaller flavors" },
  ports: { path: ["nodes"], counted: "ports", remedy: "have fewer nodes" },
  floatingAddresses: { path: ["nodes"], counted: "floating addresses", remedy: "have fewer nodes" },
  routes: { path: ["nodes"], counted: "routes of its router", remedy: "have fewer nodes" },
  serverGroups: { path: ["pools"], counted: "server groups", remedy: "have fewer pools with one" },
  securityGroups: { path: ["cluster"], counted: "security groups", remedy: "take unused ones away" },
  securityGroupRules: {
    path: ["network", "access"],
    counted: "security group rules",
    remedy: "name fewer networks there",
  },
  networks: { path: ["network", "existing"], counted: "networks", remedy: "name one that is there" },
  subnets: { path: ["network", "existing"], counted: "subnets", remedy: "name one that is there" },
  routers: { path: ["network", "existing"], counted: "routers", remedy: "name one that is there" },
};

/**
 * What a plan needs beside what is there, where the project's quotas leave less.
 * @param flavors by name; machines of others count without cores and memory
 */
export function quotaFindings(
  plan: ClusterPlan,
  flavors: Record<string, Flavor>,
  { routesOfRouter, membersOfServerGroup, ...quotasOfProject }: ProjectQuotas,
  stock: Stock,
): Findings {
  const needs = newNeeds(plan, flavors, stock);
  const routes = stock.routes.length;
  const known: Partial<Record<Need, ProjectQuota>> = {
    ...quotasOfProject,
    ...(routesOfRouter !== undefined && { routes: { limit: routesOfRouter, used: routes } }),
  };
  const problems = (Object.keys(needTexts) as Need[]).flatMap((need) => {
    const quota = known[need];
    if (quota === undefined || quota.limit < 0 || needs[need] === 0) return [];
    const { limit, used } = quota;
    const left = Math.max(0, limit - used);
    const { path, counted, remedy } = needTexts[need];
    if (needs[need] <= left) return [];
    return [
      `${keyOf(path)}: of ${counted} the cluster needs ${needs[need]} more, and the quota leaves ${left} ` +
        `(${used} of ${limit} are used); ask for a larger quota, or ${remedy}`,
    ];
  });
  const usual = quotas(plan).routes.usualDefault;
  const after = routes + needs.routes;
  // A router that has more already shows that its cloud allows more.
  const doubtful = routesOfRouter === undefined && needs.routes > 0 && routes <= usual && after > usual;
  const warnings = doubtful
    ? [
        `${keyOf(["nodes"])}: the router is to have ${after} routes, and Neutron allows ${usual} unless the cloud's ` +
          `max_routes says more, which a project cannot read; ask the cloud's operator`,
      ]
    : [];
  return { problems: [...problems, ...memberProblems(plan, stock, membersOfServerGroup)], warnings };
}

/**
 * Pools whose server group may not have as many members as the pool has nodes. One that grows no further is left alone:
 * its quota was larger once.
 */
function memberProblems(plan: ClusterPlan, stock: Stock, limit = -1): string[] {
  const fresh = newNodes(plan, stock);
  return Object.keys(plan.serverGroups).flatMap((pool) => {
    const ofPool = ({ pool: own }: { pool?: string }) => own === pool;
    const members = plan.nodes.filter(ofPool).length;
    if (limit < 0 || members <= limit || !fresh.some(ofPool)) return [];
    return [
      `${keyOf(["pools", pool, "count"])}: a server group may have ${limit} members, and the pool is to have ${members}; ` +
        `ask for a larger quota, or make two pools of it`,
    ];
  });
}
