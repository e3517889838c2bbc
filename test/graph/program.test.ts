import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stackSettings } from "../helpers/cluster.ts";
import { run, type Registered, type RunOptions } from "../helpers/monitor.ts";
import { FakeOpenStack } from "../helpers/openstack.ts";

const noResults = "Your query returned no results. Please change your search criteria and try again.";

/** The program's configuration as the engine hands it over. */
function config(changes: Record<string, unknown> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...stackSettings, ...changes }).map(([key, value]) => [
      `openstack-kubernetes:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

let cloud: FakeOpenStack;
beforeEach(() => {
  cloud = new FakeOpenStack();
});
afterEach(() => vi.unstubAllGlobals());

/** Runs index.ts as the engine does: all of it anew, logged in to a cloud. */
async function program({ call = there, ...options }: RunOptions) {
  vi.resetModules();
  return await run(() => import("../../index.ts"), {
    ...options,
    call: (token, inputs) => (token.endsWith(":getAuthScope") ? cloud.scope : call(token, inputs)),
  });
}

/** What a user reads when the program fails; no stack trace comes with it. */
async function failure(options: RunOptions): Promise<string> {
  const error: unknown = await program(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(pulumi.RunError.isInstance(error), String(error)).toBe(true);
  return (error as pulumi.RunError).message;
}

const there = () => ({ id: "known" });

describe("index.ts", () => {
  it("exports kubeconfig and Docker's client as secrets, endpoints and inventory, for Ansible too", async () => {
    const { result } = await program({ config: config(), call: there });
    expect(Object.keys(result).sort()).toEqual([
      "ansibleInventory",
      "dockerClient",
      "endpoints",
      "inventory",
      "kubeconfig",
    ]);
    expect(await pulumi.isSecret(result.kubeconfig!)).toBe(true);
    expect(await pulumi.isSecret(result.dockerClient!)).toBe(true);
    const known = (output: object) => new Promise((resolve) => pulumi.output(output).apply(resolve));
    expect(await known(result.ansibleInventory)).toMatchObject({
      all: {
        vars: { ansible_user: "debian" },
        children: {
          role_control_plane: {
            hosts: { "cp-1": { ansible_host: "address of demo-floating-addresses-cp-1" } },
          },
        },
      },
    });
    expect(await known(result.inventory)).toMatchObject({
      "cp-1": { role: "control-plane", address: "10.0.0.10", podNetwork: "10.100.10.0/24" },
      "worker-2": {
        role: "worker",
        address: "10.0.0.12",
        floatingAddress: "address of demo-floating-addresses-worker-2",
        instanceId: "demo-workers-worker-2-instance-id",
      },
    });
  });

  it("asks first whether the cluster may change so", async () => {
    const { resources } = await program({ config: config(), call: there });
    const names = resources.map(({ name }) => name);
    expect(names[0]).toBe("foundations");
    // What of OpenStack's is first waits for it.
    expect(names).toContain("foundations-leftovers");
    const { dependencies } = resources.find(({ name }) => name === "demo-network")!;
    expect(dependencies).toEqual(["foundations-leftovers"]);
  });

  it("exports neither before their phase", async () => {
    const { result } = await program({ config: config({ phase: "machines" }), call: there });
    expect([result.kubeconfig, result.dockerClient]).toEqual([undefined, undefined]);
  });

  it("asks OpenStack once for each image and flavor, and for the external network", async () => {
    const calls: string[] = [];
    await program({
      config: config({
        nodes: { ...stackSettings.nodes, big: { role: "worker", slot: 20, flavor: "m1.large" } },
      }),
      call: (token, inputs) => {
        calls.push(`${token.split(":").at(-1)} ${String(inputs.name)}`);
        return { id: "known" };
      },
    });
    expect(calls.sort()).toEqual([
      "getFlavor m1.large",
      "getFlavor m1.medium",
      "getImage debian-13",
      "getNetwork public",
    ]);
  });

  it("tells wrong settings before it asks OpenStack anything", async () => {
    const call = vi.fn(there);
    const message = await failure({
      config: config({
        cluster: { name: "demo", kubernetesVersion: 1.36 },
        runtime: "podman",
        downloads: { checksums: "test/no-such-file" },
      }),
      call,
    });
    expect(message).toBe(
      "3 wrong settings:\n" +
        "  openstack-kubernetes:cluster.kubernetesVersion: must be text, not 1.36; put it in quotes\n" +
        '  openstack-kubernetes:runtime: must be one of docker, containerd, not "podman"\n' +
        "  openstack-kubernetes:downloads.checksums: test/no-such-file: ENOENT: no such file or directory, open 'test/no-such-file'",
    );
    expect(call).not.toHaveBeenCalled();
  });

  it("has checksums of its own for a supported version", async () => {
    await expect(program({ config: config(), call: there })).resolves.toBeDefined();
  });
});

describe("what OpenStack does not have", () => {
  it("is named, all of it at once, one line each", async () => {
    const message = await failure({
      config: config({
        nodes: { ...stackSettings.nodes, big: { role: "worker", slot: 20, flavor: "m1.huge" } },
      }),
      call: (_token, { name }) => {
        if (name === "m1.medium") return { id: "known" };
        throw new Error(`invoking data source: 1 error occurred:\n\t* ${noResults}\n\n`);
      },
    });
    expect(message.split("\n").sort()).toEqual([
      "openstack-kubernetes:machine.image: this OpenStack project sees no image named debian-13",
      "openstack-kubernetes:network.externalNetwork: this OpenStack project sees no external network named public",
      "openstack-kubernetes:nodes.big.flavor: this OpenStack project sees no flavor named m1.huge",
    ]);
  });

  it("is named once with every setting that names it", async () => {
    const own = (slot: number) => ({ role: "worker", slot, image: "debian-13" });
    const message = await failure({
      config: config({ nodes: { ...stackSettings.nodes, a: own(20), b: own(21) } }),
      call: (token) => {
        if (!token.includes("getImage")) return { id: "known" };
        throw new Error(noResults);
      },
    });
    expect(message).toBe(
      "openstack-kubernetes:machine.image, openstack-kubernetes:nodes.a.image, openstack-kubernetes:nodes.b.image: " +
        "this OpenStack project sees no image named debian-13",
    );
  });

  it("is told from what it has twice", async () => {
    const message = await failure({
      config: config(),
      call: (token) => {
        if (!token.includes("getImage")) return { id: "known" };
        throw new Error("1 error occurred:\n\t* Your query returned more than one result.\n\n");
      },
    });
    expect(message).toBe("openstack-kubernetes:machine.image: more than one image is named debian-13");
  });

  it("creates nothing", async () => {
    const resources: Registered[] = [];
    const call = () => {
      throw new Error(noResults);
    };
    await failure({ config: config(), call, resources });
    expect(resources).toEqual([]);
  });
});

describe("an OpenStack that cannot be asked", () => {
  it("is not taken for one that lacks something", async () => {
    const reason = "Unable to query images: Resource not found: [GET http://192.0.2.1/v2/images], error 404";
    const message = await failure({
      config: config(),
      call: () => {
        throw new Error(`1 error occurred:\n\t* ${reason}\n\n`);
      },
    });
    expect(message).toBe(
      `OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: ${reason}`,
    );
  });

  it("makes one line with the reason and where to look", async () => {
    const message = await failure({
      config: config(),
      call: (token) => {
        const service = { getImage: "image", getFlavor: "compute", getNetwork: "networking" }[
          token.split(":").at(-1)!
        ];
        throw new Error(
          `invoking ${token}: 1 error occurred:\n\t* Error creating OpenStack ${service} client: One of 'auth_url' or 'cloud' must be specified\n\n`,
        );
      },
    });
    expect(message).toBe(
      "OpenStack could not be asked; check openstack:cloud, clouds.yaml or the OS_ variables: One of 'auth_url' or 'cloud' must be specified",
    );
  });
});
