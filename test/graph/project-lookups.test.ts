import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lookUp } from "../../components/lookups.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { run } from "../helpers/monitor.ts";
import { everyRunAsks, FakeOpenStack, ownPortsPath } from "../helpers/openstack.ts";

let cloud: FakeOpenStack;
const warn = vi.spyOn(pulumi.log, "warn");
beforeEach(() => {
  cloud = new FakeOpenStack();
  warn.mockReset();
});
afterEach(() => vi.unstubAllGlobals());

const answerOfPlugin = (token: string) => (token.endsWith("getAuthScope") ? cloud.scope : { id: "known" });

async function looked(settings: Record<string, unknown>, call = answerOfPlugin) {
  return (await run(() => lookUp(planOf(settings)), { call })).result;
}

/** The lines that a user reads, without the namespace. */
async function failure(settings: Record<string, unknown>, call = answerOfPlugin): Promise<string[]> {
  const error: unknown = await looked(settings, call).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message.replaceAll("openstack-kubernetes:", "").split("\n");
}

const machine = (settings: object) => ({ machine: { ...stackSettings.machine, ...settings } });
const list = (path: string, query: string, ...items: object[]) => {
  cloud.answers[`/network/v2.0/${path}?${query}`] = { [path.replaceAll("-", "_")]: items };
};
const own = { project_id: "own-project" };

/** The nodes whose machines are there already. */
const thereAre = (...names: string[]) => {
  const ports = names.map((name) => ({ name: `demo-${name}`, device_id: "server" }));
  cloud.answers[ownPortsPath] = { ports };
};
/** What the run has warned of. */
const warnings = () => warn.mock.calls.map(([text]) => text);

/** What was asked beside the quotas and the stack's own ports and servers. */
const looks = () => cloud.asked.filter((call) => !everyRunAsks.includes(call.slice(4)));

it("a stack that names nothing of the project's own looks nothing up in it", async () => {
  expect(await looked({})).toMatchObject({ securityGroupIds: {}, externalNetworkId: "known" });
  expect(looks()).toEqual([]);
});

describe("security groups", () => {
  const settings = {
    ...machine({ securityGroups: ["office"] }),
    nodes: {
      ...stackSettings.nodes,
      db: { role: "worker", slot: 20, securityGroups: ["office", "data base"] },
    },
  };

  it("are found by name, once each", async () => {
    list("security-groups", "name=office", { id: "o", ...own });
    list("security-groups", "name=data+base", { id: "d", ...own });
    expect((await looked(settings)).securityGroupIds).toEqual({ office: "o", "data base": "d" });
    expect(looks()).toHaveLength(2);
  });

  it("of the project's own go before others that an administrator sees", async () => {
    list("security-groups", "name=office", { id: "x", project_id: "other" }, { id: "o", ...own });
    list("security-groups", "name=data+base", { id: "d", project_id: "other" });
    expect((await looked(settings)).securityGroupIds).toEqual({ office: "o", "data base": "d" });
  });

  it("that are not there, or twice, are told with every setting that names them", async () => {
    list("security-groups", "name=data+base", { id: "d", ...own }, { id: "e", ...own });
    expect(await failure(settings)).toEqual([
      "machine.securityGroups, nodes.db.securityGroups: this OpenStack project sees no security group named office",
      "nodes.db.securityGroups: more than one security group is named data base",
    ]);
  });
});

describe("key pairs and zones", () => {
  it("that are there are no problem, a zone with its host neither", async () => {
    cloud.answers["/compute/os-keypairs/my key"] = { keypair: {} };
    cloud.answers["/compute/os-availability-zone"] = { availabilityZoneInfo: [{ zoneName: "nova" }] };
    await looked(machine({ keyPair: "my key", availabilityZone: "nova:host-1" }));
    expect(looks()).toHaveLength(2);
  });

  it("that are not there are told", async () => {
    cloud.answers["/compute/os-availability-zone"] = { availabilityZoneInfo: [{ zoneName: "nova" }] };
    expect((await failure(machine({ keyPair: "mine", availabilityZone: "mars" }))).sort()).toEqual([
      "machine.availabilityZone: this OpenStack project sees no availability zone named mars",
      "machine.keyPair: this login has no key pair named mine; Nova keeps those of each user apart",
    ]);
  });

  it("of a colleague are not needed by machines that were made with them, and by all others", async () => {
    const metadata = { cluster: "demo", stack: "openstack-kubernetes/test" };
    const made = (...names: string[]) => {
      const servers = names.map((name) => ({ name, metadata, key_name: "a colleague's" }));
      cloud.answers["/compute/servers/detail?name=."] = { servers };
    };
    made("cp-1", "worker-1", "worker-2");
    await looked(machine({ keyPair: "a colleague's" }));
    expect(warnings()).toEqual([expect.stringContaining("this login has no key pair named a colleague's")]);
    made("cp-1", "worker-1");
    expect(await failure(machine({ keyPair: "a colleague's" }))).toHaveLength(1);
  });
});

