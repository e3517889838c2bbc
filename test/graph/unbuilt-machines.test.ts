import { afterEach, expect, it, vi } from "vitest";
import { lookUp } from "../../components/lookups.ts";
import { planOf } from "../helpers/cluster.ts";
import { cloud, registerCluster } from "../helpers/graph.ts";
import { run } from "../helpers/monitor.ts";
import { failedServer, failedServersPath, FakeOpenStack } from "../helpers/openstack.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const instances = {
  "cp-1": "demo-control-plane-cp-1-instance",
  "worker-1": "demo-workers-worker-1-instance",
};

it("machines that Nova could not build are found by stack, cluster and state, and told with the reason", async () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const openStack = new FakeOpenStack();
  openStack.answers[failedServersPath] = {
    servers: [
      failedServer("worker-1"),
      failedServer("of-no-node-any-more"),
      failedServer("worker-2", { launched: "2026-11-26T02:00:00.000000" }),
      failedServer("cp-1", { stack: "openstack-kubernetes/other" }),
    ],
  };
  const fault = { code: 500, message: "No valid host was found." };
  openStack.answers["/compute/servers/failed worker-1"] = { server: { ...failedServer("worker-1"), fault } };
  const call = (token: string) =>
    token.endsWith(":getAuthScope") ? openStack.scope : { id: "known", vcpus: 2, ram: 4096, disk: 20 };
  const { result } = await run(() => lookUp(planOf()), { call });
  expect(result.unbuiltNodes).toEqual(["worker-1"]);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/worker-1: Nova could not build its machine, .*: No valid host was found\.$/)],
  ]);
});

it("the control plane's machine is not made anew for its image, once etcd is on it", async () => {
  const ignored = async (phase: string, existingNodes: string[]) => {
    const { graph } = await registerCluster({ phase }, false, { ...cloud, existingNodes });
    return Object.values(instances).map((name) => graph[name]!.ignoreChanges);
  };
  expect(await ignored("kubernetes", ["cp-1", "worker-1"])).toEqual([["imageName"], []]);
  expect(await ignored("docker", ["cp-1", "worker-1"])).toEqual([[], []]);
  expect(await ignored("kubernetes", ["worker-1"])).toEqual([[], []]);
});

it("a machine that could not be built is made anew, whatever went wrong; any other is not", async () => {
  const replaced = async (unbuiltNodes: string[]) => {
    const { graph } = await registerCluster({}, false, { ...cloud, unbuiltNodes });
    return Object.values(instances).map((name) => graph[name]!.replaceOnChanges);
  };
  expect(await replaced([])).toEqual([["imageName"], ["imageName", "flavorName"]]);
  expect(await replaced(["cp-1"])).toEqual([["*"], ["imageName", "flavorName"]]);
  expect(await replaced(["worker-1"])).toEqual([["imageName"], ["*"]]);
});
