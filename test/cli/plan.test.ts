import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileText } from "../../cli/plan/file-text.ts";
import { overview, type Overview } from "../../cli/plan/overview.ts";
import { planStack, stackNames } from "../../cli/plan/stacks.ts";
import { text } from "../../cli/plan/text.ts";
import { digest } from "../../model/bundle.ts";
import { check } from "../../model/checks.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { Project, repo } from "../helpers/project.ts";

let project: Project;
beforeEach(() => {
  project = new Project();
});
afterEach(() => {
  project.delete();
});

function overviewOf(stack: string, folder = project.folder): Overview {
  const { plan, secretSettings } = planStack(folder, stack);
  return overview(stack, plan, secretSettings);
}

function messageOf(step: () => unknown): string | undefined {
  try {
    step();
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

/** Nodes with one control plane and so many workers. */
function workers(number: number) {
  const names = Array.from({ length: number }, (_, index) => [
    `worker-${index + 1}`,
    { role: "worker", slot: 11 + index },
  ]);
  return { "cp-1": stackSettings.nodes["cp-1"], ...(Object.fromEntries(names) as object) };
}

describe("the plan of the committed stack dev", () => {
  it("says all that the cluster will be", async () => {
    // Sizes and digests change with every word of a script; the next test is about them.
    const shown = text(overviewOf("dev", repo)).replaceAll(/^( {4}0\d{3}) +\d+ +[0-9a-f]{12} /gm, "$1 … …");
    await expect(shown).toMatchFileSnapshot("snapshots/plan-dev.txt");
  });

  it("lists every file of every node once, with mode, size and digest", () => {
    const { plan } = planStack(repo, "dev");
    const [, section = ""] = /^Files\n(.*?)^\n/ms.exec(text(overviewOf("dev", repo))) ?? [];
    let names: string[] = [];
    const listed = section.split("\n").flatMap((line) => {
      const [, mode, size, sum, path] = /^ {4}(\d+) +(\d+) +(\w{12}) +(.+)$/.exec(line) ?? [];
      if (/^ {2}\S/.test(line)) names = line.trim().split(", ");
      return mode === undefined ? [] : names.map((name) => `${name} ${mode} ${size} ${sum} ${path}`);
    });
    const planned = plan.nodes.flatMap(({ name, files }) =>
      Object.entries(files).map(
        ([path, { mode, content }]) =>
          `${name} ${mode} ${Buffer.byteLength(content)} ${digest(content).slice(0, 12)} ${path}`,
      ),
    );
    expect(planned.length).toBeGreaterThan(60);
    expect(listed.sort()).toEqual(planned.sort());
  });
});

describe("the plan on a network that is there already", () => {
  it("names it, and what a machine has of one's own", () => {
    project.stack("demo", {
      network: {
        externalNetwork: "public",
        floatingPool: "pool",
        existing: { network: "office", subnet: "office-a", router: "gate" },
        routedNetworks: ["10.30.0.0/16"],
      },
      machine: { ...stackSettings.machine, keyPair: "ours", securityGroups: ["backup", "office"] },
    });
    const shown = text(overviewOf("demo"));
    for (const line of [
      "  nodes     10.0.0.0/24    network office, subnet office-a, router gate, there already\n",
      "  routed    10.30.0.0/16   pods reach it with their own addresses\n",
      "  external  pool           the floating addresses\n",
      "  worker-1  worker         10.0.0.11  10.100.11.0/24  debian-13  m1.medium  Nova's choice  ours      backup, office\n",
    ])
      expect(shown).toContain(line);
  });
});

describe("the plan of a stack with pools", () => {
  it("shows them, and their nodes among the others", () => {
    project.stack("demo", {
      pools: {
        batch: {
          count: 2,
          slots: "100-149",
          remove: ["batch-1"],
          availabilityZones: ["a", "b"],
          serverGroup: "anti-affinity",
        },
        spare: { count: 0, slots: "50-59" },
      },
    });
    const shown = text(overviewOf("demo"));
    for (const line of [
      "\nPools\n",
      "  batch  2      100-149  a, b           anti-affinity  batch-1\n",
      "  spare  0      50-59    -              -              -\n",
      "  batch-2   worker         10.0.0.101  10.100.101.0/24  debian-13  m1.medium  b              -         -\n",
      "  batch-3   worker         10.0.0.102  10.100.102.0/24  debian-13  m1.medium  a              -         -\n",
      "  server groups         1       10\n",
      "  server group members  2       10\n",
    ])
      expect(shown).toContain(line);
  });
});

describe("the plan of a stack", () => {
  const titles = (shown: string) => [...shown.matchAll(/^(\S.*)\n {2}/gm)].map(([, title]) => title);

  it("of machines alone has neither files nor certificates nor add-ons", () => {
    project.stack("demo", { phase: "machines" });
    const shown = text(overviewOf("demo"));
    expect(shown).toMatch(/^demo: 3 nodes, machines alone\n/);
    expect(titles(shown)).toEqual([
      "Networks",
      "Nodes",
      "Routes of the router",
      "Port rules, by group",
      "Quotas, without what the project has already",
    ]);
    expect(overviewOf("demo").commands).toEqual({});
  });

  it("with Docker alone has the certificates of its servers and client, and nothing else of Kubernetes", () => {
    project.stack("demo", { phase: "docker" });
    const shown = overviewOf("demo");
    expect(text(shown)).toMatch(/^demo: Docker on 3 nodes\n/);
    expect(Object.keys(shown.certificates)).toEqual(["kubernetes-ca", "docker-ca", "docker-client"]);
    expect(Object.keys(shown.nodes["cp-1"]!.certificates)).toEqual(["kubelet"]);
    expect(Object.keys(shown.commands)).toEqual(["installAndConverge", "stageOrConverge"]);
    expect(shown.addons).toEqual({});
  });

  it("with flannel has no routes", () => {
    const plan = planOf({ network: { ...stackSettings.network, routing: "flannel" } });
    const shown = text(overview("demo", plan, []));
    expect(shown).toContain("; flannel leads there, by vxlan\n");
    expect(titles(shown)).not.toContain("Routes of the router");
    expect(shown).toMatch(/^ {2}routes of a router +0 /m);
  });

  it("with load balancers says where each port leads, and what they take of quotas", () => {
    const healthCheck = { type: "HTTP", path: "/healthz" };
    const listeners = { http: { port: 80, nodePort: 30080, allowedCidrs: ["192.0.2.0/24"], healthCheck } };
    const shown = text(overview("demo", planOf({ loadBalancers: { web: { listeners } } }), []));
    expect(
      shown
        .match(/^ {2}web .*$/m)![0]
        .trim()
        .split(/ {2,}/),
    ).toEqual([
      "web",
      "http",
      "TCP 80",
      "192.0.2.0/24",
      "10.0.0.11:30080, 10.0.0.12:30080",
      "HTTP /healthz, every 5 s",
    ]);
    expect(shown).toMatch(/^ {2}floating addresses +4 /m);
    expect(shown).toMatch(/^ {2}ports +6 /m);
    expect(titles(text(overview("demo", planOf(), []))).join()).not.toContain("Load balancers");
  });
});

describe("the plan for programs", () => {
  it("has the fields that docs/plan.md describes", () => {
    const documented = [...readFileSync(join(repo, "docs/plan.md"), "utf8").matchAll(/^\| `(\w+)`/gm)].map(
      ([, name]) => name,
    );
    expect(documented).toEqual(Object.keys(overviewOf("dev", repo)));
  });

  it("says of a node where it is and what is on it", () => {
    project.stack("demo");
    const { nodes, texts } = overviewOf("demo");
    expect(Object.keys(nodes)).toEqual(["cp-1", "worker-1", "worker-2"]);
    const { files, keys, certificates, ...node } = nodes["worker-1"]!;
    expect(node).toEqual({
      role: "worker",
      address: "10.0.0.11",
      podNetwork: "10.100.11.0/24",
      podGateway: "10.100.11.1",
      image: "debian-13",
      flavor: "m1.medium",
      availabilityZone: undefined,
      keyPair: undefined,
      securityGroups: [],
      route: { destination: "10.100.11.0/24", nextHop: "10.0.0.11" },
    });
    expect(certificates.kubelet).toEqual({
      kind: "server and client",
      commonName: "system:node:worker-1",
      organization: "system:nodes",
      signedBy: "kubernetes-ca",
      dnsNames: ["worker-1"],
      ipAddresses: ["10.0.0.11", "127.0.0.1"],
      floatingAddressOf: "worker-1",
      hours: 8760,
      renewHours: 360,
    });
    expect(keys).toContain("/etc/kubernetes/pki/kubelet.key");
    for (const { sha256, size } of Object.values(files)) {
      expect(digest(texts[sha256]!)).toBe(sha256);
      expect(Buffer.byteLength(texts[sha256]!)).toBe(size);
    }
  });
});

describe("one file", () => {
  it("is printed as it will be on the node", () => {
    const plan = planOf();
    const path = "/etc/kubernetes/kubelet.yaml";
    expect(fileText(plan, `worker-1:${path}`)).toBe(plan.workers[0]!.files[path]!.content);
  });

  it.each([
    ["worker-9:/etc/hosts", "--file: no node worker-9; nodes: cp-1, worker-1, worker-2"],
    ["/etc/hosts", "--file: no node /etc/hosts; nodes: cp-1, worker-1, worker-2"],
    [
      "worker-1:/etc/hosts",
      '--file: worker-1 has no file "/etc/hosts"; its files:\n  /etc/containerd/config.toml\n',
    ],
    [
      "cp-1:/etc/kubernetes/pki/ca.key",
      "--file: /etc/kubernetes/pki/ca.key is a key or certificate, which pulumi up makes and no plan knows",
    ],
  ])("%s is none", (place, message) => {
    expect(() => fileText(planOf(), place)).toThrow(message);
  });
});

describe("a stack's file", () => {
  it("has to be there", () => {
    project.stack("dev");
    project.stack("production.eu");
    expect(stackNames(project.folder)).toEqual(["dev", "production.eu"]);
    expect(() => planStack(project.folder, "prod")).toThrow(
      /^there is no Pulumi.prod.yaml; stacks: dev, production.eu$/,
    );
  });

  it("has to be YAML, which an error does not quote", () => {
    project.write("Pulumi.dev.yaml", "config:\n  other:password: {secure: v1:ciphertext\n");
    const message = messageOf(() => planStack(project.folder, "dev"));
    expect(message).toMatch(/^Pulumi.dev.yaml: .+ at line 3, column 1$/);
    expect(message).not.toContain("ciphertext");
  });

  it("without settings lacks what only the user knows", () => {
    project.write("Pulumi.dev.yaml", "encryptionsalt: v1:abc\n");
    expect(() => planStack(project.folder, "dev")).toThrow("openstack-kubernetes:cluster: is missing");
  });

  it("is refused in the words of pulumi up", () => {
    const wrong = { runtime: "podman", machine: { image: "debian-13" } };
    project.stack("dev", wrong);
    const message = messageOf(() => check({ ...stackSettings, ...wrong }, () => ""));
    expect(message).toMatch(/^2 wrong settings:\n/);
    expect(messageOf(() => planStack(project.folder, "dev"))).toBe(message);
  });

  it("may have values that are plain text, numbers or merged", () => {
    project.write(
      "Pulumi.dev.yaml",
      `config:
  openstack-kubernetes:cluster: {name: demo}
  openstack-kubernetes:network: {externalNetwork: public}
  openstack-kubernetes:machine: {image: debian-13, flavor: m1.medium}
  openstack-kubernetes:runtime: containerd
  openstack-kubernetes:nodes:
    cp-1: &node {role: control-plane, slot: 10}
    worker-1: {<<: *node, role: worker, slot: 11}
  other:number: 5
`,
    );
    expect(Object.keys(overviewOf("dev").nodes)).toEqual(["cp-1", "worker-1"]);
  });
});

describe("secrets of a stack", () => {
  const secure = "v1:Xo0cXH+PHm0kkXXx:/mkNnTvqT8iNT0Xc0Dg==";

  it("are neither needed nor shown", () => {
    project.stack("demo", {
      ssh: { authorizedKeys: [{ secure }, "ssh-ed25519 AAAA"] },
      packages: { sources: { secure } },
    });
    const shown = overviewOf("demo");
    expect(shown.secretSettings).toEqual([
      "openstack-kubernetes:ssh.authorizedKeys.0",
      "openstack-kubernetes:packages.sources",
    ]);
    const everything = text(shown) + JSON.stringify(shown);
    expect(everything).not.toContain(secure);
    expect(text(shown)).toContain(
      "secrets that only pulumi can read, [secret] here: openstack-kubernetes:ssh.authorizedKeys.0, openstack-kubernetes:packages.sources\n",
    );
    const { plan } = planStack(project.folder, "demo");
    expect(fileText(plan, "worker-1:/etc/apt/sources.list.d/openstack-kubernetes.sources")).toBe(
      "[secret]\n",
    );
  });

  it("are named where the plan cannot do without them", () => {
    project.stack("demo", { runtime: { secure } });
    expect(() => planStack(project.folder, "demo")).toThrow(
      '1 wrong setting:\n  openstack-kubernetes:runtime: must be one of docker, containerd, not "[secret]"\n' +
        "only pulumi can read these secrets, taken as [secret] here: openstack-kubernetes:runtime",
    );
  });

  it("of other programs are none of ours", () => {
    const file = readFileSync(join(repo, "Pulumi.dev.yaml"), "utf8");
    project.write("Pulumi.dev.yaml", `${file}  openstack:password: {secure: "${secure}"}\n`);
    expect(overviewOf("dev").secretSettings).toEqual([]);
  });
});

describe("quotas", () => {
  const marked = (number: number) => {
    project.stack("demo", { nodes: workers(number) });
    const [, section = ""] = /^Quotas.*\n((?: {2}.*\n)+)/m.exec(text(overviewOf("demo"))) ?? [];
    return section.split("\n").filter((line) => line.includes("!"));
  };

  it("that the usual defaults do not give are marked", () => {
    expect(marked(31)).toEqual([
      "  servers               32      10             ! more than the usual default",
      "  routes of a router    32      30             ! more than the usual default",
    ]);
    expect(marked(50).map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      "servers",
      "floating addresses",
      "routes of a router",
    ]);
  });

  it("just reached are not marked", () => {
    expect(marked(9)).toEqual([]);
    expect(marked(29).map((line) => line.trim().split(/ {2,}/)[0])).toEqual(["servers"]);
  });

  it("of cores and memory are said to be unknown", () => {
    project.stack("demo", {
      nodes: { ...workers(2), "big-1": { role: "worker", slot: 40, flavor: "m1.large" } },
    });
    expect(text(overviewOf("demo"))).toContain(
      "  cores, memory         ?       20, 50 GiB     3 × m1.medium, 1 × m1.large; what a flavor has only the cloud knows\n",
    );
  });
});
