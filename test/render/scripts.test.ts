import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { execaSync } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Files } from "../../model/bundle.ts";
import { readyInput, removeNode, waitUntilReady } from "../../model/commands.ts";
import { downloadsOf } from "../../model/downloads.ts";
import { plan, type ClusterPlan } from "../../model/plan.ts";
import type { Settings } from "../../model/settings.ts";
import { cniPlugins, criDockerd, flannel } from "../../model/versions.ts";
import { checked, kubernetesVersion } from "../helpers/cluster.ts";
import { Machine } from "../helpers/machine.ts";

// The scripts of a node on a machine whose system programs are stand-ins that write down how they were called.

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
  machine.write("/calls", "");
  const recorded = (name: string, script = "") =>
    machine.program(name, `echo "${name} $*" >>/calls\n${script}`);
  recorded(
    "systemctl",
    `case "$*" in
      *is-active*systemd-resolved*) exit 3 ;;
      *is-active*) [ -e "/run/active.\${!#}" ] ;;
      *is-enabled*) [ -e "/run/enabled.\${!#}" ] ;;
      enable*) touch "/run/enabled.\${!#}" ;;
      restart*) [ ! -e /fail-restart ] || exit 1; touch "/run/active.\${!#}" ;;
    esac`,
  );
  recorded("networkctl");
  recorded("apt-get", "touch /run/packages");
  recorded("dpkg");
  recorded(
    "curl",
    `case "\${!#}" in */livez) [ ! -e /api-down ]; exit ;; esac
    while [ $# -gt 1 ]; do [ "$1" != -o ] || out=$2; shift; done; cp "/mirror/\${1#https://}" "$out"`,
  );
  machine.program("dpkg-query", "[ ! -e /run/packages ] || echo installed");
  recorded(
    "ip",
    `case "$*" in
      *"show to "*) echo "2: eth0    inet 10.0.0.10/24 brd 10.0.0.255 scope global eth0" ;;
      *cbr0*) echo "3: cbr0    inet 10.100.10.1/24 scope global cbr0"; echo "3: cbr0    inet 10.100.11.1/24" ;;
    esac`,
  );
  machine.write("/sys/class/net/eth0/mtu", "1450\n");
  machine.write("/var/lib/cloud/data/instance-id", "instance-1\n");
});
afterEach(() => {
  machine.remove();
});

/** Calls of a system program since the last time this was asked. */
function calls(program: string, matching = /./): string[] {
  const all = readFileSync(machine.path("/calls"), "utf8").split("\n");
  return all.filter((line) => line.startsWith(`${program} `) && matching.test(line));
}
const restarted = () =>
  calls("systemctl", / restart /).map((line) => line.split(" ").at(-1)!.replace(".service", ""));
const downloaded = (matching = /./) => calls("curl", / -L /).filter((line) => matching.test(line));
const forget = () => writeFileSync(machine.path("/calls"), "");

/** Stands in for kubectl: a test decides what it does. */
const kubectl = `#!/bin/bash
echo "kubectl $*" >>/calls
[ ! -e /api-down ] && { [ ! -e /kubectl ] || . /kubectl "$@"; }
`;

/** Puts what a node downloads onto the machine's mirror; the checksums of it. */
function mirror({ runtime, network }: Settings): Record<string, string> {
  const versions = {
    kubernetesVersion,
    cniPlugins,
    criDockerd: runtime === "docker" ? criDockerd : undefined,
    flannel: network.routing === "flannel" ? flannel : undefined,
  };
  return Object.fromEntries(
    downloadsOf(versions).map(({ path, members }) => {
      const target = `/mirror/${path}`;
      if (members === undefined)
        machine.write(target, path.endsWith("/kubectl") ? kubectl : `program ${path}\n`);
      else {
        for (const member of members)
          machine.write(`/unpacked/${path}/some/folder/${member}`, `program ${member}\n`);
        machine.write(target, "");
        execaSync("tar", [
          "-C",
          machine.path(`/unpacked/${path}`),
          "--sort=name",
          "--mtime=@0",
          "-czf",
          machine.path(target),
          ".",
        ]);
      }
      return [
        path,
        createHash("sha256")
          .update(readFileSync(machine.path(target)))
          .digest("hex"),
      ];
    }),
  );
}

