import { beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../components/cluster.ts";
import { bundle, digest } from "../../model/bundle.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import { readyInput } from "../../model/commands.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { nodeNames, openKeys, outlivesMachine } from "../helpers/graph-checks.ts";
import { registerCluster, secretsSent } from "../helpers/graph.ts";
import { Secret, unknown, type Registered } from "../helpers/monitor.ts";

let resources: Registered[];
let graph: Record<string, Registered>;
let cluster: Cluster;

beforeAll(async () => {
  ({ resources, graph, cluster } = await registerCluster());
});

const nodes = nodeNames;
const [controlPlane = "", ...workers] = nodeNames;

/** All that has to be there before a resource, directly or not. */
function before(name: string, seen = new Set<string>()): Set<string> {
  for (const dependency of graph[name]!.dependencies) {
    if (seen.has(dependency)) continue;
    seen.add(dependency);
    before(dependency, seen);
  }
  return seen;
}

describe("names and parents", () => {
  it("every resource but the cluster has a parent whose name begins its own", () => {
    const ofCluster = resources.filter(({ name }) => !name.startsWith("foundations"));
    for (const { name, parent } of ofCluster) {
      if (name === "demo") expect(parent).toBeUndefined();
      else expect(name.startsWith(`${parent}-`), `${name} below ${parent}`).toBe(true);
    }
  });

  it("no name comes twice", () => {
    expect(Object.keys(graph)).toHaveLength(resources.length);
  });

  it("every component registers its outputs, its type is of this program", () => {
    for (const { name, custom, type, outputs } of resources) {
      if (custom) continue;
      expect(outputs, name).toBeDefined();
      expect(type, name).toMatch(/^openstack-kubernetes:[a-z]+:[A-Z][A-Za-z]+$/);
    }
  });

  it("only a node's certificate had another name before, as one of two, and nothing is protected", () => {
    const own = resources.filter(({ type }) => !type.startsWith("kubernetes:"));
    expect(own.filter(({ protect }) => protect)).toEqual([]);
    const renamed = own.filter(({ aliases }) => aliases.length > 0);
    expect(Object.fromEntries(renamed.map(({ name, aliases }) => [name, aliases]))).toEqual(
      Object.fromEntries(nodes.map((node) => [`${node}-certificate`, [`${node}-kubelet-certificate`]])),
    );
  });
});

describe("order", () => {
  it("routes, floating addresses and machines wait for the router's interface", () => {
    const waiting = resources.filter(({ type }) => /:(RouterRoute|FloatingIp|Instance)$/.test(type));
    expect(waiting).toHaveLength(3 * nodes.length);
    for (const { name, dependencies } of waiting) {
      expect(dependencies, name).toContain("demo-network-router-interface");
    }
  });

  it("a node is its port, then instance, then converge", () => {
    for (const node of nodes) {
      expect(graph[`${node}-instance`]!.dependencies).toContain(
        `demo-address-pairs-${node.replace(/^demo-(workers|control-plane)-/, "")}`,
      );
      expect(before(`${node}-converge`)).toContain(`${node}-instance`);
    }
  });

  it("no node waits for another before it has converged", () => {
    for (const node of nodes) {
      const others = nodes.filter((other) => other !== node);
      const waitedFor = [...before(`${node}-converge`)];
      expect(waitedFor.filter((name) => others.some((other) => name.startsWith(`${other}-`)))).toEqual([]);
    }
  });

  it("a worker leaves before its machine and its routes go", () => {
    for (const node of workers) {
      const waitedFor = before(`${node}-membership`);
      for (const name of [`${node}-converge`, `${node}-instance`, `${controlPlane}-converge`]) {
        expect(waitedFor, node).toContain(name);
      }
    }
  });

  it("changes reach a node, and add-ons come, once the control plane has its own", () => {
    for (const node of nodes) expect(before(`${node}-membership`)).toContain(`${controlPlane}-converge`);
    expect(before("demo-kubernetes")).toContain(`${controlPlane}-membership`);
  });

  it("the cluster is ready after every node, every route and the add-ons", () => {
    const waitedFor = before("demo-ready");
    const needed = resources.filter(
      ({ name, type, custom }) =>
        custom &&
        (/-(converge|membership)$/.test(name) ||
          type.endsWith(":RouterRoute") ||
          type.startsWith("kubernetes:")),
    );
    expect(needed).toHaveLength(3 + 3 + 3 + 6);
    for (const { name } of needed) expect(waitedFor).toContain(name);
  });

  it("add-ons come by the cluster's own provider, once its API is there", () => {
    const addOns = resources.filter(({ custom, type }) => custom && type.startsWith("kubernetes:"));
    for (const { provider } of addOns) expect(provider).toBe("demo-kubernetes");
    expect(before("demo-kubernetes")).toContain(`${controlPlane}-converge`);
  });
});

describe("deletion", () => {
  it("an instance goes before its successor comes, since both need its port", () => {
    const instances = resources.filter(({ type }) => type === "openstack:compute/instance:Instance");
    expect(instances.map(({ deleteBeforeReplace }) => deleteBeforeReplace)).toEqual([true, true, true]);
  });

  it("a node leaves the cluster before its machine is made anew, since both have its name", () => {
    for (const node of workers) expect(graph[`${node}-membership`]!.deleteBeforeReplace).toBe(true);
  });

  it("what is on a machine, or in the cluster, goes with a machine, so that a destroy drains nothing", () => {
    expect(outlivesMachine(resources)).toEqual([]);
    // 2 commands a node, 6 add-ons with their provider, and the gate.
    const bound = resources.filter(({ custom, deletedWith }) => custom && deletedWith?.endsWith("-instance"));
    expect(bound).toHaveLength(3 * 2 + 6 + 1 + 1);
  });

  it("a rule goes with its security group, so that a destroy does not wait for each", () => {
    const rules = resources.filter(({ type }) => type.endsWith(":SecGroupRule"));
    expect(rules.length).toBeGreaterThan(5);
    for (const { deletedWith, inputs } of rules) expect(inputs.securityGroupId).toBe(`${deletedWith!}-id`);
  });

  it("a route goes with the router's interface, which takes all routes along, also those that are gone already", () => {
    const routes = resources.filter(({ type }) => type.endsWith(":RouterRoute"));
    const gone = routes.map(({ deletedWith }) => deletedWith);
    expect(gone).toEqual(nodes.map(() => "demo-network-router-interface"));
    expect(graph["demo-network-router-interface"]!.inputs.forceDestroy).toBe(true);
  });

  it("only a worker's membership runs something when it goes, and none does when it comes", () => {
    for (const { name, inputs } of resources.filter(({ type }) => type === "command:remote:Command")) {
      const isMembership = name.endsWith("-membership");
      expect("delete" in inputs, name).toBe(isMembership && !name.startsWith(controlPlane));
      expect("create" in inputs, name).toBe(!isMembership);
    }
    expect(graph[`${workers[0]!}-membership`]!.inputs.delete).toContain(
      "remove-node.sh \"$1\"' openstack-kubernetes 'worker-1'",
    );
  });
});

describe("commands", () => {
  it("run again on a machine that was made anew", () => {
    for (const node of nodes) {
      for (const command of ["converge", "membership"])
        expect(triggers(`${node}-${command}`)).toEqual([`${node}-instance-id`]);
    }
    expect(graph["demo-ready"]!.inputs.triggers).toEqual([nodes.map((node) => `${node}-converge-id`)]);
  });

  it("put new keys and certificates to use, known by a digest alone", () => {
    const digests = nodes.map((node) => {
      const keys = digest(bundle(secretsSent(graph[`${node}-converge`]!)));
      expect(graph[`${node}-membership`]!.inputs.stdin).toContain(` ${keys} `);
      return keys;
    });
    expect(new Set(digests).size).toBe(nodes.length);
  });

  it("know the machine's host key and hand on no earlier output", () => {
    for (const { name, inputs } of resources.filter(({ type }) => type === "command:remote:Command")) {
      const machine =
        nodes.find((node) => name.startsWith(node) && !name.endsWith("-membership")) ?? controlPlane;
      const { connection } = inputs as { connection: { value: Record<string, unknown> } };
      expect(connection, name).toBeInstanceOf(Secret);
      expect(connection.value).toMatchObject({ user: "debian", hostKey: `ssh-key ${machine}-host-key\n` });
      expect(inputs.addPreviousOutputInEnv, name).toBe(false);
    }
  });

  it("the gate gets every node with its pod network", () => {
    const { stdin } = graph["demo-ready"]!.inputs as { stdin: string };
    expect(stdin.replaceAll(/[0-9a-f]{64}$/gm, "digest")).toBe(
      "cp-1 control-plane 10.100.10.0/24 10.100.10.1 digest\n" +
        "worker-1 worker 10.100.11.0/24 10.100.11.1 digest\n" +
        "worker-2 worker 10.100.12.0/24 10.100.12.1 digest\n",
    );
  });

  it("the gate runs again when a node's files change", () => {
    const lines = (plan: ClusterPlan) => readyInput(plan.nodes).split("\n");
    const labelled = { ...stackSettings.nodes["worker-1"], labels: { disk: "fast" } };
    const before = lines(planOf());
    const after = lines(planOf({ nodes: { ...stackSettings.nodes, "worker-1": labelled } }));
    expect(after.map((line, index) => line !== before[index])).toEqual([false, true, false, false]);
  });

  function triggers(name: string): unknown[] {
    return graph[name]!.inputs.triggers as unknown[];
  }
});

describe("secrets", () => {
  it("no private key is anywhere openly", () => {
    const keys = resources
      .filter(({ type }) => type === "tls:index/privateKey:PrivateKey")
      .map(({ name }) => name);
    expect(keys.length).toBeGreaterThan(20);
    expect(openKeys(resources)).toEqual([]);
  });

  it("keys and certificates travel by standard input, the user data and the kubeconfig are secret too", () => {
    for (const node of nodes) {
      expect(graph[`${node}-converge`]!.inputs.stdin).toBeInstanceOf(Secret);
      expect(graph[`${node}-instance`]!.inputs.userData).toBeInstanceOf(Secret);
    }
    expect(graph["demo-kubernetes"]!.inputs.kubeconfig).toBeInstanceOf(Secret);
  });

  it("the kubeconfig says where the API is and who the administrator is", async () => {
    const text = await new Promise<string>((resolve) => cluster.kubeconfig!.apply(resolve));
    expect(text).toContain("server: https://address of demo-floating-addresses-cp-1:6443");
    const data = (of: string) => Buffer.from(of).toString("base64");
    expect(text).toContain(`client-key-data: ${data("private key of demo-certificates-admin-key\n")}`);
    expect(text).toContain(
      `certificate-authority-data: ${data("certificate demo-certificates-kubernetes-ca-certificate\n")}`,
    );
  });

  it("files that a reviewer sees in a preview hold none", () => {
    for (const node of nodes) {
      const files = graph[node]!.inputs.files as Record<string, string>;
      expect(Object.keys(files)).toContain("/etc/kubernetes/kubelet.yaml");
      expect(JSON.stringify(files)).not.toMatch(/-----BEGIN|private (SSH )?key of/);
    }
  });

  const secretFiles = (node: string, of = graph) => Object.keys(secretsSent(of[`${node}-converge`]!));

  it("a worker gets its own keys and no key of an authority", () => {
    expect(secretFiles(workers[0]!)).toEqual([
      "/etc/docker/tls/ca.pem",
      "/etc/docker/tls/server-cert.pem",
      "/etc/docker/tls/server-key.pem",
      "/etc/kubernetes/pki/ca.crt",
      "/etc/kubernetes/pki/kube-proxy.crt",
      "/etc/kubernetes/pki/kube-proxy.key",
      "/etc/kubernetes/pki/kubelet.crt",
      "/etc/kubernetes/pki/kubelet.key",
      "/etc/openstack-kubernetes/authorized_keys",
    ]);
  });

  it.each(["/etc/kubernetes/pki", "/srv/acme/pki"])(
    "every certificate and key that a control plane's files name is in %s, or Docker's folder",
    async (certificateFolder) => {
      const { graph } = await registerCluster({ cluster: { ...stackSettings.cluster, certificateFolder } });
      const there = secretFiles(controlPlane, graph).filter(
        (file) => !file.startsWith("/etc/openstack-kubernetes/"),
      );
      const path = `(?:${certificateFolder}|/etc/docker/tls)/[\\w/-]+\\.(?:crt|key|pub|pem)`;
      for (const file of there) expect(file).toMatch(new RegExp(`^${path}$`));
      const named = Object.values(graph[controlPlane]!.inputs.files as Record<string, string>).flatMap(
        (content) => content.match(new RegExp(path, "g")) ?? [],
      );
      expect(named.length).toBeGreaterThan(20);
      for (const file of new Set(named)) expect(there).toContain(file);
    },
  );
});

it("a preview shows the program's scripts on a node by digest, since the state keeps what it shows", () => {
  for (const node of nodes) {
    const files = graph[node]!.inputs.files as Record<string, string>;
    const scripts = Object.entries(files).filter(([path]) => path.endsWith(".sh"));
    expect(scripts.length).toBeGreaterThan(5);
    for (const [path, text] of scripts) expect(text, path).toMatch(/^SHA-256 [0-9a-f]{64}$/);
  }
});

describe("the cloud's resources", () => {
  it("a port has its fixed address, its pod network and its groups", () => {
    expect(graph["demo-address-pairs-worker-1"]!.inputs).toMatchObject({
      networkId: "demo-network-net-id",
      description: "Kubernetes cluster demo of openstack-kubernetes/test",
      fixedIps: [{ subnetId: "demo-network-subnet-id", ipAddress: "10.0.0.11" }],
      allowedAddressPairs: [{ ipAddress: "10.100.11.0/24" }],
      securityGroupIds: ["demo-security-groups-node-id"],
    });
    expect(graph["demo-address-pairs-cp-1"]!.inputs.securityGroupIds).toEqual([
      "demo-security-groups-node-id",
      "demo-security-groups-control-plane-id",
    ]);
  });

  it("a pod network is routed to its node", () => {
    expect(graph["demo-pod-routes-worker-2"]!.inputs).toEqual({
      routerId: "demo-network-router-id",
      destinationCidr: "10.100.12.0/24",
      nextHop: "10.0.0.12",
    });
  });

  it("an instance has its port alone for a network and is named as its node", () => {
    const { inputs } = graph[`${workers[0]!}-instance`]!;
    expect(inputs).toMatchObject({
      name: "worker-1",
      imageName: "debian-13",
      flavorName: "m1.medium",
      networks: [{ port: "demo-address-pairs-worker-1-id" }],
    });
    expect(inputs.securityGroups).toBeUndefined();
  });
});

describe("one node more", () => {
  const more = { ...stackSettings.nodes, "worker-0": { role: "worker", slot: 5 } };

  it("adds its ten resources and its component, and changes no other's inputs but the gate's", async () => {
    const larger = await registerCluster({ nodes: more });
    const added = larger.resources.filter(({ name }) => !(name in graph));
    // Budget: every resource costs about 40 ms of each preview.
    expect(added.map(({ name }) => name.replace("worker-0", "N")).sort()).toEqual([
      "demo-address-pairs-N",
      "demo-floating-addresses-N",
      "demo-pod-routes-N",
      "demo-workers-N",
      "demo-workers-N-certificate",
      "demo-workers-N-converge",
      "demo-workers-N-host-key",
      "demo-workers-N-instance",
      "demo-workers-N-membership",
      "demo-workers-N-node-key",
      "demo-workers-N-request",
    ]);
    const changed = resources.filter(
      ({ name, inputs }) => JSON.stringify(larger.graph[name]?.inputs) !== JSON.stringify(inputs),
    );
    expect(changed.map(({ name }) => name)).toEqual(["demo-ready"]);
  });
});

describe("a preview of a new cluster", () => {
  it("registers the same resources, and knows every file before anything is made", async () => {
    const preview = await registerCluster({}, true);
    expect(preview.resources.map(({ name }) => name).sort()).toEqual(Object.keys(graph).sort());
    for (const node of nodes) {
      expect(preview.graph[node]!.inputs).toEqual(graph[node]!.inputs);
      expect(preview.graph[`${node}-converge`]!.inputs.stdin).toEqual(new Secret(unknown));
      expect(preview.graph[`${node}-converge`]!.inputs.triggers).toEqual([unknown]);
    }
    expect(preview.graph["demo-kubernetes"]!.inputs.clusterIdentifier).toBe("demo");
  });
});

describe("a DNS cache on each node", () => {
  it("adds its two objects, which the gate waits for, and changes only what nodes are told", async () => {
    const cached = await registerCluster({ dns: { nodeLocalCache: true } });
    const added = cached.resources.map(({ name }) => name).filter((name) => !(name in graph));
    expect(added.sort()).toEqual([
      "demo-node-local-dns",
      "demo-node-local-dns-config",
      "demo-node-local-dns-daemon-set",
    ]);
    for (const name of added.slice(1)) {
      expect(cached.graph["demo-ready"]!.dependencies).toContain(name);
      expect(cached.graph[name]!.deletedWith).toBe(`${controlPlane}-instance`);
      expect(cached.graph[name]!.provider).toBe("demo-kubernetes");
    }
  });
});

describe("runtimes", () => {
  it("with Docker has the same resources", async () => {
    const docker = await registerCluster({ runtime: "docker" });
    expect(docker.resources.map(({ name }) => name).sort()).toEqual(Object.keys(graph).sort());
  });
});

it("an Output printed as text is an error", () => {
  expect(() => `${cluster.kubeconfig as unknown as string}`).toThrow(
    "Calling [toString] on an [Output<T>] is not supported",
  );
});
