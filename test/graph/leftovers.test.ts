import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withoutLeftovers } from "../../components/leftovers.ts";
import { run } from "../helpers/monitor.ts";
import { failedServer, FakeOpenStack } from "../helpers/openstack.ts";

let cloud: FakeOpenStack;
beforeEach(() => {
  cloud = new FakeOpenStack();
});
afterEach(() => vi.unstubAllGlobals());

/** Takes away what is in the place of a resource that is about to be made, after `made` was made in the same run. */
async function clear(
  type: string,
  inputs: object,
  { made = "", oldInputs }: { made?: string; oldInputs?: object } = {},
) {
  await run(
    async () => {
      const changed = withoutLeftovers()({
        type,
        name: "x",
        props: {},
        opts: {},
        resource: {} as pulumi.Resource,
      });
      const { beforeCreate, afterCreate } = changed!.opts.hooks!;
      const hook = (hooks: unknown) => (hooks as pulumi.ResourceHook[])[0]!.callback;
      const about = { urn: "u", id: made, name: "x", type, oldInputs };
      await hook(afterCreate)({ ...about, newInputs: {} });
      await hook(beforeCreate)({ ...about, newInputs: inputs });
    },
    { call: () => cloud.scope },
  );
  return cloud.asked.filter((call) => !call.startsWith("GET"));
}

const port = "openstack:networking/port:Port";
const ours = { networkId: "net", name: "demo-worker-1", description: "ours" };
const ports = "/network/v2.0/ports?network_id=net&name=demo-worker-1&description=ours";

const instance = "openstack:compute/instance:Instance";
const metadata = { cluster: "demo", stack: "openstack-kubernetes/test" };
const worker = { name: "worker-1", metadata, networks: [{ port: "p" }] };

it.each([
  ["openstack:networking/secGroupRule:SecGroupRule", ["*"]],
  ["openstack:networking/routerRoute:RouterRoute", ["*"]],
  ["openstack:compute/serverGroup:ServerGroup", ["*"]],
  ["openstack:networking/subnet:Subnet", undefined],
])("an unfinished %s is made anew where the plugin could not finish it", async (type, replaceOnChanges) => {
  const { result } = await run(() => {
    const resource = {} as pulumi.Resource;
    return withoutLeftovers()({ type, name: "x", props: {}, opts: { parent: undefined }, resource });
  });
  const { opts } = result as { opts: pulumi.CustomResourceOptions };
  expect(opts.replaceOnChanges).toEqual(replaceOnChanges);
  // Two of the same would stand in each other's way; a group that went first would take its machines with it.
  expect(opts.deleteBeforeReplace).toBe(replaceOnChanges && !type.endsWith(":ServerGroup"));
});

