import { describe, expect, it } from "vitest";
import { checked, planOf, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

// Names, machines, networks, ports and folders: what a stack may choose, and the words for what it may not.

const cluster = (settings: object) => ({ cluster: { ...stackSettings.cluster, ...settings } });
const network = (settings: object) => ({ network: { ...stackSettings.network, ...settings } });
const machine = (settings: object) => ({ machine: { ...stackSettings.machine, ...settings } });
const worker = (settings: object) => ({
  nodes: { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, ...settings } },
});
const existing = { network: "office", subnet: "office-a", router: "office" };

const label = "must be a DNS label: a-z, 0-9 and -, at most 63 characters, not beginning or ending with -";
const noFolder =
  "must be a folder below /etc, /opt, /srv or /var/lib, of a-z, 0-9, - and ., such as /etc/kubernetes/pki";
const takenFolder = "must not be in /etc/kubernetes/manifests, /etc/ssl/certs, /var/lib/etcd";

describe("a node's name", () => {
  const named = (name: string) => ({ nodes: { [name]: { role: "control-plane", slot: 10 } } });

  it.each(["a", "a-1", "db", "0", "007", "a--b", "xn--bcher-kva", "constructor", "x".repeat(63)])(
    "%s is the machine's",
    (name) => {
      const { controlPlane } = planOf(named(name));
      expect(controlPlane.name).toBe(name);
      expect(controlPlane.files["/etc/openstack-kubernetes/node.env"]!.content).toContain(
        `NODE_NAME=${name}\n`,
      );
    },
  );

  it.each(["w.x", "W", "a_b", "-a", "a-", "", "bücher", "a b", "x".repeat(64)])("%j is refused", (name) => {
    expect(problemsOf({ ...stackSettings, ...named(name) })).toEqual([`nodes.${name}: ${label}`]);
  });
});

