import { describe, expect, it } from "vitest";
import { lostRoutes, strayRoutes } from "../../model/route-drift.ts";

const route = (destination: string, nextHop: string) => ({ destination, nextHop });
const routes = {
  "cp-1": route("10.100.10.0/24", "10.0.0.10"),
  "worker-1": route("10.100.11.0/24", "10.0.0.11"),
};

describe("lost routes", () => {
  it("are those that the router does not have with the same next hop", () => {
    expect(lostRoutes(routes, Object.values(routes))).toEqual({});
    const there = [routes["cp-1"], route("10.100.11.0/24", "10.0.0.99")];
    expect(lostRoutes(routes, there)).toEqual({ "worker-1": routes["worker-1"] });
  });
});

describe("stray routes", () => {
  const stray = (...there: ReturnType<typeof route>[]) =>
    strayRoutes("10.100.0.0/16", there, ["10.0.0.10", "10.0.0.12"]);

  it("lead into the pod network by way of nobody's machine", () => {
    const foreign = route("10.100.77.0/24", "10.0.0.77");
    expect(stray(foreign, routes["cp-1"])).toEqual([foreign]);
    expect(stray(route("10.0.0.0/8", "10.0.0.77"))).toHaveLength(1);
  });

  it("are no routes to other networks, none for IPv6, and none of a node that is about to go", () => {
    expect(stray(route("10.30.0.0/16", "10.0.0.77"))).toEqual([]);
    expect(stray(route("fd00::/64", "fd00::1"))).toEqual([]);
    expect(stray(route("10.100.12.0/24", "10.0.0.12"))).toEqual([]);
  });
});