describe("leftovers of a killed run", () => {
  it("are taken away where they hold the stack's own place", async () => {
    cloud.answers[ports] = { ports: [{ id: "old" }] };
    expect(await clear(port, ours)).toEqual(["DELETE /network/v2.0/ports/old"]);
  });

  it("are not looked for where the place was made in the same run, nor for a replacement", async () => {
    cloud.answers[ports] = { ports: [{ id: "old" }] };
    expect(await clear(port, ours, { made: "net" })).toEqual([]);
    expect(await clear(port, ours, { oldInputs: ours })).toEqual([]);
    expect(cloud.asked).toEqual([]);
  });

  it("are not what is in use: another state's of a stack of the same name", async () => {
    cloud.answers[ports] = { ports: [{ id: "live", device_id: "server" }] };
    expect(await clear(port, ours)).toEqual([]);
    const addresses = "/network/v2.0/floatingips?description=ours";
    cloud.answers[addresses] = {
      floatingips: [
        { id: "live", port_id: "another" },
        { id: "left", port_id: "p" },
      ],
    };
    const floatingIp = "openstack:networking/floatingIp:FloatingIp";
    expect(await clear(floatingIp, { description: "ours", portId: "p" })).toEqual([
      "DELETE /network/v2.0/floatingips/left",
    ]);
    cloud.asked.length = 0;
    cloud.answers["/load-balancer/v2.0/lbaas/loadbalancers?name=demo-web&description=ours"] = {
      loadbalancers: [{ id: "live", listeners: [{ id: "l" }] }],
    };
    const balancer = "openstack:loadbalancer/loadBalancer:LoadBalancer";
    expect(await clear(balancer, { name: "demo-web", description: "ours" })).toEqual([]);
    cloud.answers["/network/v2.0/ports/p"] = { port: { device_id: "" } };
    const live = { ...failedServer("worker-1"), addresses: { net: [{ addr: "10.0.0.11" }] } };
    cloud.answers["/compute/servers/detail?name=^worker-1$"] = { servers: [live] };
    expect(await clear(instance, worker)).toEqual([]);
  });

  it("are told as taken away only where they went", async () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    cloud.answers[ports] = { ports: [{ id: "busy" }, { id: "old" }] };
    cloud.refusals["/network/v2.0/ports/busy"] = [409];
    await clear(port, ours);
    expect(warn.mock.calls).toEqual([["x: took away what a killed run had left in its place: old"]]);
  });

  it("are never told by an incomplete search, which would find other people's", async () => {
    await expect(clear("openstack:networking/floatingIp:FloatingIp", {})).rejects.toThrow(
      "floatingips cannot be told apart without description",
    );
    expect(cloud.asked).toEqual([]);
  });

  it("are found where a cloud hands out a list in parts", async () => {
    const next = { rel: "next", href: `http://elsewhere.invalid${ports}&marker=a` };
    cloud.answers[ports] = { ports: [{ id: "a" }], ports_links: [{ rel: "previous", href: "" }, next] };
    cloud.answers[`${ports}&marker=a`] = { ports: [{ id: "b" }], ports_links: [] };
    expect(await clear(port, ours)).toEqual(["a", "b"].map((id) => `DELETE /network/v2.0/ports/${id}`));
  });

  it("on a router are a route of the same destination and next hop, no other", async () => {
    const route = (destination: string, nexthop: string) => ({ destination, nexthop });
    cloud.answers["/network/v2.0/routers/r"] = {
      router: { routes: [route("10.100.11.0/24", "10.20.0.77"), route("10.50.0.0/16", "10.20.0.11")] },
    };
    const inputs = { routerId: "r", destinationCidr: "10.100.11.0/24", nextHop: "10.20.0.11" };
    expect(await clear("openstack:networking/routerRoute:RouterRoute", inputs)).toEqual([]);
    expect(
      await clear("openstack:networking/routerRoute:RouterRoute", { ...inputs, nextHop: "10.20.0.77" }),
    ).toEqual(["PUT /network/v2.0/routers/r/remove_extraroutes"]);
  });

  it("of a group are only rules that say the same", async () => {
    const rule = { direction: "ingress", ethertype: "IPv4", remote_ip_prefix: "10.0.0.0/24" };
    const ssh = { protocol: "tcp", port_range_min: 22, port_range_max: 22 };
    const any = { protocol: null, port_range_min: null, port_range_max: null };
    cloud.answers["/network/v2.0/security-group-rules?security_group_id=sg"] = {
      security_group_rules: [
        { id: "ssh", ...rule, ...ssh },
        { id: "any", ...rule, ...any },
      ],
    };
    const inputs = {
      securityGroupId: "sg",
      direction: "ingress",
      ethertype: "IPv4",
      remoteIpPrefix: "10.0.0.0/24",
    };
    expect(await clear("openstack:networking/secGroupRule:SecGroupRule", inputs)).toEqual([
      "DELETE /network/v2.0/security-group-rules/any",
    ]);
  });

  it("among server groups are those of the stack's own name that no machine is in", async () => {
    const group = (id: string, name: string, ...members: string[]) => ({ id, name, members });
    const name = "demo-batch of openstack-kubernetes/test";
    cloud.answers["/compute/os-server-groups"] = {
      server_groups: [
        group("other-stack", "demo-batch of openstack-kubernetes/other"),
        group("plain", "demo-batch"),
        group("in-use", name, "server"),
        group("left", name),
      ],
    };
    expect(await clear("openstack:compute/serverGroup:ServerGroup", { name })).toEqual([
      "DELETE /compute/os-server-groups/left",
    ]);
  });

  it("of a load balancer go with all their parts, and are waited for until they are gone", async () => {
    const balancers = "/load-balancer/v2.0/lbaas/loadbalancers";
    const search = `${balancers}?name=demo-web&description=ours`;
    cloud.answers[search] = { loadbalancers: [{ id: "old" }] };
    const removed = `${balancers}/old?cascade=true`;
    cloud.afterwards[removed] = () => delete cloud.answers[search];
    const type = "openstack:loadbalancer/loadBalancer:LoadBalancer";
    expect(await clear(type, { name: "demo-web", description: "ours" })).toEqual([`DELETE ${removed}`]);
    expect(cloud.asked.at(-1)).toBe(`GET ${search}`);
  });

  it("on a pool are its health check, whatever that is called", async () => {
    const monitors = "/load-balancer/v2.0/lbaas/healthmonitors";
    cloud.answers[`${monitors}?pool_id=pool`] = { healthmonitors: [{ id: "old" }] };
    cloud.afterwards[`${monitors}/old`] = () => delete cloud.answers[`${monitors}?pool_id=pool`];
    const type = "openstack:loadbalancer/monitor:Monitor";
    expect(await clear(type, { poolId: "pool" }, { made: "pool" })).toEqual([]);
    expect(await clear(type, { poolId: "pool" })).toEqual([`DELETE ${monitors}/old`]);
  });

  it("on a node's port are the machine, which is waited for until it is gone", async () => {
    cloud.answers["/network/v2.0/ports/p"] = { port: { device_id: "server" } };
    cloud.answers["/compute/servers/server"] = { server: {} };
    expect(await clear(instance, worker)).toEqual(["DELETE /compute/servers/server"]);
    expect(cloud.asked.at(-1)).toBe("GET /compute/servers/server");
  });

  it("are a node's servers that have no port, since Nova is not so far or could not build them", async () => {
    const servers = "/compute/servers/detail?name=^worker-1$";
    cloud.answers["/network/v2.0/ports/p"] = { port: { device_id: "" } };
    cloud.answers[servers] = {
      servers: [
        failedServer("worker-1"),
        { ...failedServer("worker-1", { stack: "openstack-kubernetes/other" }), id: "another stack's" },
      ],
    };
    const gone = ["DELETE /compute/servers/failed worker-1"];
    expect(await clear(instance, worker)).toEqual(gone);
    // A run that was killed while it made a machine anew has deleted the old one before.
    cloud.asked.length = 0;
    expect(await clear(instance, worker, { oldInputs: worker })).toEqual(gone);
  });
});
