import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from "vitest";
import { lookUp } from "../../components/lookups.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { run } from "../helpers/monitor.ts";
import { everyRunAsks, FakeOpenStack, limitsPath, ownPortsPath, quotasPath } from "../helpers/openstack.ts";

let cloud: FakeOpenStack;
let warn: MockInstance<typeof console.warn>;
beforeEach(() => {
  cloud = new FakeOpenStack();
  warn = vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const medium = { id: "known", vcpus: 2, ram: 4096, disk: 20 };

/** The plugin's answer to a function. */
function answerOfPlugin(token: string): Record<string, unknown> {
  if (token.endsWith(":getAuthScope")) return cloud.scope;
  return token.endsWith(":getFlavor") ? medium : { id: "known" };
}

/** What a user reads of a look-up, without the namespace. */
async function looked(settings: Record<string, unknown> = {}, call: typeof answerOfPlugin = answerOfPlugin) {
  const failure: unknown = await run(() => lookUp(planOf(settings)), { call }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const cut = (text: string) => text.replaceAll("openstack-kubernetes:", "");
  return {
    errors: failure === undefined ? [] : cut((failure as Error).message).split("\n"),
    warnings: warn.mock.calls.map(([text]) => cut(String(text)).replace("warning: [runtime] ", "")).sort(),
  };
}

const nova = (absolute: object) => {
  cloud.answers[limitsPath] = { limits: { rate: [], absolute } };
};
const neutron = (quota: Record<string, { limit: number; used: number; reserved?: number }>) => {
  cloud.answers[quotasPath] = { quota };
};
const full = { limit: 3, used: 3, reserved: 0 };

describe("quotas that leave enough", () => {
  it("take one call a service, whatever the stack has already", async () => {
    nova({ maxTotalInstances: 10, totalInstancesUsed: 7, maxTotalCores: -1, totalCoresUsed: 90 });
    neutron({ port: { limit: 500, used: 495, reserved: 0 }, trunk: full });
    expect(await looked()).toEqual({ errors: [], warnings: [] });
    expect(cloud.asked.sort()).toEqual(everyRunAsks.map((path) => `GET ${path}`));
  });
});

describe("quotas that leave too little", () => {
  it("are told with everything else that is wrong, and change nothing", async () => {
    nova({ maxTotalCores: 20, totalCoresUsed: 15, maxTotalRAMSize: 1000, totalRAMUsed: 0 });
    neutron({ floatingip: { limit: 50, used: 49, reserved: 0 }, router: full });
    const { errors, warnings } = await looked({}, (token) => {
      if (token.endsWith(":getImage")) throw new Error("Your query returned no results.");
      return token.endsWith(":getFlavor") ? { ...medium, ram: 1024 } : answerOfPlugin(token);
    });
    expect(errors.map((error) => error.split(/;| has | more,/)[0]).sort()).toEqual([
      "machine.flavor: m1.medium",
      "machine.image: this OpenStack project sees no image named debian-13",
      "network.existing: of routers the cluster needs 1",
      "nodes: of cores the cluster needs 6",
      "nodes: of floating addresses the cluster needs 3",
      "nodes: of memory in MiB the cluster needs 3072",
    ]);
    expect(warnings).toEqual([]);
    expect(cloud.asked.filter((call) => !call.startsWith("GET "))).toEqual([]);
  });

  it("of routes are a router's, where the cloud tells them", async () => {
    neutron({ router_routes: { limit: 2, used: 0, reserved: 0 } });
    expect((await looked()).errors).toEqual([
      "nodes: of routes of its router the cluster needs 3 more, and the quota leaves 2 (0 of 2 are used); " +
        "ask for a larger quota, or have fewer nodes",
    ]);
  });
});

describe("a stack that is there", () => {
  const ours = "Kubernetes cluster demo of openstack-kubernetes/test";
  const port = (id: string, address: string, more: object) => ({
    id,
    device_id: `machine of ${id}`,
    description: ours,
    fixed_ips: [{ ip_address: address, subnet_id: "s" }],
    ...more,
  });
  const list = (path: string, query: string, ...items: object[]) => {
    cloud.answers[`/network/v2.0/${path}?${query}`] = { [path.replaceAll("-", "_")]: items };
  };
  const search = `description=${ours.replaceAll(" ", "+")}`;
  const ports = ["10.0.0.10", "10.0.0.11", "10.0.0.12"].map((address, n) => port(`p${n}`, address, {}));
  const rule = (ports: number[], protocol: string | null, remote_ip_prefix: string) => ({
    direction: "ingress",
    protocol,
    port_range_min: ports[0] ?? null,
    port_range_max: ports[1] ?? null,
    remote_ip_prefix,
  });
  const egress = { ...rule([], null, ""), direction: "egress", remote_ip_prefix: null };
  const anywhere = "0.0.0.0/0";
  const groups = [
    {
      security_group_rules: [
        ...[egress, egress],
        rule([], null, "10.0.0.0/24"),
        rule([], null, "10.100.0.0/16"),
        rule([], "icmp", anywhere),
        rule([22, 22], "tcp", anywhere),
        rule([30000, 32767], "tcp", anywhere),
        rule([30000, 32767], "udp", anywhere),
      ],
    },
    { security_group_rules: [egress, egress, rule([6443, 6443], "tcp", anywhere)] },
  ];

  beforeEach(() => {
    nova({ maxTotalInstances: 3, totalInstancesUsed: 3, maxTotalCores: 6, totalCoresUsed: 6 });
    const neutronKinds = ["port", "floatingip", "security_group", "security_group_rule", "network"];
    neutron(Object.fromEntries([...neutronKinds, "subnet", "router"].map((kind) => [kind, full])));
    list("ports", search, ...ports);
    list("networks", search, { subnets: ["s"] });
    list("routers", search, { routes: [] });
    list("security-groups", search, ...groups);
    const unused = { port_id: null };
    list("floatingips", "project_id=own-project", unused, ...ports.map(({ id }) => ({ port_id: id })));
  });

  it("needs nothing of quotas that it has used up itself", async () => {
    expect(await looked()).toEqual({ errors: [], warnings: [] });
  });

  it("needs what a further node needs", async () => {
    const nodes = { ...stackSettings.nodes, "worker-3": { role: "worker", slot: 13 } };
    const { errors } = await looked({ nodes });
    expect(errors.map((error) => error.split(" more, and the quota leaves 0 ")[0])).toEqual([
      "nodes: of servers the cluster needs 1",
      "nodes: of cores the cluster needs 2",
      "nodes: of ports the cluster needs 1",
      "nodes: of floating addresses the cluster needs 1",
    ]);
  });

  it("needs no server group that it has, by its name", async () => {
    nova({ maxServerGroups: 2, totalServerGroupsUsed: 2, maxServerGroupMembers: 1 });
    neutron({});
    const group = (name: string) => ({ name, members: [] });
    const pools = { batch: { count: 1, slots: "100-109", serverGroup: "anti-affinity" } };
    cloud.answers["/compute/os-server-groups"] = { server_groups: [group("demo-batch of other/test")] };
    const { errors } = await looked({ pools });
    expect(errors.map((error) => error.split(" more,")[0])).toEqual([
      "pools: of server groups the cluster needs 1",
    ]);
    cloud.answers["/compute/os-server-groups"] = {
      server_groups: [group("demo-batch of openstack-kubernetes/test")],
    };
    expect((await looked({ pools })).errors).toEqual([]);
    expect((await looked({ pools: { batch: { ...pools.batch, count: 2 } } })).errors).toEqual([
      expect.stringMatching(
        /^pools\.batch\.count: a server group may have 1 members, and the pool is to have 2;/,
      ),
    ]);
  });

  it("has its load balancers' ports and addresses by their names", async () => {
    const listeners = { http: { port: 80, nodePort: 30080 } };
    const loadBalancers = { web: { listeners }, inner: { listeners, floatingAddress: false } };
    const there = (...names: string[]) => {
      const balancers = names.map((name) => ({ name: `demo-${name}`, vip_port_id: `vip-${name}` }));
      cloud.answers[`/load-balancer/v2.0/lbaas/loadbalancers?${search}`] = { loadbalancers: balancers };
    };
    const addresses = ["p0", "p1", "p2", "vip-web"].map((port_id) => ({ port_id }));
    list("floatingips", "project_id=own-project", ...addresses);
    there("web", "inner");
    expect(await looked({ loadBalancers })).toEqual({ errors: [], warnings: [] });
    there("inner");
    const { errors } = await looked({ loadBalancers });
    expect(errors.map((error) => error.split(" more, and the quota leaves 0 ")[0])).toEqual([
      "nodes: of ports the cluster needs 1",
      "nodes: of floating addresses the cluster needs 1",
    ]);
  });

  it("is no reason for errors where it cannot be asked for", async () => {
    cloud.forbidden.add("/network/v2.0/floatingips?project_id=own-project");
    expect(await looked()).toEqual({
      errors: [],
      warnings: [
        "The project's quotas are not checked: OpenStack answers 403 to GET floatingips?project_id=own-project: not allowed",
      ],
    });
  });

  it("on an existing network has the ports and routes that the look-up of the network found", async () => {
    const gateway = port("gateway", "10.0.0.1", { device_id: "r", description: "" });
    const own = { project_id: "own-project" };
    const subnet = { id: "s", cidr: "10.0.0.0/24", gateway_ip: "10.0.0.1", enable_dhcp: true, ip_version: 4 };
    const routes = Array.from({ length: 28 }, (_, n) => ({
      destination: `10.50.${n}.0/24`,
      nexthop: "10.0.0.77",
    }));
    list("networks", "name=office", { id: "n", ...own });
    list("subnets", "name=office-a&network_id=n", subnet);
    list("routers", "name=office", { id: "r", external_gateway_info: { network_id: "known" }, routes });
    list("ports", "network_id=n&fixed_ips=subnet_id=s", gateway, ...ports);
    list("ports", "device_id=r", gateway);
    list("subnets", "id=s", subnet);
    const existing = { network: "office", subnet: "office-a", router: "office" };
    const { errors, warnings } = await looked({ network: { externalNetwork: "public", existing } });
    expect(errors).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^nodes: the router is to have 31 routes, and Neutron allows 30/);
    expect(cloud.asked.filter((call) => call.includes("description="))).toEqual([
      `GET ${ownPortsPath}`,
      `GET /network/v2.0/security-groups?${search}`,
    ]);
  });
});

describe("load balancers", () => {
  const loadBalancers = { web: { listeners: { http: { port: 80, nodePort: 30080 } } } };

  it("are refused where OpenStack has no Octavia, and only there", async () => {
    expect((await looked({ loadBalancers })).errors).toEqual([]);
    cloud.scope.serviceCatalogs = cloud.scope.serviceCatalogs.filter(({ type }) => type !== "load-balancer");
    expect((await looked()).errors).toEqual([]);
    expect((await looked({ loadBalancers })).errors).toEqual([
      "loadBalancers: this OpenStack has no load balancer service (Octavia)",
    ]);
  });
});

describe("quotas that cannot be read", () => {
  it("are a warning a service and no error", async () => {
    cloud.forbidden.add(limitsPath);
    delete cloud.answers[quotasPath];
    expect(await looked()).toEqual({
      errors: [],
      warnings: [
        "The project's quotas of ports, addresses, groups and networks are not checked: OpenStack's network service has no quotas/own-project/details.json",
        "The project's quotas of servers, cores and memory are not checked: OpenStack answers 403 to GET limits: not allowed",
      ],
    });
  });

  it("keep no other service's from being checked", async () => {
    cloud.forbidden.add(limitsPath);
    neutron({ floatingip: full });
    const { errors, warnings } = await looked();
    expect(errors).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });

  it("for want of an entry in the catalogue are a warning and no error", async () => {
    cloud.scope.serviceCatalogs = [];
    const { errors, warnings } = await looked();
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      expect.stringContaining("OpenStack's catalogue has no public network service"),
      expect.stringContaining("OpenStack's catalogue has no public compute service"),
      expect.stringMatching(
        /^nodes: which of them are there already cannot be told, .* no public network service$/,
      ),
    ]);
  });

  it("because a service does not answer are a warning with the reason", async () => {
    const refused = new TypeError("fetch failed", {
      cause: new Error("connect ECONNREFUSED 192.0.2.1:8774"),
    });
    vi.stubGlobal("fetch", () => Promise.reject(refused));
    const { errors, warnings } = await looked();
    expect(errors).toEqual([]);
    expect(warnings[0]).toMatch(/not checked: fetch failed: connect ECONNREFUSED 192\.0\.2\.1:8774$/);
  });

  it("because there is no login to the REST interfaces are a warning, and flavors are checked", async () => {
    const { errors, warnings } = await looked({}, (token) => {
      if (token.endsWith(":getAuthScope")) throw new Error("no scope");
      return answerOfPlugin(token);
    });
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^The project's quotas are not checked: .*no scope/),
      expect.stringMatching(/^nodes: which of them .*no scope/),
    ]);
    const small = await looked({}, (token) => {
      if (token.endsWith(":getAuthScope")) throw new Error("no scope");
      return token.endsWith(":getFlavor") ? { ...medium, disk: 5 } : answerOfPlugin(token);
    });
    expect(small.errors).toHaveLength(2);
  });

  it("because OpenStack cannot be asked at all add nothing to that", async () => {
    const { errors, warnings } = await looked({}, () => {
      throw new Error(
        "1 error occurred:\n\t* Error creating OpenStack x client: One of 'auth_url' or 'cloud' must be specified\n\n",
      );
    });
    expect(errors).toHaveLength(1);
    expect(warnings).toEqual([]);
  });
});