function planned(changes: Record<string, unknown> = {}): ClusterPlan {
  const { settings } = checked(changes);
  return plan(settings, mirror(settings));
}

/** Puts a node's files where install-files.sh would. */
function place(files: Files) {
  for (const [path, { content, mode }] of Object.entries(files)) machine.write(path, content, mode);
}

function placeSecrets(text: string, folder = "/etc/kubernetes/pki") {
  const names = ["ca.crt", "kubelet.crt", "kube-proxy.crt"].map((name) => `${folder}/${name}`);
  for (const path of [...names, "/etc/docker/tls/ca.pem"]) machine.write(path, `certificate ${text}\n`);
}

async function converge({ controlPlane, workers }: ClusterPlan, role = "control-plane") {
  place((role === "worker" ? workers[0]! : controlPlane).files);
  return await machine.run("/usr/local/lib/openstack-kubernetes/converge.sh");
}

const done = { exitCode: 0, stdout: "", stderr: "" };
const services = ["pod-network", "containerd", "kubelet", "kube-proxy", "docker"];

describe("converge.sh", () => {
  beforeEach(() => {
    placeSecrets("1");
  });

  it("brings a bare machine up: packages, downloads, services in their order, the API's first objects", async () => {
    expect(await converge(planned())).toEqual(done);
    expect(calls("apt-get", / install /)[0]).toMatch(/ ca-certificates conntrack containerd .* nftables$/);
    expect(restarted()).toEqual(services);
    for (const path of [
      "/usr/local/bin/kubelet",
      "/usr/local/bin/kubectl",
      "/opt/cni/bin/bridge",
      "/opt/cni/bin/portmap",
    ]) {
      expect(statSync(machine.path(path)).mode & 0o777, path).toBe(0o755);
    }
    expect(calls("kubectl", / apply /)[0]).toContain("-f /etc/kubernetes/bootstrap");
  });

  it("keeps packages from starting services that it starts itself", async () => {
    await converge(planned());
    const all = readFileSync(machine.path("/calls"), "utf8").split("\n");
    const line = (pattern: RegExp) => all.findIndex((call) => pattern.test(call));
    const order = [
      line(/^systemctl .*--runtime mask .*docker\.service/),
      line(/^apt-get .* install /),
      line(/^systemctl .*--runtime .*unmask .*docker\.service/),
      line(/^systemctl daemon-reload/),
      line(/^systemctl restart containerd\.service/),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it("puts in what only the machine knows: its interface's MTU, its instance", async () => {
    await converge(planned());
    const read = (path: string) => readFileSync(machine.path(path), "utf8");
    expect(read("/etc/systemd/network/70-cbr0.netdev")).toContain("MTUBytes=1450\n");
    expect(read("/etc/systemd/system/docker.service.d/mtu.conf")).toContain("CONTAINER_MTU=1450\n");
    expect(JSON.parse(read("/etc/cni/net.d/10-cbr0.conflist"))).toMatchObject({
      plugins: [{ mtu: 1450 }, {}],
    });
    expect(read("/etc/kubernetes/kubelet.conf.d/10-machine.conf")).toContain(
      "providerID: openstack:///instance-1\nresolvConf: /etc/resolv.conf\n",
    );
  });

  it("changes nothing when run again", async () => {
    const cluster = planned();
    await converge(cluster);
    forget();
    expect(await converge(cluster)).toEqual(done);
    expect([restarted(), downloaded(), calls("apt-get")]).toEqual([[], [], []]);
  });

  it("starts cri-dockerd where Docker runs the pods", async () => {
    expect(await converge(planned({ runtime: "docker" }))).toEqual(done);
    expect(restarted()).toEqual([
      "pod-network",
      "containerd",
      "docker",
      "cri-dockerd",
      "kubelet",
      "kube-proxy",
    ]);
    expect(existsSync(machine.path("/usr/local/bin/cri-dockerd"))).toBe(true);
  });

  it("has no API to wait for and no kubectl on a worker", async () => {
    machine.write("/api-down", "");
    expect(await converge(planned(), "worker")).toEqual(done);
    expect(existsSync(machine.path("/usr/local/bin/kube-proxy"))).toBe(true);
    expect(downloaded(/kubectl/)).toEqual([]);
  });

  it.each<[string, string[], Record<string, unknown>]>([
    ["the kubelet's configuration", ["kubelet"], { kubelet: { maxPods: 50 } }],
    ["kube-proxy's", ["kube-proxy"], { kubeProxy: { mode: "iptables" } }],
    ["a network", ["pod-network"], { network: { externalNetwork: "public", nodeNetwork: "10.0.0.0/25" } }],
    [
      "a node's labels",
      ["kubelet"],
      { nodes: { "cp-1": { role: "control-plane", slot: 10, labels: { disk: "fast" } } } },
    ],
  ])("restarts only what %s changes", async (_what, units, changes) => {
    await converge(planned());
    forget();
    expect(await converge(planned(changes))).toEqual(done);
    expect(restarted()).toEqual(units);
  });

  const routing = (backend?: string) => ({
    network: {
      externalNetwork: "public",
      ...(backend === undefined ? {} : { routing: "flannel", flannel: { backend } }),
    },
  });

  it("starts flannel where it routes, and leaves room for VXLAN in the pods' packets", async () => {
    expect(await converge(planned(routing("vxlan")))).toEqual(done);
    expect(restarted()).toEqual([...services, "flanneld"]);
    expect(statSync(machine.path("/usr/local/bin/flanneld")).mode & 0o777).toBe(0o755);
    const read = (path: string) => readFileSync(machine.path(path), "utf8");
    expect(read("/etc/systemd/network/70-cbr0.netdev")).toContain("MTUBytes=1400\n");
    expect(read("/etc/systemd/system/docker.service.d/mtu.conf")).toContain("CONTAINER_MTU=1400\n");
    expect(JSON.parse(read("/etc/cni/net.d/10-cbr0.conflist"))).toMatchObject({
      plugins: [{ mtu: 1400 }, {}],
    });
    forget();
    expect(await converge(planned(routing("vxlan")))).toEqual(done);
    expect([restarted(), calls("ip", /delete|flush/)]).toEqual([[], []]);
  });

  it.each([
    ["vxlan", "host-gw", ["flanneld"]],
    ["host-gw", "vxlan", ["flanneld"]],
    ["vxlan", undefined, []],
    ["host-gw", undefined, []],
  ])("takes away what flannel's %s leaves when the routing becomes %s", async (from, to, started) => {
    await converge(planned(routing(from)));
    forget();
    expect(await converge(planned(routing(to)))).toEqual(done);
    const ended = [
      "systemctl stop flanneld.service",
      "ip link delete dev flannel.1",
      "ip -4 route flush root 10.100.0.0/16 proto boot",
    ];
    expect(calls("systemctl", / stop /).concat(calls("ip", /delete|flush/))).toEqual(ended);
    expect(restarted().filter((unit) => unit === "flanneld")).toEqual(started);
  });

  it("restarts what reads a kubeconfig when the API's address changes", async () => {
    await converge(planned(), "worker");
    forget();
    const nodes = { "cp-1": { role: "control-plane", slot: 20 }, "worker-1": { role: "worker", slot: 11 } };
    expect(await converge(planned({ nodes }), "worker")).toEqual(done);
    expect(restarted()).toEqual(["kubelet", "kube-proxy"]);
  });

  it("leaves no download running when it fails", async () => {
    machine.program("curl", "echo $$ >>/downloading; exec sleep 30");
    machine.program("apt-get", "until [ -s /downloading ]; do sleep 0.1; done; exit 1");
    const { exitCode } = await converge(planned());
    expect(exitCode).toBe(1);
  });

  it.each([
    ["/etc/kubernetes/pki", "router", []],
    ["/srv/pki", "flannel", ["flanneld"]],
  ])("puts new certificates in %s to use, with %s", async (folder, routing, more) => {
    rmSync(machine.path("/etc/kubernetes"), { recursive: true });
    const cluster = planned({
      cluster: { name: "demo", kubernetesVersion, certificateFolder: folder },
      network: { externalNetwork: "public", routing },
    });
    placeSecrets("1", folder);
    expect(await converge(cluster)).toEqual(done);
    forget();
    placeSecrets("2", folder);
    expect(await converge(cluster)).toEqual(done);
    expect(restarted()).toEqual(["kubelet", "kube-proxy", "docker", ...more]);
  });

  it("refuses a download whose checksum differs, and says which", async () => {
    const cluster = planned();
    const path = `dl.k8s.io/v${kubernetesVersion}/bin/linux/amd64/kubelet`;
    machine.write(`/mirror/${path}`, "something else\n");
    const { exitCode, stderr } = await converge(cluster);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^cp-1: packages and downloads failed; the end of \/var\/log\/openstack-kubernetes.log there:/,
    );
    expect(stderr).toContain(`checksum of https://${path} differs: expected `);
    expect(existsSync(machine.path("/usr/local/bin/kubelet"))).toBe(false);
    expect(restarted()).toEqual([]);
  });

  it("fetches again what was refused, and nothing that it has", async () => {
    const cluster = planned();
    const path = `/mirror/dl.k8s.io/v${kubernetesVersion}/bin/linux/amd64/kubectl`;
    const right = readFileSync(machine.path(path), "utf8");
    machine.write(path, "something else\n");
    await converge(cluster);
    machine.write(path, right);
    forget();
    expect(await converge(cluster)).toEqual(done);
    expect(downloaded().map((line) => line.split("/").at(-1))).toEqual([
      "kubectl",
      `cni-plugins-linux-amd64-v${cniPlugins}.tgz`,
    ]);
  });

  it("finishes after a run that failed in the middle", async () => {
    const cluster = planned();
    machine.write("/fail-restart", "");
    const failed = await converge(cluster);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("cp-1: pod network rules failed");
    rmSync(machine.path("/fail-restart"));
    forget();
    expect(await converge(cluster)).toEqual(done);
    expect(restarted()).toEqual(services);
  });

  it("says so when the machine does not have the node's address", async () => {
    machine.program("ip", "true");
    const { exitCode, stderr } = await converge(planned());
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cp-1: pod network failed");
    expect(stderr).toContain("no interface has the address 10.0.0.10");
  });
});

describe("ready.sh", () => {
  /** A cluster whose nodes have the given pod network; nodes are Ready and everything answers, unless `answer` says otherwise. */
  async function ready(podNetwork: string, answer = "") {
    const { controlPlane, nodes } = planned();
    place(controlPlane.files);
    machine.write("/usr/local/bin/kubectl", kubectl, "0755");
    machine.write("/etc/resolv.conf", "");
    machine.program("ping", 'echo "ping $*" >>/calls');
    machine.program("getent", "cat /etc/resolv.conf >>/calls");
    machine.write(
      "/kubectl",
      `case "$*" in
        *podCIDR}*) echo "${podNetwork}" ;;
        *conditions*) echo True ;;
        *patch*) [ -z "${podNetwork}" ] ;;
        ${answer}
      esac`,
    );
    forget();
    return await machine.run(waitUntilReady, readyInput(nodes));
  }

  it("sets every node's pod network and role, and asks the cluster's own DNS", async () => {
    expect(await ready("")).toEqual({ ...done, stdout: "3 nodes ready" });
    expect(
      calls("kubectl", / patch /)
        .map((line) => line.split(" --type ")[1])
        .sort(),
    ).toEqual([
      'merge -p {"spec":{"podCIDR":"10.100.10.0/24","podCIDRs":["10.100.10.0/24"]}}',
      'merge -p {"spec":{"podCIDR":"10.100.11.0/24","podCIDRs":["10.100.11.0/24"]}}',
      'merge -p {"spec":{"podCIDR":"10.100.12.0/24","podCIDRs":["10.100.12.0/24"]}}',
    ]);
    expect(
      calls("kubectl", / label /)
        .map((line) => line.split(" --overwrite ")[1])
        .sort(),
    ).toEqual([
      "node cp-1 node-role.kubernetes.io/control-plane=",
      "node worker-1 node-role.kubernetes.io/worker=",
      "node worker-2 node-role.kubernetes.io/worker=",
    ]);
    expect(
      calls("ping")
        .map((line) => line.split(" -I ")[1])
        .sort(),
    ).toEqual(["10.100.10.1 10.100.11.1", "10.100.10.1 10.100.12.1"]);
    expect(calls("nameserver")).toEqual(["nameserver 10.254.0.10"]);
  });

  it("tries again to give a node its role", async () => {
    const outcome = await ready("", '*" label "*) [ -e /labelled ] || { touch /labelled; return 1; } ;;');
    expect(outcome).toEqual({ ...done, stdout: "3 nodes ready" });
    expect(calls("kubectl", / label /).length).toBeGreaterThan(3);
  });

  it.each([
    ["router", "check the router's route to 10.100.11.0/24 and the port's allowed address pair"],
    ["flannel", "see 'journalctl -u flanneld' on worker-1 and cp-1"],
  ])("says which node pods do not reach, and where to look with %s", async (routing, advice) => {
    const { controlPlane, nodes } = planned({ network: { externalNetwork: "public", routing } });
    place(controlPlane.files);
    const script = "/usr/local/lib/openstack-kubernetes/ready.sh";
    machine.write(script, controlPlane.files[script]!.content.replace("SECONDS + 900", "SECONDS"), "0755");
    machine.write("/usr/local/bin/kubectl", kubectl, "0755");
    machine.write("/kubectl", 'case "$*" in *conditions*) echo True ;; esac');
    machine.program("ping", '[ "${!#}" != 10.100.11.1 ]');
    const { exitCode, stderr } = await machine.run(waitUntilReady, readyInput(nodes));
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `cluster not ready: pods do not reach node worker-1: ${advice}`,
    });
  });

  it("says by name which nodes have another pod network, all of them", async () => {
    const { exitCode, stderr } = await ready("10.100.99.0/24");
    expect(exitCode).toBe(1);
    expect(stderr.split("\n").sort()).toEqual(
      [
        ["cp-1", "10.100.10.0/24"],
        ["worker-1", "10.100.11.0/24"],
        ["worker-2", "10.100.12.0/24"],
      ].map(
        ([name, network]) =>
          `cluster not ready: node ${name} has another pod network than ${network}, which Kubernetes never changes; replace the node`,
      ),
    );
  });
});