describe("an image that is no more there", () => {
  const retired = (token: string, { name }: { name?: string }) => {
    if (name === "retired") throw new Error("Your query returned no results.");
    return answerOfPlugin(token);
  };
  const call = retired as unknown as typeof answerOfPlugin;
  const nodes = {
    ...stackSettings.nodes,
    "cp-1": { ...stackSettings.nodes["cp-1"], image: "retired" },
  };

  it("is not needed by a control plane that is there", async () => {
    thereAre("cp-1");
    await looked({ nodes }, call);
    expect(warnings()).toEqual([
      expect.stringContaining("nodes.cp-1.image: this OpenStack project sees no image"),
    ]);
  });

  it("is needed by all that are to be made, and by workers, which may be made anew", async () => {
    expect(await failure({ nodes }, call)).toHaveLength(1);
    thereAre("cp-1", "worker-1", "worker-2");
    expect(await failure(machine({ image: "retired" }), call)).toHaveLength(1);
  });
});

describe("a floating pool", () => {
  const settings = { network: { ...stackSettings.network, floatingPool: "pool" } };

  it("is one that the router leads to", async () => {
    const call = (token: string, { name }: { name?: string }) =>
      token.endsWith("getNetwork") ? { id: `${name}-id` } : answerOfPlugin(token);
    expect(await failure(settings, call as unknown as typeof answerOfPlugin)).toEqual([
      "network.floatingPool: the router does not lead to pool, and Neutron gives machines behind it no addresses of " +
        "another network; leave the setting out",
    ]);
  });

  it("is an external network", async () => {
    const asked: unknown[] = [];
    const call = (token: string, inputs: Record<string, unknown>) => {
      if (token.endsWith("getNetwork")) asked.push(inputs);
      return answerOfPlugin(token);
    };
    await looked(settings, call as typeof answerOfPlugin);
    expect(asked).toEqual([
      { name: "public", external: true },
      { name: "pool", external: true },
    ]);
  });

  it("that is none is told", async () => {
    const call = (token: string, { name }: { name?: string }) => {
      if (name === "pool") throw new Error("Your query returned no results.");
      return answerOfPlugin(token);
    };
    expect(await failure(settings, call as unknown as typeof answerOfPlugin)).toEqual([
      "network.floatingPool: this OpenStack project sees no external network named pool",
    ]);
  });
});

