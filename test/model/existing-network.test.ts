import { describe, expect, it } from "vitest";
import { existingNetworkProblems, type ExistingNetwork } from "../../model/existing-network.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";

const existing = { network: "office", subnet: "office-a", router: "office" };
const network = { ...stackSettings.network, nodeNetwork: "10.20.0.0/24", existing };
const plan = planOf({ network });

/** The network as it is before the cluster's first run. */
const there: ExistingNetwork = {
  subnet: { name: "office-a", cidr: "10.20.0.0/24", gateway: "10.20.0.1", dhcp: true },
  router: {
    id: "router-id",
    name: "office",
    leadsTo: ["public-id"],
    routes: [
      { destination: "10.50.0.0/16", nextHop: "10.20.0.77" },
      { destination: "fd00::/64", nextHop: "fd01::1" },
    ],
    otherSubnets: [{ name: "office-b", cidr: "10.30.0.0/24" }],
  },
  ports: [
    { address: "10.20.0.1", id: "gateway-port", device: "router-id", ofThisStack: false },
    { address: "10.20.0.77", id: "other-port", device: "other-machine", ofThisStack: false },
  ],
};
const port = (address: string, ofThisStack: boolean) => ({ address, id: "p", device: "m", ofThisStack });
const route = (destination: string, nextHop: string) => ({ destination, nextHop });
const withRoutes = (...routes: ExistingNetwork["router"]["routes"]): ExistingNetwork => ({
  ...there,
  router: { ...there.router, routes: [...there.router.routes, ...routes] },
});
const withSubnet = (cidr: string): ExistingNetwork => ({
  ...there,
  router: { ...there.router, otherSubnets: [...there.router.otherSubnets, { name: "office-c", cidr }] },
});
const problems = (found: ExistingNetwork, externalNetworkId?: string, cluster = plan) =>
  existingNetworkProblems(cluster, found, externalNetworkId).map((problem) =>
    problem.replace("openstack-kubernetes:", ""),
  );

describe("an existing network", () => {
  it("is taken where its subnet, router and addresses fit", () => {
    expect(problems(there, "public-id")).toEqual([]);
  });

  it("is taken again with the ports and routes of an earlier run", () => {
    const found = withRoutes(route("10.100.11.0/24", "10.20.0.11"));
    found.ports = [...there.ports, port("10.20.0.11", true)];
    expect(problems(found, "public-id")).toEqual([]);
  });

  it("whose router got such a subnet when the cluster was there is taken again", () => {
    const found = withSubnet("10.100.200.0/24");
    expect(problems({ ...found, ports: [...there.ports, port("10.20.0.11", true)] })).toEqual([]);
  });

  it("whose router has routes around the pod networks, or wider ones, is taken", () => {
    const found = withRoutes(route("10.100.13.0/24", "10.20.0.77"), route("10.0.0.0/8", "10.20.0.77"));
    expect(problems(found)).toEqual([]);
  });

  it("whose router routes a node's pod network to somebody else is taken where flannel routes", () => {
    const cluster = planOf({ network: { ...network, routing: "flannel" } });
    const found = withRoutes(route("10.100.12.0/24", "10.20.0.77"));
    expect(problems(found, "public-id", cluster)).toEqual([]);
    expect(problems({ ...found, ports: [] }, "elsewhere", cluster)).toHaveLength(2);
  });

  it("in which a pool's node's address is taken names the pool's slots", () => {
    const cluster = planOf({ network, pools: { batch: { count: 2, slots: "100-109" } } });
    const found = { ...there, ports: [...there.ports, port("10.20.0.101", false)] };
    expect(problems(found, "public-id", cluster)).toEqual([
      "pools.batch.slots: the address 10.20.0.101 of batch-2 is that of port p",
    ]);
  });

  it("that leads to several external networks is taken for one of them", () => {
    const router = { ...there.router, leadsTo: ["other-id", "public-id"] };
    expect(problems({ ...there, router }, "public-id")).toEqual([]);
  });

  it.each<[title: string, found: ExistingNetwork, problem: string]>([
    [
      "of other addresses than the settings say",
      { ...there, subnet: { ...there.subnet, cidr: "10.21.0.0/24" } },
      "network.nodeNetwork: must be 10.21.0.0/24, the network of the subnet office-a, not 10.20.0.0/24",
    ],
    [
      "without DHCP",
      { ...there, subnet: { ...there.subnet, dhcp: false } },
      "network.existing.subnet: office-a has no DHCP, by which the machines learn their addresses",
    ],
    [
      "that the router has no part in",
      { ...there, ports: there.ports.slice(1) },
      "network.existing.router: office is not the gateway of the subnet office-a, 10.20.0.1; add the subnet to it",
    ],
    [
      "of which another router is the gateway",
      { ...there, ports: [{ ...there.ports[0]!, device: "other-router" }] },
      "network.existing.router: office is not the gateway of the subnet office-a, 10.20.0.1; add the subnet to it",
    ],
    [
      "without a gateway",
      { ...there, subnet: { ...there.subnet, gateway: undefined } },
      "network.existing.router: office is not the gateway of the subnet office-a, which has none",
    ],
    [
      "whose router leads elsewhere",
      { ...there, router: { ...there.router, leadsTo: ["other-id"] } },
      "network.existing.router: office does not lead to the external network public",
    ],
    [
      "in which a node's address is taken",
      { ...there, ports: [...there.ports, port("10.20.0.12", false)] },
      "nodes.worker-2.slot: the address 10.20.0.12 of worker-2 is that of port p",
    ],
    [
      "whose router has a subnet with pods' addresses",
      withSubnet("10.100.200.0/24"),
      "cluster.podNetwork: 10.100.0.0/16 overlaps the subnet office-c, 10.100.200.0/24, which is behind the router office too; take another network",
    ],
    [
      "whose router has a subnet with services' addresses",
      withSubnet("10.254.0.0/15"),
      "cluster.serviceNetwork: 10.254.0.0/16 overlaps the subnet office-c, 10.254.0.0/15, which is behind the router office too; take another network",
    ],
    [
      "whose router routes a node's pod network to somebody else",
      withRoutes(route("10.100.12.0/24", "10.20.0.77")),
      "network.existing.router: office routes 10.100.12.0/24, which is of the pod network of worker-2, by way of 10.20.0.77; take another pod network, or that route away",
    ],
    [
      "whose router routes part of a pod network to somebody else",
      withRoutes(route("10.100.12.16/28", "10.20.0.77")),
      "network.existing.router: office routes 10.100.12.16/28, which is of the pod network of worker-2, by way of 10.20.0.77; take another pod network, or that route away",
    ],
    [
      "whose router has a node's very route, and no port of the stack is behind it",
      withRoutes(route("10.100.12.0/24", "10.20.0.12")),
      "network.existing.router: office routes 10.100.12.0/24, which is of the pod network of worker-2, by way of 10.20.0.12; take another pod network, or that route away",
    ],
  ])("%s is refused", (_title, found, problem) => {
    expect(problems(found, "public-id")).toEqual([problem]);
  });

  it("is told with everything that is wrong", () => {
    const found = {
      ...withRoutes(route("10.100.10.0/24", "10.20.0.99")),
      ports: [port("10.20.0.10", false)],
    };
    expect(problems(found, "elsewhere").map((problem) => problem.split(": ")[0])).toEqual([
      "network.existing.router",
      "network.existing.router",
      "nodes.cp-1.slot",
      "network.existing.router",
    ]);
  });
});
