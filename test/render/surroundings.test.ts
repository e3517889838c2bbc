import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { coredns } from "../../model/addons/coredns.ts";
import { nodeLocalDns } from "../../model/addons/node-local-dns.ts";
import { bundle } from "../../model/bundle.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";

const plain = planOf();
const http = "http://proxy.example.org:3128";

/** The files of a worker that settings change or add. */
function changed(settings: Record<string, unknown>) {
  const before = plain.workers[0]!.files;
  const after = planOf(settings).workers[0]!.files;
  expect(Object.keys(before).filter((path) => !(path in after))).toEqual([]);
  return Object.fromEntries(
    Object.entries(after).filter(([path, { content }]) => before[path]?.content !== content),
  );
}

describe("a proxy", () => {
  it("changes what the snapshot says", async () => {
    const files = changed({
      cluster: { ...stackSettings.cluster, domain: "k8s.example.org" },
      proxy: { http, https: "https://192.0.2.1", noProxy: [".example.net", "192.0.2.0/24"] },
    });
    const ofProxy = Object.fromEntries(Object.entries(files).filter(([path]) => path.includes("proxy.")));
    await expect(bundle(ofProxy)).toMatchFileSnapshot("snapshots/worker-proxy.txt");
  });

  it("for http alone is none for https", () => {
    const environment = changed({ proxy: { http } })["/etc/openstack-kubernetes/proxy.env"]!.content;
    expect(environment.split("\n").map((line) => line.split("=")[0])).toEqual([
      "HTTP_PROXY",
      "http_proxy",
      "NO_PROXY",
      "no_proxy",
      "",
    ]);
  });

  it("is never asked for cluster, node and service network, the cluster's domain and localhost", () => {
    const settings = {
      cluster: {
        ...stackSettings.cluster,
        podNetwork: "10.64.0.0/14",
        serviceNetwork: "10.20.0.0/20",
        domain: "a.b",
      },
      network: {
        externalNetwork: "public",
        nodeNetwork: "192.168.4.0/22",
        routedNetworks: ["192.168.0.0/24"],
      },
      proxy: { https: http },
    };
    const { files } = planOf(settings).controlPlane;
    const [, list] = /^no_proxy=(.*)$/m.exec(files["/etc/openstack-kubernetes/proxy.env"]!.content)!;
    expect(list!.split(",")).toEqual([
      ...[
        "localhost",
        "127.0.0.0/8",
        "169.254.169.254",
        "192.168.4.0/22",
        "10.64.0.0/14",
        "10.20.0.0/20",
        "192.168.0.0/24",
        ".svc",
        ".a.b",
      ],
    ]);
    for (const service of ["containerd", "docker", "kubelet"]) {
      expect(files[`/etc/systemd/system/${service}.service.d/proxy.conf`]!.content).toBe(
        `[Service]\nEnvironment="HTTPS_PROXY=${http}"\nEnvironment="NO_PROXY=${list}"\n`,
      );
    }
  });

  it("knows no node by name where a node more would restart the services of all others", () => {
    for (const { content } of Object.values(changed({ proxy: { http } })))
      expect(content).not.toMatch(/worker-2|cp-1/);
  });
});

describe("NTP servers", () => {
  it("are systemd-timesyncd's, which is installed for them", () => {
    const files = changed({ ntp: { servers: ["192.0.2.123", "ntp.example.org"] } });
    expect(Object.keys(files).sort()).toEqual([
      "/etc/openstack-kubernetes/packages",
      "/etc/openstack-kubernetes/steps",
      "/etc/systemd/timesyncd.conf.d/openstack-kubernetes.conf",
    ]);
    expect(files["/etc/systemd/timesyncd.conf.d/openstack-kubernetes.conf"]!.content).toBe(
      "[Time]\nNTP=192.0.2.123 ntp.example.org\n",
    );
    expect(files["/etc/openstack-kubernetes/packages"]!.content).toMatch(/^systemd-timesyncd$/m);
    expect(files["/etc/openstack-kubernetes/steps"]!.content).toMatch(/^docker\nclock\npod_routes$/m);
  });
});

describe("upstream name servers", () => {
  const forward = (settings: Record<string, unknown>) =>
    /forward \. (.*) \{/.exec(coredns(planOf(settings)).configMap.data.Corefile)![1];

  it("are CoreDNS's own, and the machine's where there are none", () => {
    expect(forward({ dns: { upstream: ["192.0.2.53", "192.0.2.54"] } })).toBe("192.0.2.53 192.0.2.54");
    expect(forward({})).toBe("/etc/resolv.conf");
  });

  it("change no file of a node", () => {
    expect(changed({ dns: { upstream: ["192.0.2.53"] } })).toEqual({});
  });
});

describe("a DNS cache on each node", () => {
  const settings = { dns: { nodeLocalCache: true } };

  it("is what the snapshot says", async () => {
    await expect(JSON.stringify(nodeLocalDns(planOf(settings)), null, 2)).toMatchFileSnapshot(
      "snapshots/node-local-dns.txt",
    );
  });

  it("has its address on every machine, and is what pods ask first", () => {
    const files = changed(settings);
    expect(Object.keys(files).sort()).toEqual([
      "/etc/kubernetes/kubelet.yaml",
      "/etc/systemd/network/70-node-local-dns.network",
    ]);
    expect(files["/etc/systemd/network/70-node-local-dns.network"]!.content).toContain(
      "[Network]\nAddress=169.254.20.10/32\n",
    );
    const { clusterDNS } = parse(files["/etc/kubernetes/kubelet.yaml"]!.content) as { clusterDNS: string[] };
    expect(clusterDNS).toEqual(["169.254.20.10", "10.254.0.10"]);
  });
});
