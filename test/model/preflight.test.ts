import { describe, expect, it } from "vitest";
import { newNeeds, noStock, type Flavor, type Stock } from "../../model/needs.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import { flavorFindings, quotaFindings, type Findings, type ProjectQuotas } from "../../model/preflight.ts";
import { securityRules } from "../../model/security-rules.ts";
import { checked, planOf, stackSettings } from "../helpers/cluster.ts";

const medium: Flavor = { cores: 2, memory: 4096, disk: 20 };
const flavors = { "m1.medium": medium };

/** Findings without the settings' namespace. */
const bare = ({ problems, warnings }: Findings): Findings => {
  const cut = (line: string) => line.replaceAll("openstack-kubernetes:", "");
  return { problems: problems.map(cut), warnings: warnings.map(cut) };
};

describe("flavors", () => {
  const findings = (settings: object, flavors: Record<string, Flavor>) =>
    bare(flavorFindings(checked({ ...stackSettings, ...settings }).settings, flavors));

  it("of exactly what a role needs are large enough", () => {
    const small = { cores: 1, memory: 1024, disk: 10 };
    const nodes = { ...stackSettings.nodes, "cp-1": { role: "control-plane", slot: 10, flavor: "m1.large" } };
    const all = { "m1.medium": small, "m1.large": { ...small, memory: 2048 } };
    expect(findings({ nodes }, all)).toEqual({ problems: [], warnings: [] });
  });

  it("are measured by the roles of the nodes that have them", () => {
    expect(findings({}, { "m1.medium": { ...medium, memory: 1024 } }).problems).toEqual([
      "machine.flavor: m1.medium has 1024 MiB of memory, and a control-plane node needs 2048 MiB; choose a larger flavor",
    ]);
  });

  it("that are too small are told each with every setting that names them", () => {
    const small = (slot: number) => ({ role: "worker", slot, flavor: "m1.tiny" });
    const nodes = { ...stackSettings.nodes, a: small(20), b: small(21) };
    const tiny = { cores: 1, memory: 512, disk: 5 };
    expect(findings({ nodes }, { ...flavors, "m1.tiny": tiny }).problems).toEqual([
      "nodes.a.flavor, nodes.b.flavor: m1.tiny has 512 MiB of memory, and a worker node needs 1024 MiB; choose a larger flavor",
      "nodes.a.flavor, nodes.b.flavor: m1.tiny has 5 GB of disk, and a worker node needs 10 GB; choose a larger flavor",
    ]);
  });

  it("of a pool are told by the pool's setting, once for all of its nodes", () => {
    const pools = { batch: { count: 3, slots: "100-109", flavor: "m1.tiny" } };
    const tiny = { cores: 1, memory: 1023, disk: 10 };
    expect(findings({ pools }, { ...flavors, "m1.tiny": tiny }).problems).toEqual([
      "pools.batch.flavor: m1.tiny has 1023 MiB of memory, and a worker node needs 1024 MiB; choose a larger flavor",
    ]);
  });

  it("without a disk are a doubt, since the image's size decides", () => {
    const { problems, warnings } = findings({}, { "m1.medium": { ...medium, disk: 0 } });
    expect(problems).toEqual([]);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(
      /^machine\.flavor: m1\.medium has no disk of its own; .* needs 10 GB; choose a flavor with a disk$/,
    );
  });

  it("may be as small as one likes before Kubernetes comes", () => {
    const tiny = { "m1.medium": { cores: 1, memory: 512, disk: 1 } };
    expect(findings({ phase: "docker" }, tiny)).toEqual({ problems: [], warnings: [] });
    expect(findings({}, tiny).problems).toHaveLength(4);
  });

  it("that nobody knows are left out", () => {
    expect(findings({}, {})).toEqual({ problems: [], warnings: [] });
  });
});

