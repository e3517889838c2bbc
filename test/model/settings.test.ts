import officialChecksums from "../../model/checksums.json" with { type: "json" };
import { describe, expect, it } from "vitest";
import { check, SettingsError } from "../../model/checks.ts";
import { settingsFromConfig } from "../../model/settings.ts";
import { checked, checksums, checksumsFile, planOf, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

/** A file of checksums that lacks some. */
const sums = (without = "nothing") =>
  checksumsFile(Object.fromEntries(Object.entries(checksums()).filter(([path]) => !path.includes(without))));

const cluster = (settings: object) => ({ cluster: { ...stackSettings.cluster, ...settings } });
const network = (settings: object) => ({ network: { ...stackSettings.network, ...settings } });
const worker = (settings: object) => ({
  nodes: { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, ...settings } },
});

const label = "must be a DNS label: a-z, 0-9 and -, at most 63 characters, not beginning or ending with -";
const noNetwork = "is no IPv4 network such as 10.0.0.0/16";
const noKubeletLabel =
  "is a label that no kubelet may give its own node; take a key outside of kubernetes.io and k8s.io";
const slotRange =
  "10.0.0.0/24 has its router at 1 and Neutron's own range in its last quarter, 10.100.0.0/16 has 256 networks of /24";

describe("one wrong setting", () => {
  it.each<[title: string, changes: object, problem: string]>([
    [
      "no node away at a time",
      { rollout: { maxUnavailable: 0 } },
      "rollout.maxUnavailable: must be at least 1, not 0",
    ],
    [
      "half a node away",
      { rollout: { maxUnavailable: 1.5 } },
      "rollout.maxUnavailable: must be a whole number, not 1.5",
    ],
    [
      "no time to drain",
      { rollout: { drainSeconds: 5 } },
      "rollout.drainSeconds: must be at least 10, not 5",
    ],
    [
      "days to drain",
      { rollout: { drainSeconds: 90000 } },
      "rollout.drainSeconds: must be at most 86400, not 90000",
    ],
    [
      "yes for force",
      { rollout: { forceDrain: "yes" } },
      'rollout.forceDrain: must be true or false, not "yes"',
    ],
    ["an unknown key", { node: {} }, "openstack-kubernetes: has no setting node; see docs/settings.md"],
    [
      "an unknown key of a part",
      cluster({ podCidr: "x" }),
      "cluster: has no setting podCidr; see docs/settings.md",
    ],
  ])("%s", (_title, changes, problem) => {
    expect(problemsOf({ ...stackSettings, ...changes })).toEqual([problem]);
  });
});

describe("a file of checksums", () => {
  const named = { ...stackSettings, downloads: { checksums: "sums" } };

  it("is laid over the official ones", () => {
    expect(check(named, () => sums()).checksums).toEqual({ ...officialChecksums, ...checksums() });
  });

  it("is read by the name in the settings", () => {
    const files: string[] = [];
    check(named, (file) => {
      files.push(file);
      return sums();
    });
    expect(files).toEqual(["sums"]);
  });

  it("that lacks what has no official one is refused with the paths", () => {
    const path = "dl.k8s.io/v1.35.99/bin/linux/amd64";
    const settings = { ...named, ...cluster({ kubernetesVersion: "1.35.99" }) };
    expect(problemsOf(settings, sums("/kube"))).toEqual([
      `downloads.checksums: no SHA-256 is known for ${path}/kubelet, ${path}/kube-proxy, ${path}/kubectl; add them to sums`,
    ]);
  });

  it("needs the Docker shim only where Docker runs the pods", () => {
    const file = sums("cri-dockerd");
    expect(problemsOf({ ...named, runtime: "docker" }, file)[0]).toContain("cri-dockerd-0.4.3.amd64.tgz");
    expect(problemsOf({ ...named, runtime: "containerd" }, file)).toEqual([]);
  });

  it("needs flannel only where it routes", () => {
    const file = sums("flanneld");
    expect(problemsOf({ ...named, ...network({ routing: "flannel" }) }, file)).toEqual([
      "downloads.checksums: no SHA-256 is known for github.com/flannel-io/flannel/releases/download/v0.28.9/flanneld-amd64; add them to sums",
    ]);
    expect(problemsOf({ ...named, ...network({ routing: "router" }) }, file)).toEqual([]);
  });

  it("of another form is named with its line, along with what else is wrong", () => {
    expect(problemsOf({ ...named, ...worker({ slot: 12 }) }, `${sums()}hello\n`)).toEqual([
      "nodes.worker-2.slot: 12 is the slot of worker-1",
      'downloads.checksums: sums: line 7 is not "<sha256>  <path>"',
    ]);
  });
});

