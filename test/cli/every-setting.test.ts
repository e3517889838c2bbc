import { describe, expect, it } from "vitest";
import { differencesOf } from "../../cli/plan/differences.ts";
import { overview, type Overview } from "../../cli/plan/overview.ts";
import { settingsPage } from "../../cli/settings-docs.ts";
import { check } from "../../model/checks.ts";
import { plan } from "../../model/plan.ts";
import { checksums, checksumsFile, stackSettings } from "../helpers/cluster.ts";

// A change that the offline plan does not show would pass for none.

const worker = (settings: object) => ({ "worker-1": { role: "worker", slot: 11, ...settings } });
const taint = { key: "example.org/disk", value: "fast", effect: "NoSchedule" };
const existing = { network: "office", subnet: "office-a", router: "gate" };

/** What is changed, one setting at a time; a path in a node or a pool is that of worker-1 or batch. */
const base = {
  ...stackSettings,
  nodes: { ...stackSettings.nodes, ...worker({ taints: [taint] }) },
  pools: { batch: { count: 1, slots: "30-39", taints: [taint] } },
};

/** Another value for each setting. */
const changes: Record<string, unknown> = {
  phase: "docker",
  "cluster.name": "other",
  "cluster.kubernetesVersion": "1.35.4",
  "cluster.domain": "example.org",
  "cluster.podNetwork": "10.128.0.0/16",
  "cluster.nodePodPrefix": 25,
  "cluster.serviceNetwork": "10.96.0.0/16",
  "cluster.dnsAddress": "10.254.0.20",
  "cluster.apiPort": 8443,
  "cluster.certificateFolder": "/etc/kubernetes/ssl",
  "network.externalNetwork": "other",
  "network.floatingPool": "pool",
  "network.nodeNetwork": "10.1.0.0/24",
  "network.existing": existing,
  "network.existing.network": "other",
  "network.existing.subnet": "other",
  "network.existing.router": "other",
  "network.routedNetworks": ["10.30.0.0/16"],
  "network.nameServers": ["10.0.0.2"],
  "network.routing": "flannel",
  "network.flannel.backend": "host-gw",
  "network.access.ssh": ["10.30.0.0/16"],
  "network.access.api": ["10.30.0.0/16"],
  "network.access.nodePorts": ["10.30.0.0/16"],
  "network.access.docker": ["10.30.0.0/16"],
  "machine.image": "other",
  "machine.flavor": "other",
  "machine.availabilityZone": "other",
  "machine.keyPair": "other",
  "machine.securityGroups": ["other"],
  "nodes.<name>.slot": 20,
  "nodes.<name>.podNetwork": "10.100.77.0/24",
  "nodes.<name>.labels": { disk: "fast" },
  "nodes.<name>.taints": [],
  "nodes.<name>.taints[].key": "example.org/other",
  "nodes.<name>.taints[].value": "slow",
  "nodes.<name>.taints[].effect": "NoExecute",
  "nodes.<name>.image": "other",
  "nodes.<name>.flavor": "other",
  "nodes.<name>.availabilityZone": "other",
  "nodes.<name>.keyPair": "other",
  "nodes.<name>.securityGroups": ["other"],
  "pools.<name>.count": 2,
  "pools.<name>.slots": "40-49",
  "pools.<name>.remove": [1],
  "pools.<name>.availabilityZones": ["other"],
  "pools.<name>.serverGroup": "anti-affinity",
  "pools.<name>.labels": { disk: "fast" },
  "pools.<name>.taints": [],
  "pools.<name>.taints[].key": "example.org/other",
  "pools.<name>.taints[].value": "slow",
  "pools.<name>.taints[].effect": "NoExecute",
  "pools.<name>.image": "other",
  "pools.<name>.flavor": "other",
  "pools.<name>.keyPair": "other",
  "pools.<name>.securityGroups": ["other"],
  "certificates.leafHours": 24 * 90,
  "certificates.authorityHours": 8760 * 5,
  "certificates.renewHours": 720,
  "certificates.epochs.kubernetes.trusted": [1, 2],
  "certificates.epochs.kubernetes.signing": 2,
  "certificates.epochs.etcd.trusted": [1, 2],
  "certificates.epochs.etcd.signing": 2,
  "certificates.epochs.front-proxy.trusted": [1, 2],
  "certificates.epochs.front-proxy.signing": 2,
  "certificates.epochs.docker.trusted": [1, 2],
  "certificates.epochs.docker.signing": 2,
  "certificates.epochs.service-account.trusted": [1, 2],
  "certificates.epochs.service-account.signing": 2,
  runtime: "docker",
  "rollout.maxUnavailable": 2,
  "rollout.drainSeconds": 60,
  "rollout.forceDrain": true,
  proxy: { http: "http://proxy.example.org:3128" },
  "proxy.http": "http://other.example.org:3128",
  "proxy.https": "http://proxy.example.org:3128",
  "proxy.noProxy": [".example.org"],
  "ntp.servers": ["ntp.example.org"],
  "dns.upstream": ["10.0.0.2"],
  "dns.nodeLocalCache": true,
  loadBalancers: { other: { listeners: { a: { port: 80, nodePort: 30080 } } } },
  "loadBalancers.<name>.floatingAddress": false,
  "loadBalancers.<name>.provider": "amphora",
  "loadBalancers.<name>.listeners": { other: { port: 80, nodePort: 30080 } },
  "loadBalancers.<name>.listeners.<name>.protocol": "HTTP",
  "loadBalancers.<name>.listeners.<name>.port": 443,
  "loadBalancers.<name>.listeners.<name>.nodePort": 30443,
  "loadBalancers.<name>.listeners.<name>.method": "SOURCE_IP",
  "loadBalancers.<name>.listeners.<name>.allowedCidrs": ["192.0.2.0/24"],
  "loadBalancers.<name>.listeners.<name>.healthCheck.type": "HTTP",
  "loadBalancers.<name>.listeners.<name>.healthCheck.path": "/healthz",
  "loadBalancers.<name>.listeners.<name>.healthCheck.delay": 10,
  "loadBalancers.<name>.listeners.<name>.healthCheck.timeout": 1,
  "loadBalancers.<name>.listeners.<name>.healthCheck.maxRetries": 1,
  "ssh.user": "ubuntu",
  "ssh.authorizedKeys": ["ssh-ed25519 AAAA"],
  "downloads.kubernetes": "https://mirror.example.org",
  "downloads.github": "https://mirror.example.org",
  "packages.sources": "Types: deb\n",
  "images.registry": "registry.example.org",
  "images.plainHttp": true,
  kubelet: { maxPods: 50 },
  "kubeProxy.mode": "iptables",
  "kubeProxy.config": { conntrack: { min: 0 } },
  "apiServer.extraArgs": { "event-ttl": "2h" },
  "etcd.snapshots": { every: 24, keep: 7 },
  "etcd.snapshots.every": 24,
  "etcd.snapshots.keep": 7,
};