/** What is there when all of a plan has been made. */
function made({ nodes, settings, serverGroups, loadBalancers }: ClusterPlan): Stock {
  const balancers = loadBalancers.map(({ name }) => [`demo-${name}`, `vip-${name}`]);
  const port = (node: { name: string; address: string }) => ({
    address: node.address,
    id: `port-${node.name}`,
    device: `machine-${node.name}`,
  });
  return {
    ports: nodes.map(port),
    loadBalancers: Object.fromEntries(balancers) as Record<string, string>,
    portsWithFloatingAddress: [
      ...nodes.map((node) => port(node).id),
      ...loadBalancers.flatMap(({ name, floatingAddress }) => (floatingAddress ? [`vip-${name}`] : [])),
    ],
    serverGroups: Object.keys(serverGroups).length,
    securityGroups: 2,
    securityRules: Object.values(securityRules(settings))
      .flat()
      .map(({ name: _name, ...rule }) => rule),
    egressRules: 4,
    networks: 1,
    subnets: 1,
    routers: 1,
    routes: nodes.map(({ podNetwork, address }) => ({ destination: podNetwork, nextHop: address })),
  };
}

const nothing = {
  servers: 0,
  cores: 0,
  memory: 0,
  ports: 0,
  floatingAddresses: 0,
  routes: 0,
  serverGroups: 0,
  securityGroups: 0,
  securityGroupRules: 0,
  networks: 0,
  subnets: 0,
  routers: 0,
};
const existing = { network: "office", subnet: "office-a", router: "office" };
const listeners = { http: { port: 80, nodePort: 30080 } };
const balanced = { loadBalancers: { web: { listeners }, inner: { listeners, floatingAddress: false } } };
const onExisting = { network: { ...stackSettings.network, existing } };

describe("what a cluster needs", () => {
  it("is all of it at first, the router's port and DHCP's among the ports", () => {
    expect(newNeeds(planOf(), flavors, noStock)).toEqual({
      servers: 3,
      cores: 6,
      memory: 3 * 4096,
      ports: 5,
      floatingAddresses: 3,
      routes: 3,
      serverGroups: 0,
      securityGroups: 2,
      securityGroupRules: 11,
      networks: 1,
      subnets: 1,
      routers: 1,
    });
  });

  it("is nothing once all of it is there, whatever else there is", () => {
    for (const plan of [planOf(), planOf(onExisting), planOf(balanced)]) {
      const stock = made(plan);
      stock.ports.push({ address: "10.0.0.99", id: "p", device: "m" });
      stock.routes.push({ destination: "10.50.0.0/16", nextHop: "10.0.0.99" });
      expect(newNeeds(plan, flavors, stock)).toEqual(nothing);
    }
  });

  it("is a port and an address of each load balancer, where it is to have one outside", () => {
    const stock = made(planOf());
    expect(newNeeds(planOf(balanced), flavors, stock)).toEqual({
      ...nothing,
      ports: 2,
      floatingAddresses: 1,
    });
    stock.loadBalancers["demo-web"] = "vip-web";
    expect(newNeeds(planOf(balanced), flavors, stock)).toEqual({
      ...nothing,
      ports: 1,
      floatingAddresses: 1,
    });
  });

  it("is what a further node needs, by its own flavor", () => {
    const nodes = { ...stackSettings.nodes, big: { role: "worker", slot: 20, flavor: "m1.large" } };
    const large = { cores: 8, memory: 16384, disk: 40 };
    const stock = made(planOf());
    expect(newNeeds(planOf({ nodes }), { ...flavors, "m1.large": large }, stock)).toEqual({
      ...nothing,
      servers: 1,
      cores: 8,
      memory: 16384,
      ports: 1,
      floatingAddresses: 1,
      routes: 1,
    });
  });

  it("is no network, subnet or router where they are there already, and no port but the nodes'", () => {
    const needs = newNeeds(planOf(onExisting), flavors, noStock);
    expect(needs).toMatchObject({ ports: 3, networks: 0, subnets: 0, routers: 0, routes: 3 });
  });

  it("is what a killed run has not made yet", () => {
    const stock = made(planOf());
    stock.ports.pop();
    stock.ports[0]!.device = "";
    stock.portsWithFloatingAddress = [];
    stock.routes = [];
    expect(newNeeds(planOf(), flavors, stock)).toMatchObject({
      ...nothing,
      servers: 2,
      cores: 4,
      memory: 8192,
      ports: 1,
      floatingAddresses: 3,
      routes: 3,
    });
  });

  it("is each rule that is not there, though others are that go", () => {
    const access = (ssh: string[]) => ({ network: { ...stackSettings.network, access: { ssh } } });
    const stock = made(planOf(access(["10.1.0.0/16", "10.2.0.0/16"])));
    const changed = planOf(access(["10.2.0.0/16", "10.3.0.0/16"]));
    expect(newNeeds(changed, flavors, stock)).toEqual({ ...nothing, securityGroupRules: 1 });
  });
});