it("a version without official checksums is refused with the paths of its downloads", () => {
  const path = "dl.k8s.io/v1.35.99/bin/linux/amd64";
  expect(problemsOf({ ...stackSettings, ...cluster({ kubernetesVersion: "1.35.99" }) })).toEqual([
    `downloads.checksums: no SHA-256 is known for ${path}/kubelet, ${path}/kube-proxy, ${path}/kubectl; name a file of them in sha256sum format`,
  ]);
});

describe("labels below kubernetes.io", () => {
  it.each([
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "node.kubernetes.io/instance-type",
    "node.kubernetes.io/anything",
    "special.kubelet.kubernetes.io/anything",
    "failure-domain.beta.kubernetes.io/region",
    "example.org/kubernetes.io",
    "notkubernetes.io/x",
    "kubernetes.io",
  ])("%s may be given", (key) => {
    expect(problemsOf({ ...stackSettings, ...worker({ labels: { [key]: "x" } }) })).toEqual([]);
  });

  it.each([
    "kubernetes.io/x",
    "k8s.io/x",
    "x.k8s.io/y",
    "topology.kubernetes.io/rack",
    "mynode.kubernetes.io/x",
  ])("%s may not", (key) => {
    expect(problemsOf({ ...stackSettings, ...worker({ labels: { [key]: "x" } }) })).toEqual([
      `nodes.worker-1.labels.${key}: ${noKubeletLabel}`,
    ]);
  });
});

describe("several wrong settings", () => {
  it("are all told at once, those of single settings", () => {
    const input = {
      cluster: { name: "X", kubernetesVersion: 1.36 },
      network: {},
      machine: { image: "debian-13", flavor: 3 },
      nodes: { a: { role: "master", slot: "1" } },
      runtime: "podman",
      nodez: {},
    };
    expect(problemsOf(input).map((problem) => problem.split(": ")[0])).toEqual([
      "cluster.name",
      "cluster.kubernetesVersion",
      "network.externalNetwork",
      "machine.flavor",
      "nodes.a.role",
      "nodes.a.slot",
      "runtime",
      "openstack-kubernetes",
    ]);
  });

  it("are all told at once, those that do not fit together", () => {
    const input = {
      ...stackSettings,
      cluster: {
        name: "demo",
        kubernetesVersion: "1.37.99",
        podNetwork: "10.0.0.0/16",
        dnsAddress: "10.9.9.9",
      },
      nodes: {
        a: { role: "worker", slot: 5 },
        b: { role: "worker", slot: 5 },
        c: { role: "worker", slot: 200 },
      },
    };
    expect(problemsOf(input).map((problem) => problem.split(": ")[0])).toEqual([
      "cluster.podNetwork",
      "cluster.dnsAddress",
      "nodes",
      "nodes.b.slot",
      "nodes.c.slot",
      "downloads.checksums",
    ]);
  });

  it("are all told at once, those that do not fit together beside those of single settings", () => {
    const input = {
      cluster: { name: "X", podNetwork: "10.0.0.0/16", kubernetesVersion: "1.37.99", serviceNetwork: "x" },
      network: {},
      machine: { image: "debian-13" },
      nodes: {
        a: { role: "master", slot: 5 },
        b: { role: "worker", slot: 5, flavour: "x" },
        c: { role: "worker", slot: 250 },
        d: { role: "worker", slot: "5" },
      },
      runtime: "podman",
    };
    expect(problemsOf(input)).toEqual([
      `cluster.name: ${label}`,
      `cluster.serviceNetwork: ${noNetwork}`,
      "network.externalNetwork: is missing",
      "machine.flavor: is missing",
      'nodes.a.role: must be one of control-plane, worker, not "master"',
      "nodes.b: has no setting flavour; see docs/settings.md",
      'nodes.d.slot: must be a number, not "5"',
      'runtime: must be one of docker, containerd, not "podman"',
      "cluster.podNetwork: 10.0.0.0/16 overlaps network.nodeNetwork 10.0.0.0/24",
      "nodes.b.slot: 5 is the slot of a",
      `nodes.c.slot: must be from 2 to 191, not 250: ${slotRange.replace("10.100", "10.0")}`,
      expect.stringMatching(/^downloads.checksums: no SHA-256 is known for dl.k8s.io\/v1.37.99/),
    ]);
  });

  it("of which none concerns another are told without guesses at the others", () => {
    expect(problemsOf({ ...stackSettings, nodes: undefined, cluster: "demo" })).toEqual([
      'cluster: must be a dictionary, not "demo"',
      "nodes: is missing",
    ]);
    const unknown = {
      ...cluster({ podNetwork: "x" }),
      ...network({ nodeNetwork: "y" }),
      ...worker({ slot: 1 }),
    };
    expect(problemsOf({ ...stackSettings, ...unknown })).toEqual([
      `cluster.podNetwork: ${noNetwork}`,
      `network.nodeNetwork: ${noNetwork}`,
    ]);
    expect(problemsOf("all wrong")).toEqual(['openstack-kubernetes: must be a dictionary, not "all wrong"']);
    expect(
      problemsOf({ ...stackSettings, ...network({ nodeNetwork: "x" }), ...worker({ slot: 300 }) }),
    ).toEqual([
      `network.nodeNetwork: ${noNetwork}`,
      "nodes.worker-1.slot: must be from 2 to 255, not 300: 10.100.0.0/16 has 256 networks of /24",
    ]);
  });

  it("make one message with a count and a line each", () => {
    const error = new SettingsError(["a: is missing", "b: is missing"]);
    expect(error.message).toBe("2 wrong settings:\n  a: is missing\n  b: is missing");
    expect(new SettingsError(["a: is missing"]).message).toBe("1 wrong setting:\n  a: is missing");
  });
});

