import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Checkout } from "../../cli/plan/checkout.ts";
import { compareStack } from "../../cli/plan/compare.ts";
import { differencesText } from "../../cli/plan/differences-text.ts";
import { stackSettings, checksumsFile } from "../helpers/cluster.ts";
import { Project } from "../helpers/project.ts";

let project: Project;
beforeEach(() => {
  project = new Project();
  project.stack("demo");
});
afterEach(() => {
  project.delete();
});

/** What the command prints with `--diff main`. */
async function changes(stack = "demo"): Promise<string> {
  const comparison = await Checkout.use(project.folder, "main", (checkout) =>
    compareStack(project.folder, checkout, stack),
  );
  return differencesText(stack, "main", comparison);
}

/** Replaces a text in a file of the project's program. */
function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(project.folder, path), "utf8");
  expect(text).toContain(from);
  project.write(path, text.replace(from, to));
}

const worker = (settings: object) => ({
  nodes: { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, ...settings } },
});

describe("a change of settings", () => {
  beforeEach(() => {
    project.program();
    project.commit();
  });

  it("that is none shows nothing", async () => {
    expect(await changes()).toBe("demo: nothing changes from main\n");
  });

  it("of one node shows as that line on that node alone", async () => {
    project.stack("demo", worker({ labels: { disk: "ssd" } }));
    expect(await changes()).toBe(`demo: changes from main

worker-1: /etc/openstack-kubernetes/registration.env
@@ -1,2 +1,2 @@
-NODE_LABELS=openstack-kubernetes/role=worker
+NODE_LABELS=disk=ssd,openstack-kubernetes/role=worker
 NODE_TAINTS=
`);
  });

  it("of all workers shows once", async () => {
    const labels = { disk: "ssd" };
    project.stack("demo", {
      nodes: {
        ...stackSettings.nodes,
        "worker-1": { role: "worker", slot: 11, labels, flavor: "m1.large" },
        "worker-2": { role: "worker", slot: 12, labels, flavor: "m1.large" },
      },
    });
    expect(await changes()).toBe(`demo: changes from main

the cluster
-flavors.m1.medium: 3
+flavors.m1.medium: 1
+flavors.m1.large: 2

worker-1, worker-2: the node itself
-flavor: m1.medium
+flavor: m1.large

worker-1, worker-2: /etc/openstack-kubernetes/registration.env
@@ -1,2 +1,2 @@
-NODE_LABELS=openstack-kubernetes/role=worker
+NODE_LABELS=disk=ssd,openstack-kubernetes/role=worker
 NODE_TAINTS=
`);
  });

  it("of all nodes shows once, whatever stands around it", async () => {
    project.stack("demo", { images: { registry: "registry.example" } });
    expect(await changes())
      .toContain(`cp-1, worker-1, worker-2: /etc/openstack-kubernetes/node.env (lines around the changes are those of cp-1)
@@ -1,7 +1,7 @@
 NODE_NAME=cp-1
 NODE_ADDRESS=10.0.0.10
 POD_GATEWAY=10.100.10.1
-PAUSE_IMAGE=registry.k8s.io/pause:3.10.2
+PAUSE_IMAGE=registry.example/pause:3.10.2
 CLUSTER_DOMAIN=cluster.local
`);
  });

  it("to an earlier phase shows what the program no longer says", async () => {
    project.stack("demo", { phase: "docker" });
    const shown = await changes();
    expect(shown).toContain("-cluster.phase: kubernetes\n+cluster.phase: docker\n");
    expect(shown).toMatch(/^cp-1: \/etc\/kubernetes\/manifests\/etcd.yaml \(a file less\)$/m);
    expect(shown).toMatch(/^cp-1, .*: \/etc\/kubernetes\/pki\/kubelet.key \(a key or certificate less\)$/m);
    expect(shown).not.toContain("/etc/docker/tls");
  });

  it("that brings and takes nodes names them and changes nobody else", async () => {
    const { "worker-2": _gone, ...others } = stackSettings.nodes;
    project.stack("demo", {
      nodes: {
        ...others,
        "worker-3": { role: "worker", slot: 13 },
        "worker-4": { role: "worker", slot: 14 },
      },
    });
    expect(await changes()).toBe(`demo: changes from main

new nodes: worker-3, worker-4

nodes that go: worker-2

the cluster
-quotas.servers.needed: 3
+quotas.servers.needed: 4
-quotas.ports.needed: 5
+quotas.ports.needed: 6
-quotas.floatingAddresses.needed: 3
+quotas.floatingAddresses.needed: 4
-quotas.routes.needed: 3
+quotas.routes.needed: 4
-flavors.m1.medium: 3
+flavors.m1.medium: 4
`);
  });

  it("that changes names in certificates and rules shows them", async () => {
    project.stack("demo", {
      cluster: { ...stackSettings.cluster, domain: "example.org" },
      network: { externalNetwork: "public", access: { docker: ["10.1.0.0/16"] } },
    });
    const shown = await changes();
    expect(shown).toContain("+securityGroups.node.docker-10-1-0-0-16.ports.min: 2376\n");
    expect(shown).toContain('"kubernetes.default.svc.example.org"');
    expect(shown).toMatch(/^addons\.coredns\.configMap\.data\.Corefile\n@@ .*@@\n/m);
    expect(shown).toContain("+    kubernetes example.org in-addr.arpa ip6.arpa {\n");
  });

  it("in a stack that is new names all its nodes", async () => {
    project.stack("new");
    expect(await changes("new")).toMatch(/^new: changes from main\n\nnew nodes: cp-1, worker-1, worker-2\n/);
  });

  it("that takes a stack away names all its nodes", async () => {
    project.remove("Pulumi.demo.yaml");
    expect(await changes()).toMatch(/^demo: changes from main\n\nnodes that go: cp-1, worker-1, worker-2\n/);
  });

  it("in a stack that is nowhere is an error", async () => {
    await expect(changes("prod")).rejects.toThrow("there is no Pulumi.prod.yaml; stacks: demo");
  });
});

