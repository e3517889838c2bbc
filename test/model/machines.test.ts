import { describe, expect, it } from "vitest";
import { checked, planOf, stackSettings } from "../helpers/cluster.ts";

// Names, machines, networks, ports and folders: what a stack may choose; bad-values/ has what it may not.

const cluster = (settings: object) => ({ cluster: { ...stackSettings.cluster, ...settings } });
const network = (settings: object) => ({ network: { ...stackSettings.network, ...settings } });
const machine = (settings: object) => ({ machine: { ...stackSettings.machine, ...settings } });
const worker = (settings: object) => ({
  nodes: { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, ...settings } },
});
const existing = { network: "office", subnet: "office-a", router: "office" };

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
