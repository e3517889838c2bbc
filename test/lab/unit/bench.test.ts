import { execa } from "execa";
import { afterEach, describe, expect, test } from "vitest";
import { watch } from "../../../lab/bench/consumption.ts";
import { answer, resourceOf } from "../../../lab/bench/stand-ins/plugin.ts";
import { cloudVariable, Rest } from "../../../lab/bench/stand-ins/rest.ts";
import { unknown } from "../../../lab/plugins/shared/values.ts";
import { Driven } from "../../plugins/support.ts";

describe("what a program and its children use", () => {
  const busy = "const m = Buffer.alloc(300e6, 1); const end = process.cpuUsage().user + 500_000;";
  const spin = "while (process.cpuUsage().user < end) m[0]++; setTimeout(() => {}, 1000)";
  const measure = async (isPlugin: (line: string) => boolean) => {
    const run = execa("sh", ["-c", `"$0" -e "$1" plugin-1; true`, process.execPath, `${busy} ${spin}`]);
    return await watch(run.pid!, run, isPlugin);
  };

  test("is their processor time and their most memory at one time", async () => {
    const { cpuSeconds, peakMemory } = await measure(() => false);
    expect(cpuSeconds).toBeGreaterThan(0.5);
    expect(peakMemory).toBeGreaterThan(300);
  });

  test("leaves out the memory of plugins, and not their time", async () => {
    const { cpuSeconds, peakMemory } = await measure((line) => line.includes("plugin-1"));
    expect(cpuSeconds).toBeGreaterThan(0.5);
    expect(peakMemory).toBeLessThan(300);
  });
});

describe("the stand-ins of the bench", () => {
  let cloud: Rest | undefined;
  afterEach(() => cloud?.stop());
  const driven = (type: string) => new Driven(async (asked) => resourceOf(asked), type);

  test("make what they are asked for, and see a change", async () => {
    const port = driven("openstack:networking/port:Port");
    const inputs = { name: "a", fixedIps: [{ ipAddress: "10.0.0.1" }] };
    const { id, outs } = await port.create(inputs);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await port.diff(outs, inputs)).toEqual({ changes: false });
    expect(await port.diff(outs, { ...inputs, fixedIps: unknown })).toEqual({ changes: true });
  });

  test("give each floating address once", async () => {
    const pool = driven("openstack:networking/floatingIp:FloatingIp");
    const made = await Promise.all(Array.from({ length: 300 }, () => pool.create({ pool: "public" })));
    const addresses = made.map(({ outs }) => outs.address as string);
    expect(new Set(addresses).size).toBe(300);
    for (const address of addresses) expect(address).toMatch(/^198\.18\.[01]\.\d+$/);
  });

  test("dial no machine", async () => {
    const command = driven("command:remote:Command");
    const connection = { host: "192.0.2.1", dialErrorLimit: 0, perDialTimeout: 1 };
    const inputs = { connection, create: "false" };
    expect((await command.create(inputs)).outs).toEqual({ ...inputs, stdout: "", stderr: "" });
  });

  test("tell where the REST interfaces are, which have no quotas and know no more than the stack's ports and routes", async () => {
    cloud = await Rest.start();
    process.env[cloudVariable] = cloud.address;
    const { serviceCatalogs } = answer("openstack:identity/getAuthScope:getAuthScope") as {
      serviceCatalogs: { endpoints: { url: string }[] }[];
    };
    delete process.env[cloudVariable];
    const { url } = serviceCatalogs[0]!.endpoints[0]!;
    const asked = async (path: string) => (await fetch(`${url}${path}`)).json();
    expect(await asked("/limits")).toEqual({ limits: { absolute: {} } });
    expect(await asked("/v2.0/quotas/project/details.json")).toEqual({ quota: {} });
    expect(await asked("/v2.0/ports?name=a")).toEqual({});
    cloud.ports = ["bench-cp-1"];
    expect(await asked("/v2.0/ports?name=a")).toEqual({});
    expect(await asked("/v2.0/ports?description=ours")).toMatchObject({
      ports: [{ name: "bench-cp-1", device_id: "machine" }],
    });
    expect(await asked("/v2.0/routers/r")).toEqual({ router: { routes: [] } });
    const router = { routes: [{ destination: "10.100.11.0/24", nexthop: "10.0.0.11" }] };
    await fetch(`${url}/v2.0/routers/r/add_extraroutes`, { method: "PUT", body: JSON.stringify({ router }) });
    expect(await asked("/v2.0/routers/r")).toEqual({ router });
  });
});
