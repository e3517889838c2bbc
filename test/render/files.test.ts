import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { coredns } from "../../model/addons/coredns.ts";
import { bundle, type Files } from "../../model/bundle.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import { minorOf } from "../../model/versions.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { Machine } from "../helpers/machine.ts";

const templates = join(import.meta.dirname, "../../templates");
const runtimes = ["containerd", "docker"] as const;

const plans = Object.fromEntries(runtimes.map((runtime) => [runtime, planOf({ runtime })])) as Record<
  (typeof runtimes)[number],
  ClusterPlan
>;
const nodes = runtimes.flatMap((runtime) => {
  const { controlPlane, workers } = plans[runtime];
  return [controlPlane, workers[0]!].map((node) => ({ runtime, role: node.role, files: node.files }));
});
const flannel = Object.fromEntries(
  (["vxlan", "host-gw"] as const).map((backend) => [
    backend,
    planOf({ network: { ...stackSettings.network, routing: "flannel", flannel: { backend } } }),
  ]),
) as Record<"vxlan" | "host-gw", ClusterPlan>;

/** The templates by their text. */
const texts = new Map(
  readdirSync(templates, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [readFileSync(path, "utf8"), path.slice(templates.length + 1)];
    }),
);

/** Those of the files that another plan's node does not have, or not like this. */
function changed(files: Files, plain: Files): Files {
  return Object.fromEntries(
    Object.entries(files).filter(([path, { content }]) => plain[path]?.content !== content),
  );
}

/** The files as the node gets them, but with the name of a template in place of its text. */
function shortened(files: Files): string {
  return bundle(
    Object.fromEntries(
      Object.entries(files).map(([path, file]) => {
        const template = texts.get(file.content);
        return [path, template === undefined ? file : { ...file, content: `(templates/${template})\n` }];
      }),
    ),
  );
}

describe("the files of a node", () => {
  it.each(nodes)("$role with $runtime are those of the snapshot", async ({ runtime, role, files }) => {
    const text = shortened(files);
    expect(text).not.toContain("-----BEGIN");
    await expect(text).toMatchFileSnapshot(`snapshots/${role}-${runtime}.txt`);
  });

  it("change with a mirror, a registry, labels, taints and overrides as the snapshot says", async () => {
    const { workers } = planOf({
      nodes: {
        ...stackSettings.nodes,
        "worker-1": {
          role: "worker",
          slot: 11,
          labels: { disk: "fast" },
          taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }],
        },
      },
      downloads: { kubernetes: "http://192.0.2.1/k8s", github: "http://192.0.2.1/github" },
      packages: { sources: "Types: deb\nURIs: http://192.0.2.1/debian\nSuites: trixie\nComponents: main\n" },
      images: { registry: "192.0.2.1:5000/k8s", plainHttp: true },
      kubelet: { maxPods: 60, authentication: { webhook: { cacheTTL: "1m" } } },
      kubeProxy: { mode: "iptables", config: { iptables: { masqueradeAll: true } } },
    });
    const plain = plans.containerd.workers[0]!.files;
    await expect(shortened(changed(workers[0]!.files, plain))).toMatchFileSnapshot(
      "snapshots/worker-changed.txt",
    );
  });

  it.each(["vxlan", "host-gw"] as const)("change with flannel's %s as the snapshot says", async (backend) => {
    const { files } = flannel[backend].controlPlane;
    const differing = shortened(changed(files, plans.containerd.controlPlane.files));
    await expect(differing).toMatchFileSnapshot(`snapshots/control-plane-${backend}.txt`);
  });

  it("of a worker have no right in the API to give to flannel", () => {
    const paths = (which: "controlPlane" | "worker") => {
      const of = ({ controlPlane, workers }: ClusterPlan) =>
        which === "controlPlane" ? controlPlane.files : workers[0]!.files;
      return Object.keys(changed(of(flannel.vxlan), of(plans.containerd)));
    };
    const rights = "/etc/kubernetes/bootstrap/flannel.yaml";
    expect(paths("controlPlane")).toContain(rights);
    expect(paths("worker")).toEqual(paths("controlPlane").filter((path) => path !== rights));
  });

  it("use every template but those of commands", () => {
    const all = [...nodes, flannel.vxlan.controlPlane];
    const used = new Set(
      all.flatMap(({ files }) => Object.values(files).map(({ content }) => texts.get(content))),
    );
    const templates = [...texts.values()].filter((path) => !path.startsWith("commands/"));
    expect(templates.filter((path) => !used.has(path))).toEqual([]);
  });

  it("are text of whole lines without blanks at their ends", () => {
    for (const { files } of nodes) {
      for (const [path, { content }] of Object.entries(files)) {
        expect(content, path).toMatch(/\n$/);
        expect(content, path).not.toMatch(/[ \t]+$/m);
        expect(content, path).not.toMatch(/undefined|\[object|NaN/);
      }
    }
  });
});