describe("an existing network", () => {
  const existing = { network: "office", subnet: "office-a", router: "b3c5a3ee-9c4c-4a3e-8c55-2f1d0f6f5a11" };
  const settings = { network: { externalNetwork: "public", nodeNetwork: "10.20.0.0/24", existing } };
  const subnet = {
    id: "s",
    name: "office-a",
    cidr: "10.20.0.0/24",
    gateway_ip: "10.20.0.1",
    enable_dhcp: true,
  };
  const router = {
    id: "r",
    name: "tenant",
    external_gateway_info: { network_id: "known" },
    routes: [{ destination: "fd00::/64", nexthop: "fd01::1" }],
  };
  const ports = "network_id=n&fixed_ips=subnet_id=s";
  const port = (id: string, address: string, more: object, subnet = "s") => ({
    id,
    fixed_ips: [{ ip_address: address, subnet_id: subnet }],
    ...more,
  });
  const gateway = port("gateway", "10.20.0.1", { device_id: "r", description: "" });

  beforeEach(() => {
    list("networks", "name=office", { id: "n", ...own });
    list("subnets", "name=office-a&network_id=n", subnet);
    list("routers", `id=${existing.router}`, router);
    list("ports", ports, gateway);
    list("ports", "device_id=r", gateway, port("far-gateway", "10.30.0.1", { device_id: "r" }, "f"));
    list("subnets", "id=s&id=f", subnet, { id: "f", name: "", ip_version: 4, cidr: "10.30.0.0/24" });
  });

  it("is found by name or id, the subnet in its network", async () => {
    expect((await looked(settings)).existingNetwork).toEqual({
      networkId: "n",
      subnetId: "s",
      routerId: "r",
    });
  });

  it("with this stack's own ports and routes of an earlier run is taken again", async () => {
    const description = "Kubernetes cluster demo of openstack-kubernetes/test";
    list("ports", ports, gateway, port("p", "10.20.0.11", { device_id: "m", description }));
    const routes = [{ destination: "10.100.11.0/24", nexthop: "10.20.0.11" }];
    list("routers", `id=${existing.router}`, { ...router, routes });
    expect((await looked(settings)).existingNetwork).toBeDefined();
  });

  it("with another stack's port at a node's address is refused", async () => {
    const description = "Kubernetes cluster demo of openstack-kubernetes/other";
    list("ports", ports, gateway, port("p", "10.20.0.11", { device_id: "m", description }));
    expect(await failure(settings)).toEqual([
      "nodes.worker-1.slot: the address 10.20.0.11 of worker-1 is that of port p",
    ]);
  });

  it.each<[title: string, change: () => void, problem: string]>([
    [
      "network is not there",
      () => list("networks", "name=office"),
      "network.existing.network: this OpenStack project sees no network named office",
    ],
    [
      "network is there twice",
      () => list("networks", "name=office", { id: "n", ...own }, { id: "m", ...own }),
      "network.existing.network: more than one network is named office",
    ],
    [
      "subnet is another network's",
      () => list("subnets", "name=office-a&network_id=n"),
      "network.existing.subnet: this OpenStack project sees no subnet named office-a",
    ],
    [
      "router is not there",
      () => list("routers", `id=${existing.router}`),
      `network.existing.router: this OpenStack project sees no router named ${existing.router}`,
    ],
    [
      "router does not lead out",
      () => list("routers", `id=${existing.router}`, { ...router, external_gateway_info: null }),
      "network.existing.router: tenant does not lead to the external network public",
    ],
    [
      "subnet has other addresses",
      () => list("subnets", "name=office-a&network_id=n", { ...subnet, cidr: "10.21.0.0/24" }),
      "network.nodeNetwork: must be 10.21.0.0/24, the network of the subnet office-a, not 10.20.0.0/24",
    ],
    [
      "router has another subnet with pods' addresses",
      () => list("subnets", "id=s&id=f", { id: "f", name: "", ip_version: 4, cidr: "10.100.3.0/24" }),
      "cluster.podNetwork: 10.100.0.0/16 overlaps the subnet f, 10.100.3.0/24, which is behind the router tenant too; take another network",
    ],
    [
      "subnet is not the router's",
      () => list("ports", ports),
      "network.existing.router: tenant is not the gateway of the subnet office-a, 10.20.0.1; add the subnet to it",
    ],
  ])("whose %s is refused", async (_title, change, problem) => {
    change();
    expect(await failure(settings)).toEqual([problem]);
  });

  it("is looked up without a change to anything", async () => {
    await looked(settings);
    expect(cloud.asked.filter((call) => !call.startsWith("GET "))).toEqual([]);
  });
});

it("everything that is not there is told at once, the plugin's and the project's", async () => {
  const call = (token: string) => {
    if (token.endsWith("getImage")) throw new Error("Your query returned no results.");
    return answerOfPlugin(token);
  };
  const settings = {
    ...machine({ keyPair: "mine", securityGroups: ["office"] }),
    network: { ...stackSettings.network, existing: { network: "n", subnet: "s", router: "r" } },
  };
  expect((await failure(settings, call)).map((line) => line.split(": ")[0]).sort()).toEqual([
    "machine.image",
    "machine.keyPair",
    "machine.securityGroups",
    "network.existing.network",
    "network.existing.router",
  ]);
});

it("a REST interface that refuses is told in one line", async () => {
  vi.stubGlobal("fetch", async () => new Response("not allowed", { status: 403 }));
  expect(await failure(machine({ availabilityZone: "nova" }))).toEqual([
    "OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: " +
      "OpenStack answers 403 to GET os-availability-zone: not allowed",
  ]);
});
