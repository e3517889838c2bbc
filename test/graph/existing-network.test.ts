import { beforeAll, describe, expect, it } from "vitest";
import type { CloudIds } from "../../components/lookups.ts";
import { newCluster } from "../helpers/graph.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { run, type Registered } from "../helpers/monitor.ts";

const cloud: CloudIds = {
  externalNetworkId: "external-network-id",
  securityGroupIds: { office: "office-group-id", backup: "backup-group-id" },
  existingNodes: [],
  unbuiltNodes: [],
  existingNetwork: { networkId: "network-id", subnetId: "subnet-id", routerId: "router-id" },
};
const settings = {
  network: {
    externalNetwork: "public",
    floatingPool: "pool",
    nodeNetwork: "10.20.0.0/24",
    existing: { network: "office", subnet: "office-a", router: "office" },
  },
  machine: { ...stackSettings.machine, keyPair: "ours", securityGroups: ["office"] },
  nodes: {
    "a-1": { role: "control-plane", slot: 10 },
    db: { role: "worker", slot: 11, podNetwork: "10.100.77.0/25", securityGroups: ["backup", "office"] },
    // A name that ends like the names of a node's resources.
    "db-instance": { role: "worker", slot: 12, keyPair: "mine", securityGroups: [] },
  },
};

async function registerCluster(preview = false) {
  const plan = planOf(settings);
  const { resources } = await run(() => newCluster(plan, cloud), { preview });
  return { resources, graph: Object.fromEntries(resources.map((r) => [`${r.type} ${r.name}`, r])) };
}

let resources: Registered[];
let graph: Record<string, Registered>;
beforeAll(async () => {
  ({ resources, graph } = await registerCluster());
});

const port = (node: string) => graph[`openstack:networking/port:Port demo-address-pairs-${node}`]!;
const instance = (name: string) => graph[`openstack:compute/instance:Instance ${name}-instance`]!;

describe("a cluster on an existing network", () => {
  it("makes no network, subnet, router or interface of its own", () => {
    const kinds = resources.map(({ type }) => type.split(":").at(-1));
    for (const kind of ["Network", "Subnet", "Router", "RouterInterface"]) expect(kinds).not.toContain(kind);
    expect(kinds.filter((kind) => kind === "Port")).toHaveLength(3);
  });

  it("has its ports in that subnet, described as this stack's", () => {
    expect(port("a-1").inputs).toMatchObject({
      networkId: "network-id",
      fixedIps: [{ subnetId: "subnet-id", ipAddress: "10.20.0.10" }],
      description: "Kubernetes cluster demo of openstack-kubernetes/test",
    });
  });

  it("adds a route a node to that router, and each only once its port is there", () => {
    const route = (destinationCidr: string, nextHop: string) => ({
      routerId: "router-id",
      destinationCidr,
      nextHop,
    });
    const routes = resources.filter(({ type }) => type.endsWith(":RouterRoute"));
    expect(Object.fromEntries(routes.map(({ name, inputs }) => [name, inputs]))).toEqual({
      "demo-pod-routes-a-1": route("10.100.10.0/24", "10.20.0.10"),
      "demo-pod-routes-db": route("10.100.77.0/25", "10.20.0.11"),
      "demo-pod-routes-db-instance": route("10.100.12.0/24", "10.20.0.12"),
    });
    for (const { name, dependencies } of routes)
      expect(dependencies).toEqual([name.replace("pod-routes", "address-pairs")]);
  });

  it("takes floating addresses from the pool of the settings", () => {
    const pools = resources.flatMap(({ type, inputs }) => (type.endsWith(":FloatingIp") ? inputs.pool : []));
    expect(pools).toEqual(["pool", "pool", "pool"]);
  });

  it("knows the same in a preview", async () => {
    const preview = await registerCluster(true);
    expect(Object.keys(preview.graph).sort()).toEqual(Object.keys(graph).sort());
    expect(preview.graph["openstack:networking/port:Port demo-address-pairs-db"]!.inputs).toMatchObject({
      networkId: "network-id",
      fixedIps: [{ subnetId: "subnet-id", ipAddress: "10.20.0.11" }],
      allowedAddressPairs: [{ ipAddress: "10.100.77.0/25" }],
    });
  });
});

describe("a machine's own settings", () => {
  it("put security groups of one's own onto the port beside the program's", () => {
    const groups = ["a-1", "db", "db-instance"].map((node) => port(node).inputs.securityGroupIds);
    expect(groups).toEqual([
      ["demo-security-groups-node-id", "demo-security-groups-control-plane-id", "office-group-id"],
      ["demo-security-groups-node-id", "backup-group-id", "office-group-id"],
      ["demo-security-groups-node-id"],
    ]);
  });

  it("give the machine a key pair of Nova, and its role and cluster as metadata", () => {
    expect(instance("demo-control-plane-a-1").inputs).toMatchObject({
      keyPair: "ours",
      metadata: { cluster: "demo", role: "control-plane", stack: "openstack-kubernetes/test" },
    });
    expect(instance("demo-workers-db-instance").inputs).toMatchObject({
      keyPair: "mine",
      metadata: { cluster: "demo", role: "worker", stack: "openstack-kubernetes/test" },
    });
  });

  it("may have any name: no two resources of a kind are named alike", () => {
    expect(Object.keys(graph)).toHaveLength(resources.length);
    expect(new Set(resources.map(({ urn }) => urn)).size).toBe(resources.length);
  });
});
