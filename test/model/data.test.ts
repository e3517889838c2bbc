import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import officialChecksums from "../../model/checksums.json" with { type: "json" };
import { clusterCertificates, nodeSubject, type CertificateSpec } from "../../model/certificates.ts";
import { downloadsOf, parseChecksums } from "../../model/downloads.ts";
import { kubeconfig } from "../../model/files/kubeconfig.ts";
import { merge, type JsonObject } from "../../model/merge.ts";
import { securityRules } from "../../model/security-rules.ts";
import { userData } from "../../model/user-data.ts";
import { releases } from "../../model/versions.ts";
import { toYaml } from "../../model/yaml.ts";
import { planOf } from "../helpers/cluster.ts";

describe("parseChecksums", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(64)];

  it("reads what sha256sum writes", () => {
    expect(parseChecksums(`${a}  dl.k8s.io/v1/kubelet\n${b} *./github.com/x.tgz\n\n`)).toEqual({
      "dl.k8s.io/v1/kubelet": a,
      "github.com/x.tgz": b,
    });
    expect(parseChecksums(`${a}  kubelet\r\n`)).toEqual({ kubelet: a });
    expect(parseChecksums("")).toEqual({});
  });

  it.each([`${a} kubelet`, "kubelet", `${a.slice(1)}  kubelet`, `${a.toUpperCase()}  kubelet`])(
    "refuses %j and says where it stands",
    (line) => {
      expect(() => parseChecksums(`${a}  good\n\n${line}\n`)).toThrow('line 3 is not "<sha256>  <path>"');
    },
  );
});

