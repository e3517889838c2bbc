import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Node, V1NodeList } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { on } from "../../lab/client/machines.ts";
import { openStack, type Call } from "../../lab/client/openstack.ts";
import { inLabRun } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack } from "../../lab/client/stack.ts";
import { phase } from "../../lab/phase.ts";
import { echoesThroughRouter } from "./helpers/capture.ts";
import { isNodeReady, reach, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { listening, listOfNode } from "./helpers/listening.ts";
import { seenOutside } from "./helpers/outside.ts";
import { answerTime } from "./helpers/patience.ts";
import { PlainMachine } from "./helpers/plain-machine.ts";
import {
  answers,
  askEachOther,
  inProbe,
  logsOf,
  ping,
  probes,
  startProbes,
  withOwnAddresses,
  type Probe,
} from "./helpers/probes.ts";
import { TenantNetwork } from "./helpers/tenant-network.ts";

// One cluster on a network that was there before, with everything that a stack may choose of its machines changed.

const name = "e2e-seed";
const settings = await labSettings();
const { externalNetwork } = settings.network;
const flavor = Object.values(settings.nodes).find(({ role }) => role === "control-plane")!.flavor;
const kubeletPort = 10350;
const apiPort = 8443;
const certificateFolder = "/srv/seed/certificates";
const [podNetwork, nodeNetwork, farNetwork] = ["10.96.0.0/20", "10.20.0.0/24", "10.30.0.0/24"];

/** The nodes as they are to be: slot 5 has the fifth /26 of the pod network, slot 100 a part that the settings give it. */
const nodes = {
  "a-1": { role: "control-plane", slot: 5, address: "10.20.0.5", podNetwork: "10.96.1.64/26" },
  db: { role: "worker", slot: 100, address: "10.20.0.100", podNetwork: "10.96.8.0/25" },
};
const names = Object.keys(nodes) as (keyof typeof nodes)[];

interface Server {
  id: string;
  name: string;
  metadata: Record<string, string>;
  key_name: string;
  "OS-EXT-AZ:availability_zone": string;
}

const tenant = new TenantNetwork(name);
let stack: Stack;
let before: { inventory: string[]; tenant: object[] };
let reached: ReachedCluster | undefined;
let far: PlainMachine | undefined;

/** The cluster; what needs it fails at once when it did not come up. */
function cluster(): ReachedCluster {
  if (reached === undefined) throw new Error("the cluster did not come up");
  return reached;
}
const probesNow = (): Promise<Probe[]> => probes(cluster().kubectl, names);

const stackSettings = () => ({
  ...settings,
  cluster: {
    name,
    kubernetesVersion: "1.36.3",
    apiPort,
    certificateFolder,
    podNetwork,
    nodePodPrefix: 26,
  },
  network: {
    externalNetwork,
    floatingPool: externalNetwork,
    nodeNetwork,
    routedNetworks: [farNetwork],
    existing: { network: `${name}-nodes`, subnet: tenant.nodes.subnet, router: name },
  },
  machine: { ...settings.machine, keyPair: name, availabilityZone: "nova" },
  nodes: {
    "a-1": { role: "control-plane", slot: nodes["a-1"].slot, flavor, securityGroups: [] },
    db: { role: "worker", slot: nodes.db.slot, podNetwork: nodes.db.podNetwork, securityGroups: [name] },
  },
  kubelet: { ...settings.kubelet, port: kubeletPort },
});

async function servers(): Promise<Server[]> {
  const path = "/servers/detail";
  const [{ servers }] = await openStack<[{ servers: Server[] }]>({ service: "compute", path });
  return servers.filter(({ metadata }) => metadata.cluster === name);
}

beforeAll(async () => {
  await tenant.make({ nodes: nodeNetwork, far: farNetwork, externalNetwork, open: [podNetwork, farNetwork] });
  stack = await Stack.create(name, stackSettings());
  before = { inventory: await inventory(), tenant: await tenant.asItIs() };
});

afterAll(async () => {
  await far?.remove();
  await stack?.destroyRest();
  await tenant.remove();
});

describe("before anything is made", () => {
  const refused = async (changes: object, error: RegExp) => {
    await stack.write({ ...stackSettings(), ...changes });
    const run = await stack.up();
    await stack.write(stackSettings());
    expect(run.succeeded).toBe(false);
    expect(run.errors.join("\n")).toMatch(error);
    expect(await inventory()).toEqual(before.inventory);
  };

  it("seed-01 a name with a dot is refused", async () => {
    const more = { "w.x": { role: "worker", slot: 7 } };
    await refused(
      { nodes: { ...stackSettings().nodes, ...more } },
      /openstack-kubernetes:nodes\.w\.x: must be a DNS label/,
    );
  });

  it("seed-02 a security group, a key pair and a zone that are not there are refused, all at once", async () => {
    const nowhere = { keyPair: "nowhere", availabilityZone: "nowhere", securityGroups: ["nowhere"] };
    const { db } = stackSettings().nodes;
    await refused(
      { nodes: { ...stackSettings().nodes, db: { ...db, ...nowhere } } },
      /(openstack-kubernetes:nodes\.db\.\w+: this (OpenStack project sees|login has) no [\w ]+ named nowhere.*\n?){3}/,
    );
  });

  it("seed-02 a subnet of other addresses is refused", async () => {
    await refused(
      { network: { ...stackSettings().network, nodeNetwork: "10.21.0.0/24" } },
      /openstack-kubernetes:network\.nodeNetwork: must be 10\.20\.0\.0\/24, the network of the subnet/,
    );
  });

  it("seed-06 a folder and a port that others need are refused", async () => {
    const taken = { apiPort: 2379, certificateFolder: "/etc/kubernetes/manifests" };
    await refused(
      { cluster: { ...stackSettings().cluster, ...taken } },
      /certificateFolder: must not be in [^]*apiPort: 2379 is the port of etcd/,
    );
  });

  it("seed-08 a pod network outside of the cluster's is refused", async () => {
    const node = { ...stackSettings().nodes["a-1"], podNetwork: "10.97.0.0/26" };
    await refused(
      { nodes: { "a-1": node } },
      /openstack-kubernetes:nodes\.a-1\.podNetwork: must be in .*10\.96\.0\.0\/20/,
    );
  });
});

describe("a cluster on an existing network", () => {
  beforeAll(async () => {
    await phase(`${name}: pulumi up`, async () => mustSucceed(stack, await stack.up()));
    // It boots while the first tests run.
    const network = `${name}-far`;
    far = await PlainMachine.boot({ ...settings.machine, network, securityGroup: name });
    reached = await reach(stack, names);
    await phase(`${name}: probes on all nodes`, () => startProbes(cluster().kubectl));
  });

  it("seed-01 machines and nodes have the names of the dictionary, whatever these are", async () => {
    const { items } = await cluster().kubectl.get<V1NodeList>("nodes");
    expect(items.map((node) => [node.metadata?.name, isNodeReady(node)]).sort()).toEqual([
      ["a-1", true],
      ["db", true],
    ]);
    for (const [node, machine] of Object.entries(cluster().machines))
      expect((await on(machine, "hostname")).trim()).toBe(node);
  });

  it("seed-02 machines have their key pair, zone and groups, and addresses of the existing subnet", async () => {
    const found = await servers();
    for (const server of found) {
      expect(server.key_name).toBe(name);
      expect(server["OS-EXT-AZ:availability_zone"]).toBe("nova");
    }
    const ports = await openStack<{ ports: { fixed_ips: object[]; security_groups: string[] }[] }[]>(
      ...found.map(({ id }): Call => ({ service: "network", path: `/v2.0/ports?device_id=${id}` })),
    );
    found.forEach((server, index) => {
      const { address } = nodes[server.name as keyof typeof nodes];
      const [port] = ports[index]!.ports;
      expect(port!.fixed_ips).toEqual([{ subnet_id: tenant.nodes.subnet, ip_address: address }]);
      expect(port!.security_groups.includes(tenant.securityGroup), server.name).toBe(server.name === "db");
    });
  });

  it("seed-02 the project's own key logs in beside the program's", async () => {
    const key = join(stack.folder, "own.key");
    await writeFile(key, tenant.privateKey, { mode: 0o600 });
    for (const [node, { ssh }] of Object.entries(cluster().machines)) {
      const own = ssh.map((part, index) => (ssh[index - 1] === "-i" ? key : part));
      expect((await inLabRun([...own, "hostname"])).trim()).toBe(node);
    }
  });

  it("seed-03 servers are told by their metadata: cluster and role", async () => {
    const found = (await servers()).map(({ name, metadata }) => [name, metadata.role]);
    expect(found.sort()).toEqual([
      ["a-1", "control-plane"],
      ["db", "worker"],
    ]);
  });

  it("seed-03 Ansible reads the inventory, and reaches a group of nodes by it", async () => {
    const file = join(stack.folder, "inventory.json");
    await writeFile(file, await stack.pulumi("stack", "output", "ansibleInventory", "--stack", name));
    const listed = JSON.parse(await inLabRun(["ansible-inventory", "-i", file, "--list"])) as {
      _meta: { hostvars: Record<string, object> };
      role_control_plane: { hosts: string[] };
      role_worker: { hosts: string[] };
    };
    expect(listed.role_control_plane.hosts).toEqual(["a-1"]);
    expect(listed.role_worker.hosts).toEqual(["db"]);
    const { inventory } = cluster().outputs;
    expect(listed._meta.hostvars).toEqual(
      Object.fromEntries(
        names.map((node) => [
          node,
          {
            ansible_host: inventory[node]!.floatingAddress,
            ansible_user: "debian",
            address: nodes[node].address,
            pod_network: nodes[node].podNetwork,
            instance_id: inventory[node]!.instanceId,
          },
        ]),
      ),
    );
    const key = join(stack.folder, "db.key");
    // The module raw asks for no Python on the machine, whose version may be too new for the lab's Ansible.
    const hostname = ["--module-name", "ansible.builtin.raw", "--args", "hostname"];
    const said = await inLabRun(["ansible", "role_worker", "-i", file, "--private-key", key, ...hostname], {
      env: { ANSIBLE_SSH_ARGS: `-o UserKnownHostsFile=${join(stack.folder, "db.known-hosts")}` },
    });
    expect(said).toMatch(/^db \| CHANGED \| rc=0 >>\r?\ndb\r?\n/);
  });

  it("seed-06 the API and the kubelet answer on their ports, with certificates of the folder", async () => {
    const { outputs, kubectl, machines } = cluster();
    expect(outputs.endpoints.api).toBe(`https://${outputs.inventory["a-1"]!.floatingAddress}:${apiPort}`);
    for (const [node, machine] of Object.entries(machines)) {
      const { status } = await kubectl.get<V1Node>("node", node);
      expect(status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(kubeletPort);
      const files = await on(machine, `sudo -n find ${certificateFolder} -type f -name 'ca.*'`);
      const expected = node === "a-1" ? ["ca.crt", "ca.key", "etcd/ca.crt"] : ["ca.crt"];
      expect(files.trim().split("\n").sort()).toEqual(expected.map((file) => `${certificateFolder}/${file}`));
      expect(await on(machine, "ls /etc/kubernetes")).not.toContain("pki");
    }
    // Logs come by the API server from the kubelet's port.
    for (const probe of await probesNow())
      await eventually(60, async () => expect(await logsOf(kubectl, probe)).toMatch(/^asked by /m));
  });

  it.each(names)("seed-06 nothing listens on %s but what is on the list", async (node) => {
    const { address, role } = nodes[node];
    const list = listOfNode({
      address,
      kubeletPort,
      apiPort: role === "control-plane" ? apiPort : undefined,
    });
    expect(await listening(cluster().machines[node]!)).toEqual(list);
  });

  it("seed-08 each node has the pod network of its slot or of its own, and its pods reach the others", async () => {
    const { items } = await cluster().kubectl.get<V1NodeList>("nodes");
    const found = items.map(({ metadata, spec }) => [metadata?.name, spec?.podCIDR]);
    expect(Object.fromEntries(found)).toEqual({
      "a-1": nodes["a-1"].podNetwork,
      db: nodes.db.podNetwork,
    });
    const [{ router }] = await openStack<[{ router: { routes: object[] } }]>({
      service: "network",
      path: `/v2.0/routers/${tenant.router}`,
    });
    for (const { address, podNetwork } of Object.values(nodes))
      expect(router.routes).toContainEqual({ destination: podNetwork, nexthop: address });
    const all = await probesNow();
    expect(await askEachOther(cluster().kubectl, all)).toEqual(withOwnAddresses(all));
  });

  it("seed-09 pods and a machine of a second subnet reach each other with their own addresses", async () => {
    const { kubectl } = cluster();
    const { address } = far!;
    const all = await probesNow();
    const fetch = (probe: Probe, path: string): Promise<string> =>
      inProbe(kubectl, probe, `wget -q -T ${answerTime} -O - http://${address}:8080/${path}`);
    await phase(`${name}: far machine answers`, () => eventually(180, () => fetch(all[0]!, "")));
    for (const probe of all) {
      expect((await fetch(probe, "")).trim()).toBe(probe.address);
      const way = { from: probe.address, to: address };
      const echoes = await echoesThroughRouter(tenant.router, way, 3, () => ping(kubectl, probe, address));
      expect(echoes).toEqual({ in: 3, out: 3 });
    }
    // The group of one's own, which only this node has, lets the far subnet in.
    const probe = all.find(({ node }) => node === "db")!;
    expect(answers(await fetch(probe, probe.address))).toEqual([{ from: address, by: probe.name }]);
  });

  it("seed-09 outside of the project pods have their node's floating address", async () => {
    const { kubectl, outputs } = cluster();
    const all = await probesNow();
    const floating = all.map(({ node }) => outputs.inventory[node]!.floatingAddress);
    expect(await seenOutside(kubectl, all)).toEqual(floating);
  });

  it("seed-02 a second run changes nothing, with the stack's own routes on the router", async () => {
    cluster();
    const again = await phase(`${name}: pulumi up again`, async () => mustSucceed(stack, await stack.up()));
    expect(Object.keys(again.changes)).toEqual(["same"]);
  });

  it("seed-02 network, subnet and router are as they were when the stack is destroyed", async () => {
    cluster();
    await far?.remove();
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
    expect(await tenant.asItIs()).toEqual(before.tenant);
    expect(await inventory()).toEqual(before.inventory);
  });
});