describe("remove-node.sh", () => {
  /** Removes a node that the cluster knows, unless `answer` says otherwise. */
  const remove = async (answer: string) => {
    place(planned().controlPlane.files);
    machine.write("/usr/local/bin/kubectl", kubectl, "0755");
    machine.write("/kubectl", `${answer}\n[[ "$*" != *" get node "* ]] || echo node/worker-1`);
    forget();
    return await machine.run(removeNode("worker-1"));
  };

  it("drains the node, then deletes its object", async () => {
    expect(await remove("true")).toEqual(done);
    const [drain, deletion] = calls("kubectl", / (drain|delete) /);
    expect(drain).toContain("drain worker-1 --ignore-daemonsets --delete-emptydir-data");
    expect(deletion).toContain("delete node worker-1");
  });

  it("deletes a node that cannot be drained, and says so", async () => {
    const { exitCode, stdout } = await remove('[[ "$*" != *drain* ]] || return 1');
    expect(exitCode).toBe(0);
    expect(stdout).toContain("node worker-1 could not be drained and is removed all the same");
    expect(calls("kubectl", / delete /)).toHaveLength(1);
  });

  it("fails with one line where the API does not answer", async () => {
    const { exitCode, stderr } = await remove('[[ "$*" != *" get "* ]] || return 1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^removing node worker-1: the API does not answer; see \/var\/log\/openstack-kubernetes.log on \S+$/,
    );
    expect(calls("kubectl", / (drain|delete) /)).toEqual([]);
  });

  it("has nothing to do for a node that the cluster does not know", async () => {
    expect(await remove("return 0")).toEqual(done);
    expect(calls("kubectl", / (drain|delete) /)).toEqual([]);
  });

  it("fails with one line where the node's object stays", async () => {
    const { exitCode, stderr } = await remove('[[ "$*" != *" delete "* ]] || return 1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^removing node worker-1: its Node object could not be deleted; see \S+ on \S+$/);
  });
});
