import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PodRoutes } from "../../components/pod-routes.ts";
import { watchRoutes } from "../../components/route-watch.ts";
import { planOf } from "../helpers/cluster.ts";
import { newCluster } from "../helpers/graph.ts";
import { run } from "../helpers/monitor.ts";
import { FakeOpenStack } from "../helpers/openstack.ts";

const plan = planOf();
const router = "/network/v2.0/routers/demo-network-router-id";
const ports = `/network/v2.0/ports?description=Kubernetes+cluster+demo+of+openstack-kubernetes/test`;
const route = (destination: string, nexthop: string) => ({ destination, nexthop });
const all = plan.nodes.map(({ podNetwork, address }) => route(podNetwork, address));

let openStack: FakeOpenStack;
let warnings: string[];
beforeEach(() => {
  openStack = new FakeOpenStack();
  openStack.answers[ports] = { ports: [] };
  warnings = [];
  vi.spyOn(pulumi.log, "warn").mockImplementation((message) => {
    warnings.push(message);
    return Promise.resolve();
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The calls that a run makes of a router with these routes, beyond those that only read. */
async function watch(routes: object[]) {
  openStack.answers[router] = { router: { routes } };
  const program = async () => {
    const { podRoutes } = newCluster(plan);
    watchRoutes(plan, podRoutes!);
    await vi.waitFor(() => expect(openStack.asked).toContain(`GET ${router}`));
    await new Promise(setImmediate);
  };
  await run(program, { call: () => openStack.scope });
  return openStack.asked.filter((call) => !call.startsWith("GET"));
}

describe("an update", () => {
  it("looks at the router once, and leaves it alone where it has all routes", async () => {
    expect(await watch(all)).toEqual([]);
    expect(openStack.asked).toEqual([`GET ${router}`]);
    expect(warnings).toEqual([]);
  });

  it("puts back the routes that the router has lost, and says so", async () => {
    openStack.answers[`${router}/add_extraroutes`] = {};
    expect(await watch(all.slice(0, 1))).toEqual([`PUT ${router}/add_extraroutes`]);
    expect(warnings).toEqual([
      "worker-1: the router has lost the route to 10.100.11.0/24; it is back",
      "worker-2: the router has lost the route to 10.100.12.0/24; it is back",
    ]);
  });
});

describe("a preview", () => {
  /** What it warns of a router with these routes; the route of worker-2 is yet to be made. */
  async function previewed(routes: object[]) {
    openStack.answers[router] = { router: { routes } };
    const known = { id: pulumi.output("known") };
    const podRoutes = {
      routerId: "demo-network-router-id",
      routes: { "cp-1": known, "worker-1": known, "worker-2": { id: pulumi.output(pulumi.unknown) } },
    } as unknown as PodRoutes;
    const program = async () => {
      watchRoutes(plan, podRoutes);
      await vi.waitFor(() => expect(openStack.asked).toContain(`GET ${router}`));
      await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await run(program, { preview: true, call: () => openStack.scope });
    expect(openStack.asked.filter((call) => !call.startsWith("GET"))).toEqual([]);
    return warnings;
  }

  it("tells of lost routes, not of those that it would make, and changes nothing", async () => {
    expect(await previewed(all.slice(0, 1))).toEqual([
      "drift: worker-1: the router has lost the route to 10.100.11.0/24; pulumi up puts it back",
    ]);
  });

  it("tells of routes into the pod network that lead to no machine of the stack", async () => {
    openStack.answers[ports] = {
      ports: [
        {
          id: "p",
          fixed_ips: [...plan.nodes.map(({ address }) => address), "10.0.0.13"].map((ip_address) => ({
            ip_address,
          })),
        },
      ],
    };
    const leaving = route("10.100.13.0/24", "10.0.0.13");
    expect(await previewed([...all, leaving, route("10.100.77.0/24", "10.0.0.77")])).toEqual([
      "drift: the router has a route to 10.100.77.0/24 by way of 10.0.0.77, which is no node's: " +
        "openstack router remove route --route destination=10.100.77.0/24,gateway=10.0.0.77 demo-network-router-id",
    ]);
  });
});
