import { describe, expect, it } from "vitest";
import { phases } from "../../model/phases.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

const http = { port: 80, nodePort: 30080 };

/** A load balancer `web` with these listeners. */
const web = (listeners: object) => ({ loadBalancers: { web: { listeners } } });
/** One with a listener `http` of which something is different. */
const listener = (changes: object) => web({ http: { ...http, ...changes } });
const controlPlane = { "cp-1": { role: "control-plane", slot: 10 } };
const healthCheck = (changes: object) => listener({ healthCheck: changes });

describe("settings of load balancers that do not fit together", () => {
  const at = "loadBalancers.web.listeners";
  it.each<[title: string, changes: object, problems: string[]]>([
    ["two listeners on a port", web({ a: http, b: http }), [`${at}.b.port: 80 is the TCP port of a`]],
    [
      "HTTP and TCP on a port",
      web({ a: http, b: { ...http, protocol: "HTTP" } }),
      [`${at}.b.port: 80 is the TCP port of a`],
    ],
    [
      "a check by UDP of TCP",
      healthCheck({ type: "UDP-CONNECT" }),
      [`${at}.http.healthCheck.type: UDP-CONNECT is only for protocol UDP, not TCP`],
    ],
    [
      "a path without HTTP",
      healthCheck({ path: "/healthz" }),
      [`${at}.http.healthCheck.path: is only for type HTTP, not TCP`],
    ],
    [
      "a check that takes longer than the next comes",
      healthCheck({ delay: 2 }),
      [`${at}.http.healthCheck.timeout: must be at most the delay of 2 seconds, not 3`],
    ],
    [
      "UDP asked too often",
      listener({ protocol: "UDP", healthCheck: { delay: 2, timeout: 1 } }),
      [`${at}.http.healthCheck.delay: must be at least 3 for UDP-CONNECT, not 2`],
    ],
    [
      "no worker",
      { ...listener({}), nodes: controlPlane },
      ["loadBalancers: lead to the workers, and neither nodes nor pools have one"],
    ],
    [
      "a pool of no workers",
      { ...listener({}), nodes: controlPlane, pools: { batch: { count: 0, slots: "100-109" } } },
      ["loadBalancers: lead to the workers, and neither nodes nor pools have one"],
    ],
    [
      "a pool whose count is wrong, which may be meant for some",
      { ...listener({}), nodes: controlPlane, pools: { batch: { count: -1, slots: "100-109" } } },
      ["pools.batch.count: must be at least 0, not -1"],
    ],
    [
      "several at once",
      {
        loadBalancers: {
          one: { listeners: { a: http, b: { ...http, nodePort: 80 } } },
          two: { listeners: { a: { ...http, healthCheck: { path: "/" } } } },
        },
      },
      [
        "loadBalancers.one.listeners.b.nodePort: must be at least 30000, not 80",
        "loadBalancers.one.listeners.b.port: 80 is the TCP port of a",
        "loadBalancers.two.listeners.a.healthCheck.path: is only for type HTTP, not TCP",
      ],
    ],
  ])("%s", (_title, changes, problems) => {
    expect(problemsOf({ ...stackSettings, ...changes })).toEqual(problems);
  });

  it.each<[title: string, changes: object]>([
    ["TCP and UDP on a port", web({ a: http, b: { ...http, protocol: "UDP" } })],
    [
      "the same port of two load balancers",
      { loadBalancers: { a: { listeners: { http } }, b: { listeners: { http } } } },
    ],
    ["one node port behind two ports", web({ a: http, b: { ...http, port: 8080 } })],
    [
      "workers of a pool alone",
      { ...listener({}), nodes: controlPlane, pools: { batch: { count: 1, slots: "100-109" } } },
    ],
    ["UDP checked by HTTP", listener({ protocol: "UDP", healthCheck: { type: "HTTP", path: "/" } })],
  ])("but %s do", (_title, changes) => {
    expect(problemsOf({ ...stackSettings, ...changes })).toEqual([]);
  });
});

describe("the plan of a load balancer", () => {
  it("has all workers behind each port, and checks them", () => {
    expect(planOf(listener({})).loadBalancers).toEqual([
      {
        name: "web",
        floatingAddress: true,
        listeners: [
          {
            name: "http",
            protocol: "TCP",
            port: 80,
            method: "ROUND_ROBIN",
            allowedCidrs: ["0.0.0.0/0"],
            healthCheck: { type: "TCP", delay: 5, timeout: 3, maxRetries: 3 },
            members: [
              { name: "worker-1", address: "10.0.0.11", port: 30080 },
              { name: "worker-2", address: "10.0.0.12", port: 30080 },
            ],
          },
        ],
      },
    ]);
  });

  it("has the workers of pools behind it too", () => {
    const [web] = planOf({ ...listener({}), pools: { batch: { count: 1, slots: "100-109" } } }).loadBalancers;
    expect(web!.listeners[0]!.members).toEqual([
      { name: "worker-1", address: "10.0.0.11", port: 30080 },
      { name: "worker-2", address: "10.0.0.12", port: 30080 },
      { name: "batch-1", address: "10.0.0.100", port: 30080 },
    ]);
  });

  it("has a check that fits the protocol, and a path where it asks for one", () => {
    const checkOf = (changes: object) =>
      planOf(listener(changes)).loadBalancers[0]!.listeners[0]!.healthCheck;
    expect(checkOf({ protocol: "UDP" }).type).toBe("UDP-CONNECT");
    expect(checkOf({ protocol: "HTTP" }).type).toBe("TCP");
    expect(checkOf({ healthCheck: { type: "HTTP" } }).path).toBe("/");
  });

  it.each(phases)("in phase %s is there only with Kubernetes", (phase) => {
    expect(planOf({ ...listener({}), phase }).loadBalancers).toHaveLength(phase === "kubernetes" ? 1 : 0);
  });
});