describe("a change of the program", () => {
  it("shows on the nodes whose files change, with files that come, go or change their mode", async () => {
    project.program();
    edit("model/files/control-plane.ts", '"allow-privileged": "true"', '"allow-privileged": "false"');
    edit("model/files/converge.ts", '"converge.sh",', '"converge.sh", "old.sh",');
    edit("model/files/converge.ts", 'mode: "0755"', 'mode: "0644"');
    project.write("templates/scripts/old.sh", "echo old\n");
    edit("model/setting-types.ts", "max: 32767", "max: 32000");
    edit("model/files/keys.ts", "ca.crt", "authority.crt");
    project.commit();
    const shown = await changes();
    expect(shown).toContain(`cp-1: /etc/kubernetes/manifests/kube-apiserver.yaml
@@ `);
    expect(shown).toContain("-        - --allow-privileged=false\n+        - --allow-privileged=true\n");
    expect(shown)
      .toContain(`cp-1, worker-1, worker-2: /usr/local/lib/openstack-kubernetes/old.sh (a file less)
@@ -1,1 +0,0 @@
-echo old
`);
    expect(shown).toContain(
      "cp-1, worker-1, worker-2: /usr/local/lib/openstack-kubernetes/converge.sh (mode 0644 becomes 0755)\n\n",
    );
    expect(shown).toContain(
      "-securityGroups.node.node-ports-tcp-0-0-0-0-0.ports.max: 32000\n" +
        "+securityGroups.node.node-ports-tcp-0-0-0-0-0.ports.max: 32767\n",
    );
    expect(shown).toContain(
      "cp-1, worker-1, worker-2: /etc/kubernetes/pki/ca.crt (a key or certificate more, mode 0600)\n",
    );
    expect(shown).toContain(
      "cp-1, worker-1, worker-2: /etc/kubernetes/pki/authority.crt (a key or certificate less)\n",
    );
  });

  it("from one without the offline plan shows nodes and files, and says so", async () => {
    project.program(["model", "templates"]);
    edit("model/files/kubelet.ts", 'cgroupDriver: "systemd"', 'cgroupDriver: "cgroupfs"');
    project.commit();
    expect(await changes()).toBe(`demo: changes from main

main has no offline plan: nodes and their files were compared, nothing else

cp-1, worker-1, worker-2: /etc/kubernetes/kubelet.yaml
@@ -11,7 +11,7 @@
     clientCAFile: /etc/kubernetes/pki/ca.crt
 authorization:
   mode: Webhook
-cgroupDriver: cgroupfs
+cgroupDriver: systemd
 clusterDNS:
   - 10.254.0.10
 clusterDomain: cluster.local
`);
  });

  it("from one that can make no plan says why", async () => {
    project.program(["templates"]);
    project.commit();
    await expect(changes()).rejects.toThrow(
      /^the program of main makes no plan of demo: Cannot find module .*\/model\/\w+\.ts/,
    );
  });

  it("from one that refuses its settings says in its words", async () => {
    project.program();
    project.stack("demo", { runtime: "podman" });
    project.commit();
    project.stack("demo");
    await expect(changes()).rejects.toThrow(
      "the program of main makes no plan of demo: 1 wrong setting:\n" +
        '  openstack-kubernetes:runtime: must be one of docker, containerd, not "podman"',
    );
  });
});

describe("a file of checksums", () => {
  it("that git ignores is the one that is here, on both sides", async () => {
    project.program();
    project.write(".gitignore", "node_modules\nbuilds\n");
    mkdirSync(join(project.folder, "builds"));
    project.write("builds/SHA256SUMS", checksumsFile());
    const downloads = { checksums: "builds/SHA256SUMS" };
    project.stack("demo", { downloads });
    project.commit();
    expect(await changes()).toBe("demo: nothing changes from main\n");
  });
});
