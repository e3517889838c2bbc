import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withoutLeftovers } from "../../components/leftovers.ts";
import { run } from "../helpers/monitor.ts";

/** What the in-process stand-in for Neutron and Nova has at a path, and what was asked of it. */
let lists: Record<string, object>;
let asked: string[];

const scope = {
  tokenId: "token",
  region: "RegionOne",
  serviceCatalogs: ["network", "compute"].map((type) => ({
    type,
    endpoints: [{ interface: "public", region: "RegionOne", url: `http://cloud.invalid/${type}` }],
  })),
};

beforeEach(() => {
  lists = {};
  asked = [];
  vi.stubGlobal("fetch", async (url: string, { method }: { method: string }) => {
    const { pathname, search } = new URL(url);
    const path = decodeURIComponent(pathname + search);
    asked.push(`${method} ${path}`);
    if (method !== "GET") {
      delete lists[path];
      return new Response(null, { status: 204 });
    }
    return lists[path] ? Response.json(lists[path]) : new Response("", { status: 404 });
  });
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
      await hook(afterCreate)({ ...about, newInputs: {} } as pulumi.ResourceHookArgs);
      await hook(beforeCreate)({ ...about, newInputs: inputs } as pulumi.ResourceHookArgs);
    },
    { call: () => scope },
  );
  return asked.filter((call) => !call.startsWith("GET"));
}

const port = "openstack:networking/port:Port";
const ports = "/network/v2.0/ports?network_id=net&name=demo-worker-1";

describe("leftovers of a killed run", () => {
  it("are taken away where they hold the stack's own place", async () => {
    lists[ports] = { ports: [{ id: "old" }] };
    expect(await clear(port, { networkId: "net", name: "demo-worker-1" })).toEqual([
      "DELETE /network/v2.0/ports/old",
    ]);
  });

  it("are not looked for where the place was made in the same run, nor for a replacement", async () => {
    lists[ports] = { ports: [{ id: "old" }] };
    const inputs = { networkId: "net", name: "demo-worker-1" };
    expect(await clear(port, inputs, { made: "net" })).toEqual([]);
    expect(await clear(port, inputs, { oldInputs: inputs })).toEqual([]);
    expect(asked).toEqual([]);
  });

  it("are never told by an incomplete search, which would find other people's", async () => {
    await expect(clear("openstack:networking/floatingIp:FloatingIp", {})).rejects.toThrow(
      "leftovers of floatingips cannot be told without port_id",
    );
    expect(asked).toEqual([]);
  });

  it("of a group are only rules that say the same", async () => {
    const rule = { direction: "ingress", ethertype: "IPv4", remote_ip_prefix: "10.0.0.0/24" };
    const ssh = { protocol: "tcp", port_range_min: 22, port_range_max: 22 };
    const any = { protocol: null, port_range_min: null, port_range_max: null };
    lists["/network/v2.0/security-group-rules?security_group_id=sg"] = {
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

  it("on a node's port are the machine, which is waited for until it is gone", async () => {
    lists["/network/v2.0/ports/p"] = { port: { device_id: "server" } };
    lists["/compute/servers/server"] = { server: {} };
    const instance = "openstack:compute/instance:Instance";
    expect(await clear(instance, { networks: [{ port: "p" }] })).toEqual(["DELETE /compute/servers/server"]);
    expect(asked.at(-1)).toBe("GET /compute/servers/server");
  });
});