describe("right settings", () => {
  it("get their defaults", () => {
    const { cluster, network, runtime, ssh, downloads, images, kubeProxy } = checked().settings;
    expect(cluster).toMatchObject({
      domain: "cluster.local",
      podNetwork: "10.100.0.0/16",
      nodePodPrefix: 24,
      serviceNetwork: "10.254.0.0/16",
      apiPort: 6443,
    });
    expect(network).toMatchObject({ nodeNetwork: "10.0.0.0/24", nameServers: [], access: { docker: [] } });
    expect({ runtime, user: ssh.user, mode: kubeProxy.mode }).toEqual({
      runtime: "containerd",
      user: "debian",
      mode: "nftables",
    });
    expect(downloads).toMatchObject({ kubernetes: "https://dl.k8s.io", github: "https://github.com" });
    expect(images).toEqual({ registry: "registry.k8s.io", plainHttp: false });
  });

  it("lose the slash at the end of a base address", () => {
    const { downloads } = checked({ downloads: { github: "https://mirror.example/gh//" } }).settings;
    expect(downloads.github).toBe("https://mirror.example/gh");
  });

  it("take a node's image, flavor and zone before the machines'", () => {
    const { controlPlane, workers } = planOf({
      machine: { image: "debian-13", flavor: "m1.medium", availabilityZone: "a" },
      ...worker({ image: "ubuntu-24.04", flavor: "m1.large", availabilityZone: "b" }),
    });
    expect(controlPlane).toMatchObject({ image: "debian-13", flavor: "m1.medium", availabilityZone: "a" });
    expect(workers[0]).toMatchObject({ image: "ubuntu-24.04", flavor: "m1.large", availabilityZone: "b" });
  });

  it("name the API's and the DNS's service addresses", () => {
    expect(planOf()).toMatchObject({ apiServiceAddress: "10.254.0.1", dnsAddress: "10.254.0.10" });
    expect(planOf(cluster({ dnsAddress: "10.254.7.7" })).dnsAddress).toBe("10.254.7.7");
  });
});

describe("settingsFromConfig", () => {
  it("takes the program's own settings, structured ones from JSON", () => {
    expect(
      settingsFromConfig({
        "openstack-kubernetes:runtime": "docker",
        "openstack-kubernetes:cluster": '{"name":"demo","kubernetesVersion":"1.36.3"}',
        "openstack:cloud": "mine",
        "openstack-kubernetes-lab:x": "1",
      }),
    ).toEqual({ runtime: "docker", cluster: { name: "demo", kubernetesVersion: "1.36.3" } });
  });

  it("keeps a version without quotes what YAML made of it, so that it is refused", () => {
    const input = settingsFromConfig({
      "openstack-kubernetes:cluster": '{"name":"demo","kubernetesVersion":1.36}',
    });
    expect(problemsOf({ ...stackSettings, ...(input as object) })).toEqual([
      "cluster.kubernetesVersion: must be text, not 1.36; put it in quotes",
    ]);
  });
});