describe("the official checksums", () => {
  it("are SHA-256 of paths below the official places", () => {
    for (const [path, sum] of Object.entries(officialChecksums)) {
      expect(path).toMatch(/^(dl\.k8s\.io|github\.com)\/[^ ]+$/);
      expect(sum).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

describe("downloadsOf", () => {
  it("names the files of the official places by version", () => {
    const downloads = downloadsOf({
      kubernetesVersion: "1.36.3",
      cniPlugins: "1.9.1",
      criDockerd: "0.4.3",
      flannel: "0.28.9",
    });
    expect(downloads.map(({ path }) => path)).toEqual([
      "dl.k8s.io/v1.36.3/bin/linux/amd64/kubelet",
      "dl.k8s.io/v1.36.3/bin/linux/amd64/kube-proxy",
      "dl.k8s.io/v1.36.3/bin/linux/amd64/kubectl",
      "github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-amd64-v1.9.1.tgz",
      "github.com/Mirantis/cri-dockerd/releases/download/v0.4.3/cri-dockerd-0.4.3.amd64.tgz",
      "github.com/flannel-io/flannel/releases/download/v0.28.9/flanneld-amd64",
    ]);
  });
});

describe("merge", () => {
  const objects = fc.letrec<{ value: JsonObject }>((tie) => ({
    value: fc.dictionary(
      fc.constantFrom("a", "b", "c"),
      fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.string(),
        fc.array(fc.integer()),
        fc.constant(null),
        tie("value"),
      ),
    ),
  })).value;

  it("merges objects and replaces everything else, lists included", () => {
    expect(merge({ a: { x: 1, y: [1, 2] }, b: 1 }, { a: { y: [3] }, c: null })).toEqual({
      a: { x: 1, y: [3] },
      b: 1,
      c: null,
    });
  });

  it("has all of the overrides, keeps the rest and changes neither argument", () => {
    fc.assert(
      fc.property(objects, objects, (base, overrides) => {
        const [baseBefore, overridesBefore] = [structuredClone(base), structuredClone(overrides)];
        const merged = merge(base, overrides);
        expect(merge(merged, overrides)).toEqual(merged);
        for (const key of Object.keys(base)) if (!(key in overrides)) expect(merged[key]).toEqual(base[key]);
        expect(merge(base, {})).toEqual(base);
        expect(merge({}, overrides)).toEqual(overrides);
        expect([base, overrides]).toEqual([baseBefore, overridesBefore]);
      }),
    );
  });
});

describe("toYaml", () => {
  it.each([
    "yes",
    "no",
    "on",
    "off",
    "12:30",
    "1e3",
    "0x10",
    "null",
    "~",
    "1.36",
    "",
    "a: b",
    "two\nlines\n",
  ])("keeps the text %j text for YAML 1.1 and 1.2", (text) => {
    const yaml = toYaml({ value: text });
    expect(parse(yaml, { version: "1.1" })).toEqual({ value: text });
    expect(parse(yaml, { version: "1.2" })).toEqual({ value: text });
  });

  it("breaks no long line and makes no alias", () => {
    const shared = { text: "word ".repeat(60).trim() };
    expect(toYaml({ a: shared, b: shared }).split("\n")).toHaveLength(5);
  });
});

describe("certificates", () => {
  const certificates = clusterCertificates({
    controlPlane: { name: "cp-1", address: "10.0.0.10" },
    domain: "cluster.local",
    apiServiceAddress: "10.254.0.1",
  });

  it("have the subjects that Kubernetes asks for", () => {
    const subjects = (Object.values(certificates) as CertificateSpec[]).map(
      ({ authority, commonName, organization, usages }) =>
        [authority, commonName, organization ?? "-", usages.join("+")].join(" "),
    );
    expect(subjects).toMatchInlineSnapshot(`
      [
        "etcd kube-etcd - server_auth+client_auth",
        "etcd kube-etcd-peer - server_auth+client_auth",
        "etcd kube-etcd-healthcheck-client - client_auth",
        "etcd kube-apiserver-etcd-client - client_auth",
        "kubernetes kube-apiserver - server_auth",
        "kubernetes kube-apiserver-kubelet-client openstack-kubernetes:kubelet-clients client_auth",
        "front-proxy front-proxy-client - client_auth",
        "kubernetes kubernetes-admin kubeadm:cluster-admins client_auth",
        "kubernetes kubernetes-super-admin system:masters client_auth",
        "kubernetes system:kube-controller-manager - client_auth",
        "kubernetes system:kube-scheduler - client_auth",
        "kubernetes system:kube-proxy - client_auth",
        "docker docker-client - client_auth",
      ]
    `);
  });

  it("name the API by all that reaches it", () => {
    expect(certificates.apiserver).toMatchObject({
      dnsNames: [
        "cp-1",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
      ],
      ipAddresses: ["10.0.0.10", "10.254.0.1", "127.0.0.1"],
    });
  });

  it("have sorted names and addresses, since another order would replace them", () => {
    const subjects = [...Object.values(certificates), nodeSubject("worker-1", "10.0.0.11")];
    for (const { dnsNames = [], ipAddresses = [] } of subjects as {
      dnsNames?: string[];
      ipAddresses?: string[];
    }[]) {
      expect(dnsNames).toEqual([...dnsNames].sort());
      expect(ipAddresses).toEqual([...ipAddresses].sort());
    }
  });

  it("make a node the node of its name", () => {
    expect(nodeSubject("worker-1", "10.0.0.11")).toEqual({
      commonName: "system:node:worker-1",
      organization: "system:nodes",
      dnsNames: ["worker-1"],
      ipAddresses: ["10.0.0.11", "127.0.0.1"],
    });
  });
});

describe("user data", () => {
  it("has the machine's host key and who may log in, and nothing else", () => {
    const privateKey = "-----BEGIN KEY-----\nx\n-----END KEY-----\n";
    const text = userData({
      hostKey: { private: privateKey, public: "ssh-ed25519 AAAA host\n" },
      authorizedKeys: ["ssh-ed25519 BBBB me\n"],
    });
    expect(text.split("\n")[0]).toBe("#cloud-config");
    expect(parse(text)).toEqual({
      ssh_deletekeys: true,
      ssh_genkeytypes: [],
      ssh_keys: {
        ed25519_private: privateKey,
        ed25519_public: "ssh-ed25519 AAAA host",
      },
      ssh_authorized_keys: ["ssh-ed25519 BBBB me"],
    });
  });
});

describe("security rules", () => {
  const rules = (access: object) =>
    securityRules(planOf({ network: { externalNetwork: "public", access } }).settings);

  it("let nodes and pods reach all, the world SSH, the API and node ports", () => {
    const all = Object.entries(rules({})).flatMap(([group, list]) =>
      list.map(({ protocol = "any", ports, remoteIpPrefix }) =>
        [group, protocol, ports ? `${ports.min}-${ports.max}` : "all", remoteIpPrefix].join(" "),
      ),
    );
    expect(all).toEqual([
      "node any all 10.0.0.0/24",
      "node any all 10.100.0.0/16",
      "node icmp all 0.0.0.0/0",
      "node tcp 22-22 0.0.0.0/0",
      "node tcp 30000-32767 0.0.0.0/0",
      "node udp 30000-32767 0.0.0.0/0",
      "control-plane tcp 6443-6443 0.0.0.0/0",
    ]);
  });

  it("close what has no network and open Docker where asked", () => {
    const { node, "control-plane": controlPlane } = rules({
      ssh: [],
      api: [],
      nodePorts: [],
      docker: ["192.0.2.0/24"],
    });
    expect(controlPlane).toEqual([]);
    expect(node.filter(({ ports }) => ports !== undefined)).toEqual([
      {
        name: "docker-192-0-2-0-24",
        protocol: "tcp",
        ports: { min: 2376, max: 2376 },
        remoteIpPrefix: "192.0.2.0/24",
      },
    ]);
  });

  it.each([
    ["vxlan", false],
    ["host-gw", true],
  ])("with flannel's %s let pods' own addresses in: %s", (backend, letIn) => {
    const flannel = { externalNetwork: "public", routing: "flannel", flannel: { backend } };
    const { node } = securityRules(planOf({ network: flannel }).settings);
    expect(node.some(({ remoteIpPrefix }) => remoteIpPrefix === "10.100.0.0/16")).toBe(letIn);
    // Flannel's packets between nodes, VXLAN's among them.
    expect(node).toContainEqual({ name: "nodes", remoteIpPrefix: "10.0.0.0/24" });
  });

  it("have names of their own in a group", () => {
    const { node } = rules({ ssh: ["10.1.0.0/16", "10.2.0.0/16"], nodePorts: ["10.1.0.0/16"] });
    const names = node.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("kubeconfig", () => {
  it("takes certificates from files or as data", () => {
    const text = kubeconfig({
      server: "https://192.0.2.7:6443",
      cluster: "demo",
      user: "me",
      authority: { file: "/ca.crt" },
      certificate: { data: "Y2VydA==" },
      key: { file: "/me.key" },
    });
    expect(parse(text)).toEqual({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "demo", cluster: { server: "https://192.0.2.7:6443", "certificate-authority": "/ca.crt" } },
      ],
      users: [{ name: "me", user: { "client-certificate-data": "Y2VydA==", "client-key": "/me.key" } }],
      contexts: [{ name: "demo", context: { cluster: "demo", user: "me" } }],
      "current-context": "demo",
    });
  });
});

it("every supported minor version has its etcd, CoreDNS and pause", () => {
  expect(Object.keys(releases)).toEqual(["1.35", "1.36", "1.37"]);
  for (const { etcd, coredns, pause } of Object.values(releases)) {
    expect([etcd, coredns, pause].join(" ")).toMatch(/^3\.\d+\.\d+-\d+ v1\.\d+\.\d+ 3\.\d+(\.\d+)?$/);
  }
});