describe("CoreDNS", () => {
  it("is what the snapshot says", async () => {
    await expect(JSON.stringify(coredns(plans.containerd), null, 2)).toMatchFileSnapshot(
      "snapshots/coredns.txt",
    );
  });

  it("of each minor version has that version's image", () => {
    const images = Object.keys(plans.containerd.release);
    expect(images.sort()).toEqual(["coredns", "etcd", "pause"]);
    expect(coredns(plans.containerd).deployment.spec.template.spec.containers[0]!.image).toBe(
      `registry.k8s.io/coredns/coredns:${plans.containerd.release.coredns}`,
    );
  });
});

describe("YAML", () => {
  interface KubernetesObject {
    apiVersion: string;
    kind: string;
    [key: string]: unknown;
  }
  const objects = nodes.flatMap(({ runtime, role, files }) =>
    Object.entries(files)
      .filter(([path]) => /^\/etc\/kubernetes\/.*\.(yaml|conf)$/.test(path))
      .map(([path, { content }]) => ({ runtime, role, path, content })),
  );

  it.each(objects)("$path of a $role with $runtime reads the same by YAML 1.1 and 1.2", ({ content }) => {
    const object = parse(content, { version: "1.1" }) as KubernetesObject;
    expect(parse(content, { version: "1.2" })).toEqual(object);
    expect(object.apiVersion).toMatch(/^([a-z0-9.]+\/)?v1(alpha1|beta1)?$/);
    expect(object.kind).toMatch(/^[A-Z]/);
  });

  const read = (runtime: (typeof runtimes)[number], path: string) =>
    parse(plans[runtime].controlPlane.files[path]!.content) as KubernetesObject;

  it.each(["docker.service.d/openstack-kubernetes.conf", "cri-dockerd.service"])(
    "the unit file %s lets its service be started again however often it fails, and a dependency too",
    (unit) => {
      const { content } = plans.docker.controlPlane.files[`/etc/systemd/system/${unit}`]!;
      expect(content).toMatch(/^\[Unit\]\n[^[]*^StartLimitIntervalSec=0$/m);
      expect(content).not.toMatch(/^(Requires|BindsTo|Requisite)=/m);
    },
  );

  it("the kubelet speaks to the runtime of the settings, with systemd's cgroups", () => {
    const kubelet = (runtime: (typeof runtimes)[number]) => read(runtime, "/etc/kubernetes/kubelet.yaml");
    expect(kubelet("containerd")).toMatchObject({
      kind: "KubeletConfiguration",
      cgroupDriver: "systemd",
      containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    });
    expect(kubelet("docker").containerRuntimeEndpoint).toBe("unix:///run/cri-dockerd.sock");
  });

  interface StaticPod extends KubernetesObject {
    metadata: { name: string; namespace: string };
    spec: {
      hostNetwork: boolean;
      containers: {
        name: string;
        image: string;
        command: string[];
        volumeMounts: { name: string; mountPath: string }[];
      }[];
      volumes: { name: string; hostPath: { path: string } }[];
    };
  }
  const manifests = Object.entries(plans.containerd.controlPlane.files)
    .filter(([path]) => path.startsWith("/etc/kubernetes/manifests/"))
    .map(([path, { content }]) => ({ path, pod: parse(content) as StaticPod }));

  it.each(manifests)("$path is a static pod whose flags name only files that it mounts", ({ path, pod }) => {
    const { containers, volumes, hostNetwork } = pod.spec;
    const [container] = containers;
    expect(path).toBe(`/etc/kubernetes/manifests/${pod.metadata.name}.yaml`);
    expect({ kind: pod.kind, namespace: pod.metadata.namespace, hostNetwork }).toEqual({
      kind: "Pod",
      namespace: "kube-system",
      hostNetwork: true,
    });
    // Static pods may not refer to API objects.
    for (const volume of volumes) expect(Object.keys(volume).sort()).toEqual(["hostPath", "name"]);
    expect(volumes.map(({ name, hostPath }) => ({ name, mountPath: hostPath.path }))).toEqual(
      container!.volumeMounts.map(({ name, mountPath }) => ({ name, mountPath })),
    );
    const mounted = volumes.map(({ hostPath }) => hostPath.path);
    const files = container!.command.flatMap((flag) => /=(\/etc\/.*)$/.exec(flag)?.[1] ?? []);
    for (const file of files)
      expect(
        mounted.some((folder) => file === folder || file.startsWith(`${folder}/`)),
        file,
      ).toBe(true);
    const flags = container!.command.map((flag) => flag.split("=")[0]);
    expect(new Set(flags).size).toBe(flags.length);
  });

  it("what Kubernetes no longer takes is in no file", () => {
    for (const { files } of nodes) {
      const text = Object.values(files)
        .map(({ content }) => content)
        .join("");
      // cri-dockerd has a flag of the name that the kubelet lost.
      expect(text.replace(/--pod-infra-container-image=\$\{PAUSE_IMAGE\}/, "")).not.toMatch(
        /--(pod-infra-container-image|cloud-provider|cloud-config|container-runtime=|network-plugin=kubenet|pod-cidr)/,
      );
    }
  });

  it("the version of the settings is that of every program of Kubernetes", () => {
    const version = plans.containerd.settings.cluster.kubernetesVersion;
    for (const { pod } of manifests.filter(({ pod }) => pod.metadata.name !== "etcd")) {
      expect(pod.spec.containers[0]!.image).toBe(`registry.k8s.io/${pod.metadata.name}:v${version}`);
    }
    expect(minorOf(version)).toBe("1.36");
  });
});

describe("JSON", () => {
  const node = plans.containerd.workers[0]!;

  it("the CNI list has what the bridge needs, its MTU a number once the machine has put it in", () => {
    const path = "/etc/openstack-kubernetes/with-mtu/etc/cni/net.d/10-cbr0.conflist";
    const text = node.files[path]!.content.replaceAll("@MTU@", "1450");
    expect(JSON.parse(text)).toEqual({
      cniVersion: "1.0.0",
      name: "cbr0",
      plugins: [
        {
          type: "bridge",
          bridge: "cbr0",
          isGateway: true,
          hairpinMode: true,
          ipMasq: false,
          mtu: 1450,
          ipam: {
            type: "host-local",
            ranges: [[{ subnet: "10.100.11.0/24", rangeStart: "10.100.11.2", rangeEnd: "10.100.11.191" }]],
            routes: [{ dst: "0.0.0.0/0" }],
          },
        },
        { type: "portmap", capabilities: { portMappings: true } },
      ],
    });
  });

  it("Docker listens with TLS on the node's address and takes the quarter of cbr0 that pods leave", () => {
    expect(JSON.parse(node.files["/etc/docker/daemon.json"]!.content)).toMatchObject({
      bridge: "cbr0",
      "fixed-cidr": "10.100.11.192/26",
      hosts: ["fd://", "tcp://10.0.0.11:2376"],
      tlsverify: true,
      iptables: false,
    });
  });
});

describe("downloads", () => {
  it("are a line each: checksum, address, target, members", () => {
    for (const { files } of nodes) {
      const lines = files["/etc/openstack-kubernetes/downloads"]!.content.trimEnd().split("\n");
      for (const line of lines) expect(line).toMatch(/^[0-9a-f]{64} https:\/\/\S+ \/[\w/.-]+( [\w,-]+)?$/);
    }
  });
});

describe("packet rules", () => {
  const nftCheck = async (input: string) => {
    const command = ["--map-root-user", "--net", "nft", "--check", "--file", "-"];
    const { exitCode, stderr } = await execa("unshare", command, { input, reject: false });
    return { exitCode, stderr };
  };

  it("are taken by nft", async () => {
    const { content } = plans.containerd.controlPlane.files["/etc/openstack-kubernetes/pod-network.nft"]!;
    expect(await nftCheck(content), "nft is in the package nftables").toEqual({ exitCode: 0, stderr: "" });
  });

  it("leave networks alone that the settings route, and are taken by nft with them", async () => {
    const network = { externalNetwork: "public", routedNetworks: ["10.0.4.0/24", "192.168.0.0/16"] };
    const { content } = planOf({ network }).controlPlane.files["/etc/openstack-kubernetes/pod-network.nft"]!;
    expect(content).toContain("{ 10.100.0.0/16, 10.254.0.0/16, 10.0.0.0/24, 10.0.4.0/24, 192.168.0.0/16 }");
    expect(await nftCheck(content)).toEqual({ exitCode: 0, stderr: "" });
  });

  it("masquerade what leaves the cluster, and nothing between nodes, pods and services", () => {
    const { content } = plans.containerd.workers[0]!.files["/etc/openstack-kubernetes/pod-network.nft"]!;
    expect(content).toContain("elements = { 10.100.0.0/16, 10.254.0.0/16, 10.0.0.0/24 }");
    expect(content).toContain("ip saddr 10.100.11.0/24 ip daddr != @inside masquerade");
  });
});

describe("flannel", () => {
  it("masquerades what pods send to the machines' network, which knows no way back to them", () => {
    for (const { workers } of Object.values(flannel)) {
      const { content } = workers[0]!.files["/etc/openstack-kubernetes/pod-network.nft"]!;
      expect(content).toContain("elements = { 10.100.0.0/16, 10.254.0.0/16 }");
    }
  });

  it("may list and watch nodes, and nothing else", () => {
    const { content } = flannel.vxlan.controlPlane.files["/etc/kubernetes/bootstrap/flannel.yaml"]!;
    const { items } = parse(content) as {
      items: { rules?: object[]; roleRef?: object; subjects?: object[] }[];
    };
    expect(items.flatMap(({ rules = [] }) => rules)).toEqual([
      { apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"] },
    ]);
    expect(items[1]).toMatchObject({
      roleRef: { kind: "ClusterRole", name: "openstack-kubernetes:flannel" },
      subjects: [{ kind: "Group", name: "system:nodes" }],
    });
  });
});

describe("shell scripts", () => {
  const scripts = [...texts.values()].filter((path) => path.endsWith(".sh"));
  it.each(scripts)("shellcheck finds nothing in %s", async (path) => {
    const check = await execa("shellcheck", ["--shell=bash", join(templates, path)], { reject: false });
    expect(check.code, "shellcheck is missing: apt-get install shellcheck").toBeUndefined();
    expect(check.stdout).toBe("");
  });
});

describe("units", () => {
  const withFlannel = { runtime: "flannel", role: "worker", files: flannel.vxlan.workers[0]!.files };
  it.each([...nodes, withFlannel])(
    "systemd finds nothing wrong with those of a $role with $runtime",
    async ({ files }) => {
      const machine = new Machine();
      try {
        const units = Object.entries(files).filter(([path]) => path.startsWith("/etc/systemd/system/"));
        for (const [path, { content }] of units) machine.write(path, content);
        for (const program of ["kubelet", "kube-proxy", "cri-dockerd", "dockerd", "flanneld"])
          machine.program(program, "true");
        for (const script of ["pod-network.sh", "node-names.sh", "etcd-snapshots.sh"])
          machine.program(`../lib/openstack-kubernetes/${script}`, "true");
        // The packages' own units.
        for (const name of ["docker", "containerd"]) {
          machine.write(`/etc/systemd/system/${name}.service`, `[Service]\nExecStart=/usr/bin/true\n`);
        }
        const names = units.map(([path]) => path.split("/")[4]!.replace(/\.d$/, ""));
        const check = await machine.run(`systemd-analyze verify --man=no ${names.join(" ")}`);
        expect(check).toEqual({ exitCode: 0, stdout: "", stderr: "" });
      } finally {
        machine.remove();
      }
    },
  );
});