describe("quotas", () => {
  const findings = (quotas: ProjectQuotas, stock = noStock, settings: Record<string, unknown> = {}) =>
    bare(quotaFindings(planOf(settings), flavors, quotas, stock));
  const workers = (number: number) => ({
    nodes: Object.fromEntries([
      ["cp-1", { role: "control-plane", slot: 10 }],
      ...Array.from({ length: number }, (_, n) => [`w-${n}`, { role: "worker", slot: 20 + n }]),
    ]),
  });

  it("that leave exactly what is needed are enough", () => {
    const quotas = { servers: { limit: 10, used: 7 }, memory: { limit: 12288, used: 0 }, routesOfRouter: 3 };
    expect(findings(quotas)).toEqual({ problems: [], warnings: [] });
  });

  it("that leave too little are told all at once, each with its setting and remedy", () => {
    const { problems } = findings({
      servers: { limit: 10, used: 8 },
      cores: { limit: 20, used: 15 },
      memory: { limit: 51200, used: 50000 },
      ports: { limit: 500, used: 496 },
      floatingAddresses: { limit: 50, used: 50 },
      securityGroups: { limit: 10, used: 10 },
      securityGroupRules: { limit: 100, used: 90 },
      networks: { limit: 100, used: 100 },
      subnets: { limit: 100, used: 100 },
      routers: { limit: 10, used: 12 },
      routesOfRouter: 2,
    });
    const remedy = "ask for a larger quota, or";
    expect(problems).toEqual([
      `nodes: of servers the cluster needs 3 more, and the quota leaves 2 (8 of 10 are used); ${remedy} have fewer nodes`,
      `nodes: of cores the cluster needs 6 more, and the quota leaves 5 (15 of 20 are used); ${remedy} have fewer nodes or smaller flavors`,
      `nodes: of memory in MiB the cluster needs 12288 more, and the quota leaves 1200 (50000 of 51200 are used); ${remedy} have fewer nodes or smaller flavors`,
      `nodes: of ports the cluster needs 5 more, and the quota leaves 4 (496 of 500 are used); ${remedy} have fewer nodes`,
      `nodes: of floating addresses the cluster needs 3 more, and the quota leaves 0 (50 of 50 are used); ${remedy} have fewer nodes`,
      `nodes: of routes of its router the cluster needs 3 more, and the quota leaves 2 (0 of 2 are used); ${remedy} have fewer nodes`,
      `cluster: of security groups the cluster needs 2 more, and the quota leaves 0 (10 of 10 are used); ${remedy} take unused ones away`,
      `network.access: of security group rules the cluster needs 11 more, and the quota leaves 10 (90 of 100 are used); ${remedy} name fewer networks there`,
      `network.existing: of networks the cluster needs 1 more, and the quota leaves 0 (100 of 100 are used); ${remedy} name one that is there`,
      `network.existing: of subnets the cluster needs 1 more, and the quota leaves 0 (100 of 100 are used); ${remedy} name one that is there`,
      `network.existing: of routers the cluster needs 1 more, and the quota leaves 0 (12 of 10 are used); ${remedy} name one that is there`,
    ]);
  });

  it("that are unlimited, unknown or only for what is there already are no problem", () => {
    expect(findings({ servers: { limit: -1, used: 900 }, routesOfRouter: -1 }).problems).toEqual([]);
    expect(findings({}).problems).toEqual([]);
    const full = { servers: { limit: 3, used: 3 }, routers: { limit: 1, used: 1 } };
    expect(findings(full, made(planOf())).problems).toEqual([]);
  });

  const pool = (count: number) => ({
    pools: { batch: { count, slots: "100-139", serverGroup: "anti-affinity" } },
  });

  it("of server groups are needed for pools that have one, and not again once it is there", () => {
    const full = { serverGroups: { limit: 10, used: 10 } };
    expect(findings(full).problems).toEqual([]);
    expect(findings(full, noStock, pool(1)).problems).toEqual([
      "pools: of server groups the cluster needs 1 more, and the quota leaves 0 (10 of 10 are used); " +
        "ask for a larger quota, or have fewer pools with one",
    ]);
    expect(findings(full, made(planOf(pool(1))), pool(1)).problems).toEqual([]);
  });

  it("of a server group's members are no larger than its pool, unless the pool grows no further", () => {
    const ten = { membersOfServerGroup: 10 };
    expect(findings(ten, noStock, pool(10)).problems).toEqual([]);
    const problem = (count: number) =>
      `pools.batch.count: a server group may have 10 members, and the pool is to have ${count}; ` +
      "ask for a larger quota, or make two pools of it";
    expect(findings(ten, noStock, pool(11)).problems).toEqual([problem(11)]);
    expect(findings(ten, made(planOf(pool(11))), pool(12)).problems).toEqual([problem(12)]);
    expect(findings(ten, made(planOf(pool(12))), pool(12)).problems).toEqual([]);
    expect(findings(ten, made(planOf(pool(12))), { ...pool(12), ...workers(3) }).problems).toEqual([]);
    expect(findings({ membersOfServerGroup: -1 }, noStock, pool(11)).problems).toEqual([]);
  });

  it("of routes are a doubt above Neutron's default, where the cloud does not tell its own", () => {
    expect(findings({}, noStock, workers(29))).toEqual({ problems: [], warnings: [] });
    expect(findings({}, noStock, workers(30))).toEqual({
      problems: [],
      warnings: [
        "nodes: the router is to have 31 routes, and Neutron allows 30 unless the cloud's max_routes says more, " +
          "which a project cannot read; ask the cloud's operator",
      ],
    });
    expect(findings({ routesOfRouter: 100 }, noStock, workers(30)).warnings).toEqual([]);
  });

  it("of routes count those that the router has already, whosever they are", () => {
    const others = (number: number): Stock => ({
      ...noStock,
      routes: Array.from({ length: number }, (_, n) => ({
        destination: `10.50.${n}.0/24`,
        nextHop: "10.0.0.77",
      })),
    });
    expect(findings({}, others(27)).warnings).toEqual([]);
    expect(findings({}, others(28)).warnings[0]).toMatch(/^nodes: the router is to have 31 routes/);
    expect(findings({ routesOfRouter: 30 }, others(28)).problems[0]).toMatch(
      /^nodes: of routes of its router the cluster needs 3 more, and the quota leaves 2 \(28 of 30/,
    );
  });

  it("of routes do not matter where flannel leads to pods", () => {
    const flannel = { ...workers(40), network: { ...stackSettings.network, routing: "flannel" } };
    expect(findings({}, noStock, flannel)).toEqual({ problems: [], warnings: [] });
    expect(findings({ routesOfRouter: 0 }, noStock, flannel).problems).toEqual([]);
    expect(findings({ routesOfRouter: 0 }, noStock, workers(40)).problems).toHaveLength(1);
  });

  it("of routes are no doubt where the router shows that it may have more, or nothing comes", () => {
    const plan = planOf(workers(40));
    expect(findings({}, made(plan), workers(40)).warnings).toEqual([]);
    expect(findings({}, made(plan), workers(41)).warnings).toEqual([]);
  });
});
