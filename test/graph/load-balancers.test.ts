import { beforeAll, describe, expect, it } from "vitest";
import { stackSettings } from "../helpers/cluster.ts";
import { registerCluster } from "../helpers/graph.ts";
import { unknown, type Registered } from "../helpers/monitor.ts";

const loadBalancers = {
  web: {
    listeners: {
      http: { port: 80, nodePort: 30080 },
      app: {
        protocol: "HTTP",
        port: 8080,
        nodePort: 30081,
        method: "SOURCE_IP",
        allowedCidrs: ["192.0.2.0/24"],
        healthCheck: { type: "HTTP", path: "/healthz", delay: 10, timeout: 2, maxRetries: 5 },
      },
    },
  },
  inner: {
    floatingAddress: false,
    provider: "ovn",
    listeners: { dns: { protocol: "UDP", port: 53, nodePort: 30053, method: "SOURCE_IP_PORT" } },
  },
};
const description = "Kubernetes cluster demo of openstack-kubernetes/test";
const worker = (name: string, address: string, protocolPort: number) => ({
  name,
  address,
  protocolPort,
  subnetId: "demo-network-subnet-id",
});

let graph: Record<string, Registered>;
let all: Registered[];
let endpoints: Record<string, unknown>;
beforeAll(async () => {
  const registered = await registerCluster({ loadBalancers });
  graph = registered.graph;
  all = registered.resources;
  endpoints = all.find(({ type }) => type.endsWith(":Cluster"))!.outputs!.endpoints as typeof endpoints;
});
const inputs = (name: string) => graph[name]!.inputs;

describe("a load balancer", () => {
  it("is on the nodes' subnet and says whose it is", () => {
    expect(inputs("demo-load-balancer-web-balancer")).toEqual({
      name: "demo-web",
      description,
      vipSubnetId: "demo-network-subnet-id",
    });
    expect(inputs("demo-load-balancer-inner-balancer").loadbalancerProvider).toBe("ovn");
  });

  it("listens as the settings say", () => {
    expect(inputs("demo-load-balancer-web-http-listener")).toEqual({
      name: "demo-web-http",
      description,
      loadbalancerId: "demo-load-balancer-web-balancer-id",
      protocol: "TCP",
      protocolPort: 80,
    });
    expect(inputs("demo-load-balancer-web-app-listener")).toMatchObject({
      protocol: "HTTP",
      protocolPort: 8080,
      allowedCidrs: ["192.0.2.0/24"],
      insertHeaders: { "X-Forwarded-For": "true" },
    });
    expect(inputs("demo-load-balancer-web-app-pool")).toEqual({
      name: "demo-web-app",
      description,
      listenerId: "demo-load-balancer-web-app-listener-id",
      protocol: "HTTP",
      lbMethod: "SOURCE_IP",
    });
  });

  it("asks the workers whether they answer", () => {
    expect(inputs("demo-load-balancer-web-http-monitor")).toEqual({
      name: "demo-web-http",
      poolId: "demo-load-balancer-web-http-pool-id",
      type: "TCP",
      delay: 5,
      timeout: 3,
      maxRetries: 3,
      maxRetriesDown: 3,
    });
    expect(inputs("demo-load-balancer-web-app-monitor")).toMatchObject({
      type: "HTTP",
      urlPath: "/healthz",
      delay: 10,
      timeout: 2,
      maxRetries: 5,
    });
    expect(inputs("demo-load-balancer-inner-dns-monitor").type).toBe("UDP-CONNECT");
  });

  it("has the workers behind it and not the control plane", () => {
    expect(inputs("demo-load-balancer-web-http-members")).toEqual({
      poolId: "demo-load-balancer-web-http-pool-id",
      members: [worker("worker-1", "10.0.0.11", 30080), worker("worker-2", "10.0.0.12", 30080)],
    });
  });

  it("has a floating address on its port once the router leads out, unless it is not to have one", () => {
    const address = graph["demo-load-balancer-web-floating-address"]!;
    expect(address.inputs).toMatchObject({
      pool: "public",
      portId: "vip-port of demo-load-balancer-web-balancer",
    });
    expect(address.dependencies).toContain("demo-network-router-interface");
    expect(graph["demo-load-balancer-inner-floating-address"]).toBeUndefined();
    expect(endpoints.loadBalancers).toEqual({
      web: "address of demo-load-balancer-web-floating-address",
      inner: "vip of demo-load-balancer-inner-balancer",
    });
  });

  it("is parented by its component, that by the cluster", () => {
    const own = all.filter(({ name, custom }) => custom && name.startsWith("demo-load-balancer-web"));
    expect(own).toHaveLength(10);
    for (const { parent } of own) expect(parent).toBe("demo-load-balancer-web");
    expect(graph["demo-load-balancer-web"]!.parent).toBe("demo");
  });

  it("is made one part after the other, one port after the other", () => {
    const partsOf = (listener: string): string[] =>
      ["listener", "pool", "monitor", "members"].map((part) => `demo-load-balancer-web-${listener}-${part}`);
    const parts = ["demo-load-balancer-web-balancer", ...partsOf("http"), ...partsOf("app")];
    for (const [index, part] of parts.slice(1).entries())
      expect(graph[part]!.dependencies, part).toContain(parts[index]);
  });

  it("frees a port, a pool and a health check before it takes them anew", () => {
    for (const part of ["listener", "pool", "monitor"])
      expect(graph[`demo-load-balancer-web-http-${part}`]!.deleteBeforeReplace).toBe(true);
  });
});

describe("a worker more", () => {
  it("changes what is behind the ports, and nothing else of a load balancer", async () => {
    const nodes = { ...stackSettings.nodes, "worker-3": { role: "worker", slot: 13 } };
    const { graph: after } = await registerCluster({ loadBalancers, nodes });
    const changed = Object.keys(graph).filter((name) => {
      const [before, now] = [graph[name]!, after[name]!].map(({ inputs }) => JSON.stringify(inputs));
      return name.startsWith("demo-load-balancer") && before !== now;
    });
    expect(changed.sort()).toEqual(
      ["inner-dns", "web-app", "web-http"].map((listener) => `demo-load-balancer-${listener}-members`),
    );
    expect(
      Object.keys(after)
        .filter((name) => name.startsWith("demo-load-balancer"))
        .sort(),
    ).toEqual(
      Object.keys(graph)
        .filter((name) => name.startsWith("demo-load-balancer"))
        .sort(),
    );
  });
});

describe("a preview of load balancers", () => {
  it("knows the members before anything is there", async () => {
    const { graph: preview } = await registerCluster({ loadBalancers }, true);
    const { members, poolId } = preview["demo-load-balancer-web-http-members"]!.inputs;
    expect(poolId).toBe(unknown);
    expect(members).toEqual([
      { ...worker("worker-1", "10.0.0.11", 30080), subnetId: unknown },
      { ...worker("worker-2", "10.0.0.12", 30080), subnetId: unknown },
    ]);
  });
});

describe("a cluster without load balancers", () => {
  it("has nothing of them, not even among its endpoints", async () => {
    const { resources } = await registerCluster();
    expect(resources.filter(({ type }) => /loadbalancer/i.test(type))).toEqual([]);
    expect(JSON.stringify(resources.find(({ name }) => name === "demo")!.outputs)).not.toContain(
      "loadBalancers",
    );
  });
});