describe("a wrong setting", () => {
  it.each<[title: string, changes: object, problem: string]>([
    ["an empty key pair", machine({ keyPair: "" }), "machine.keyPair: must not be empty"],
    [
      "key pairs as a list",
      worker({ keyPair: ["mine"] }),
      'nodes.worker-1.keyPair: must be text, not ["mine"]',
    ],
    [
      "one security group as text",
      machine({ securityGroups: "office" }),
      'machine.securityGroups: must be a list, not "office"',
    ],
    [
      "a security group without a name",
      worker({ securityGroups: [""] }),
      "nodes.worker-1.securityGroups.0: must not be empty",
    ],
    [
      "a security group twice",
      worker({ securityGroups: ["office", "office"] }),
      "nodes.worker-1.securityGroups: has office more than once",
    ],
    ["an empty zone", worker({ availabilityZone: "" }), "nodes.worker-1.availabilityZone: must not be empty"],
    ["an empty flavor", worker({ flavor: "" }), "nodes.worker-1.flavor: must not be empty"],
    [
      "an image that is a number",
      worker({ image: 13 }),
      "nodes.worker-1.image: must be text, not 13; put it in quotes",
    ],
    ["an empty floating pool", network({ floatingPool: "" }), "network.floatingPool: must not be empty"],
    [
      "an existing network alone",
      network({ existing: { network: "office", router: "office" } }),
      "network.existing.subnet: is missing",
    ],
    [
      "an existing network as text",
      network({ existing: "office" }),
      'network.existing: must be a dictionary, not "office"',
    ],
    [
      "an existing router without a name",
      network({ existing: { ...existing, router: "" } }),
      "network.existing.router: must not be empty",
    ],
    [
      "an unknown part of an existing network",
      network({ existing: { ...existing, port: "x" } }),
      "network.existing: has no setting port; see docs/settings.md",
    ],
    [
      "name servers for an existing subnet",
      network({ existing, nameServers: ["9.9.9.9"] }),
      "network.nameServers: are those of the existing subnet; change them there",
    ],
    [
      "the last address of an existing subnet",
      { ...network({ existing }), ...worker({ slot: 255 }) },
      "nodes.worker-1.slot: must be from 1 to 254, not 255: 10.0.0.0/24 keeps its first and its last address, 10.100.0.0/16 has 256 networks of /24",
    ],
    [
      "a routed network that is none",
      network({ routedNetworks: ["10.0.5.0"] }),
      "network.routedNetworks.0: is no IPv4 network such as 10.0.0.0/16",
    ],
    [
      "a routed network twice",
      network({ routedNetworks: ["10.0.5.0/24", "10.0.5.0/24"] }),
      "network.routedNetworks: has 10.0.5.0/24 more than once",
    ],
    [
      "a routed network over the services",
      network({ routedNetworks: ["10.0.4.0/24", "10.254.1.0/24"] }),
      "cluster.serviceNetwork: 10.254.0.0/16 overlaps network.routedNetworks.1 10.254.1.0/24",
    ],
    [
      "a routed network in another",
      network({ routedNetworks: ["10.1.0.0/16", "10.1.7.0/24"] }),
      "network.routedNetworks.0: 10.1.0.0/16 overlaps network.routedNetworks.1 10.1.7.0/24",
    ],
    ["an API without a port", cluster({ apiPort: 0 }), "cluster.apiPort: must be at least 1, not 0"],
    ["an API port as text", cluster({ apiPort: "8443" }), 'cluster.apiPort: must be a number, not "8443"'],
    ["the API on etcd's port", cluster({ apiPort: 2379 }), "cluster.apiPort: 2379 is the port of etcd"],
    [
      "the API on Docker's port",
      cluster({ apiPort: 2376 }),
      "cluster.apiPort: 2376 is the port of Docker Engine",
    ],
    [
      "the API on the kubelet's port",
      cluster({ apiPort: 10250 }),
      "cluster.apiPort: 10250 is the port of the kubelet",
    ],
    [
      "the API among the node ports",
      cluster({ apiPort: 31000 }),
      "cluster.apiPort: 31000 is one of the node ports, 30000 to 32767",
    ],
    [
      "the kubelet on the API's port",
      { ...cluster({ apiPort: 8443 }), kubelet: { port: 8443 } },
      "cluster.apiPort: 8443 is the port of the kubelet",
    ],
    ["the kubelet on SSH's port", { kubelet: { port: 22 } }, "kubelet.port: 22 is the port of sshd"],
    ["no kubelet", { kubelet: { port: 0 } }, "kubelet.port: must be a port, 1 to 65535, not 0"],
    [
      "a kubelet's port as text",
      { kubelet: { port: "10250" } },
      'kubelet.port: must be a port, 1 to 65535, not "10250"',
    ],
    [
      "a relative folder of certificates",
      cluster({ certificateFolder: "etc/pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder with a slash at its end",
      cluster({ certificateFolder: "/etc/pki/" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder with ..",
      cluster({ certificateFolder: "/etc/../pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder that is gone after a boot",
      cluster({ certificateFolder: "/run/pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    ["all of /etc", cluster({ certificateFolder: "/etc" }), `cluster.certificateFolder: ${noFolder}`],
    [
      "a folder with a blank",
      cluster({ certificateFolder: "/etc/my pki" }),
      `cluster.certificateFolder: ${noFolder}`,
    ],
    [
      "a folder whose path is too long for a volume's name",
      cluster({ certificateFolder: `/etc/${"x".repeat(54)}` }),
      "cluster.certificateFolder: must have at most 58 characters",
    ],
    [
      "the kubelet's own folder",
      cluster({ certificateFolder: "/etc/kubernetes/manifests" }),
      `cluster.certificateFolder: ${takenFolder}`,
    ],
    [
      "a folder in etcd's",
      cluster({ certificateFolder: "/var/lib/etcd/pki" }),
      `cluster.certificateFolder: ${takenFolder}`,
    ],
  ])("%s", (_title, changes, problem) => {
    expect(problemsOf({ ...stackSettings, ...changes })).toEqual([problem]);
  });
});

describe("right settings", () => {
  it("take a node's key pair and security groups before the machines'", () => {
    const { controlPlane, workers } = planOf({
      ...machine({ keyPair: "ours", securityGroups: ["office", "backup"] }),
      ...worker({ keyPair: "mine", securityGroups: [] }),
    });
    expect(controlPlane).toMatchObject({ keyPair: "ours", securityGroups: ["office", "backup"] });
    expect(workers[0]).toMatchObject({ keyPair: "mine", securityGroups: [] });
  });

  it("give a machine no key pair and no groups of one's own by themselves", () => {
    expect(planOf().controlPlane).toMatchObject({ keyPair: undefined, securityGroups: [] });
  });

  it("give an existing subnet's addresses up to the last, also the router's usual one", () => {
    const nodes = {
      "cp-1": { role: "control-plane", slot: 1 },
      "worker-1": { role: "worker", slot: 254 },
    };
    const { workers } = planOf({ ...network({ existing }), nodes });
    expect(workers[0]!.address).toBe("10.0.0.254");
  });

  it("take other ports for the API and the kubelet, and 443", () => {
    expect(checked({ ...cluster({ apiPort: 8443 }), kubelet: { port: 10350 } }).settings.kubelet).toEqual({
      port: 10350,
    });
    expect(checked(cluster({ apiPort: 443 })).settings.cluster.apiPort).toBe(443);
  });
});

describe("the folder of certificates", () => {
  const folder = "/srv/acme/certs-1.d";
  const plan = planOf(cluster({ certificateFolder: folder }));

  it("is the only one that a node's files name", () => {
    for (const { files } of plan.nodes) {
      const named = Object.entries(files).filter(([, { content }]) => content.includes(folder));
      expect(named.length).toBeGreaterThan(3);
      for (const [path, { content }] of Object.entries(files))
        expect(content, path).not.toContain("/etc/kubernetes/pki");
    }
  });

  it("differs from the usual one in nothing else", () => {
    const usual = planOf();
    for (const [index, { files }] of plan.nodes.entries()) {
      for (const [path, { content }] of Object.entries(files)) {
        const volumes = content.replaceAll("srv-acme-certs-1-d", "etc-kubernetes-pki");
        expect(volumes.replaceAll(folder, "/etc/kubernetes/pki"), path).toBe(
          usual.nodes[index]!.files[path]!.content,
        );
      }
    }
  });

  it("makes names of volumes that Kubernetes takes", () => {
    const manifest = plan.controlPlane.files["/etc/kubernetes/manifests/kube-apiserver.yaml"]!.content;
    const names = [...manifest.matchAll(/^ +- name: (\S+)$/gm)].map(([, name]) => name!);
    expect(names).toContain("srv-acme-certs-1-d");
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });
});