/** Not changed alone: they only hold others, have one possible value here, name a file for its content, or allow a change. */
const others = [
  "allowDisruption",
  "network.access",
  "network.flannel",
  "machine",
  "nodes",
  "nodes.<name>",
  "nodes.<name>.role",
  "pools",
  "pools.<name>",
  "loadBalancers.<name>.listeners.<name>",
  "loadBalancers.<name>.listeners.<name>.healthCheck",
  "downloads.checksums",
];

/** The base, with what a setting builds on, such as an existing network, and with the setting changed or not. */
function overviewWith(path: string, changed: boolean): Overview {
  const settings = structuredClone(base) as Record<string, unknown>;
  if (path.startsWith("network.existing.")) settings.network = { ...base.network, existing: { ...existing } };
  if (path.startsWith("network.flannel.")) settings.network = { ...base.network, routing: "flannel" };
  if (path.startsWith("proxy.")) settings.proxy = { http: "http://proxy.example.org:3128" };
  if (path.endsWith(".signing")) {
    const epochs = { [path.split(".")[2]!]: { trusted: [1, 2] } };
    settings.certificates = { epochs };
  }
  if (path.startsWith("loadBalancers.<name>")) {
    const health = { type: path.endsWith(".type") ? undefined : "HTTP" };
    settings.loadBalancers = {
      web: { listeners: { http: { port: 80, nodePort: 30080, healthCheck: health } } },
    };
  }
  const keys = path
    .replace("nodes.<name>", "nodes.worker-1")
    .replace("pools.<name>", "pools.batch")
    .replace(/<name>(.*)<name>/, "web$1http")
    .replace("<name>", "web")
    .replace("[]", ".0")
    .split(".");
  const last = keys.pop()!;
  let owner = settings;
  for (const key of keys) owner = (owner[key] ??= {}) as Record<string, unknown>;
  if (changed) owner[last] = changes[path];
  const downloads = { ...(settings.downloads as object | undefined), checksums: "SHA256SUMS" };
  const sums = { ...checksums(), ...checksums("1.35.4") };
  const { settings: right, checksums: all } = check({ ...settings, downloads }, () => checksumsFile(sums));
  return overview("demo", plan(right, all), []);
}

describe("a change of a setting shows in the differences", () => {
  it.each(Object.keys(changes))("%s", (path) => {
    const before = overviewWith(path, false);
    expect(differencesOf(before, overviewWith(path, false)).differences).toEqual([]);
    expect(differencesOf(before, overviewWith(path, true)).differences).not.toEqual([]);
  });

  it("and the settings above are all that there are", () => {
    const settings = [...settingsPage().matchAll(/^\| `([^`]+)`/gm)].map(([, setting]) => setting);
    expect([...Object.keys(changes), ...others].sort()).toEqual(settings.sort());
  });
});
