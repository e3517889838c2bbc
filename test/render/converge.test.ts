import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClusterPlan } from "../../model/plan.ts";
import { readRecord } from "../../model/rollout-record.ts";
import { cniPlugins } from "../../model/versions.ts";
import { kubernetesVersion } from "../helpers/cluster.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

const restarted = () =>
  machine.calls("systemctl", / restart /).map((line) => line.split(" ").at(-1)!.replace(".service", ""));
const downloaded = (matching = /./) => machine.calls("curl", / -L /).filter((line) => matching.test(line));

function placeSecrets(text: string, folder = "/etc/kubernetes/pki") {
  const files = ["ca.crt", "etcd/ca.crt", "sa.key", "sa.pub", "kubelet.crt", "kube-proxy.crt"];
  const names = files.map((name) => `${folder}/${name}`);
  for (const path of [...names, "/etc/docker/tls/ca.pem"]) machine.write(path, `certificate ${text}\n`);
}

async function converge({ controlPlane, workers }: ClusterPlan, role = "control-plane") {
  machine.place((role === "worker" ? workers[0]! : controlPlane).files);
  return await machine.run("/usr/local/lib/openstack-kubernetes/converge.sh");
}

const timer = "etcd-snapshot.timer";
const services = ["pod-network", "containerd", "kubelet", "kube-proxy", "docker", timer];

describe("converge.sh", () => {
  beforeEach(() => {
    placeSecrets("1");
  });

  it("brings a bare machine up: packages, downloads, services in their order, the API's first objects", async () => {
    expect(await converge(machine.planned())).toEqual(done);
    expect(machine.calls("apt-get", / install /)[0]).toMatch(
      / ca-certificates conntrack containerd .* nftables$/,
    );
    expect(restarted()).toEqual(services);
    for (const path of [
      "/usr/local/bin/kubelet",
      "/usr/local/bin/kubectl",
      "/opt/cni/bin/bridge",
      "/opt/cni/bin/portmap",
    ]) {
      expect(statSync(machine.path(path)).mode & 0o777, path).toBe(0o755);
    }
    expect(machine.calls("kubectl", / apply /)[0]).toContain("-f /etc/kubernetes/bootstrap");
    expect(machine.calls("systemctl", /node-names/)).toEqual(["systemctl enable --now node-names.timer"]);
  });

  it("gives a worker's kubelet the folder that it looks into, though there is nothing in it", async () => {
    expect(await converge(machine.planned(), "worker")).toEqual(done);
    expect(readdirSync(machine.path("/etc/kubernetes/manifests"))).toEqual([]);
  });

  it("brings a machine to Docker alone in that phase, and adds Kubernetes later without a restart of it", async () => {
    rmSync(machine.path("/etc/kubernetes"), { recursive: true });
    expect(await converge(machine.planned({ phase: "docker" }))).toEqual(done);
    expect(restarted()).toEqual(["pod-network", "containerd", "docker"]);
    expect([machine.calls("curl"), machine.calls("kubectl")]).toEqual([[], []]);
    machine.forget();
    placeSecrets("1");
    expect(await converge(machine.planned())).toEqual(done);
    expect(restarted()).toEqual(["kubelet", "kube-proxy", timer]);
    expect(machine.calls("apt-get")).toEqual([]);
  });

  it("fetches packages and programs by way of the proxy", async () => {
    const proxy = { http: "http://192.0.2.1:3128" };
    machine.program("apt-get", 'touch /run/packages; env | grep -i "_proxy=" | sort >/apt-environment');
    expect(await converge(machine.planned({ proxy }))).toEqual(done);
    const names = readFileSync(machine.path("/apt-environment"), "utf8").match(/^\w+(?==)/gm);
    expect(names).toEqual(["HTTP_PROXY", "NO_PROXY", "http_proxy", "no_proxy"]);
  });

  const locks = { dpkg: "/var/lib/dpkg/lock-frontend", "apt-get": "/var/lib/apt/lists/lock" };

  /** Runs converge.sh, which waits this long, while another process has the lock that a program fails without. */
  async function convergeBeside(program: keyof typeof locks, held: number, limit: number) {
    machine.place(machine.planned().controlPlane.files);
    const script = "/usr/local/lib/openstack-kubernetes/converge.sh";
    const text = readFileSync(machine.path(script), "utf8");
    machine.write(script, text.replace("timeout 600 ", `timeout ${limit} `), "0755");
    const right = readFileSync(machine.path(`/usr/local/bin/${program}`), "utf8");
    machine.program(program, `[ -e /released ] || { echo "held by another"; exit 2; }\n${right}`);
    machine.write(locks[program], "");
    return await machine.run(`python3 -c '
import fcntl, time
lock = open("${locks[program]}", "a")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("/held", "w")
time.sleep(${held})
open("/released", "w")' &
      until [ -e /held ]; do sleep 0.05; done
      code=0; ${script} || code=$?; kill $!; exit $code`);
  }

  it.each(["dpkg", "apt-get"] as const)("waits for the lock that %s does not wait for", async (program) => {
    expect((await convergeBeside(program, 1, 600)).exitCode).toBe(0);
    expect(machine.calls("apt-get", / install /)).toHaveLength(1);
  });

  it("says what to do where another process keeps a lock", async () => {
    const { exitCode, stderr } = await convergeBeside("dpkg", 15, 1);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /waited for \/var\/lib\/dpkg\/lock-frontend in vain: end what has it.*\nheld by another/,
    );
  });

  it("keeps packages from starting services that it starts itself", async () => {
    await converge(machine.planned());
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
    await converge(machine.planned());
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

  it("waits until the API that answers is that of the new manifest", async () => {
    machine.program("ps", "echo asked >>/asked; [ $(wc -l </asked) -gt 3 ] && echo 0 || echo 1000");
    expect(await converge(machine.planned())).toEqual(done);
    const asked = readFileSync(machine.path("/asked"), "utf8").trim().split("\n");
    expect(asked.length).toBeGreaterThan(3);
  });

  it("leaves a record of its steps and of what they restarted, once it has come to its end", async () => {
    const record = () =>
      readRecord(readFileSync(machine.path("/var/lib/openstack-kubernetes/converged"), "utf8"));
    const cluster = machine.planned();
    machine.write("/fail-restart", "");
    await converge(cluster);
    expect(existsSync(machine.path("/var/lib/openstack-kubernetes/converged"))).toBe(false);
    rmSync(machine.path("/fail-restart"));
    await converge(cluster);
    const steps =
      cluster.controlPlane.files["/etc/openstack-kubernetes/steps"]!.content.trimEnd().split("\n");
    expect(record().phases.map(({ name }) => name)).toEqual(steps.map((step) => step.replaceAll("_", " ")));
    expect(record().phases.flatMap(({ restarted }) => restarted)).toEqual(
      services.map((service) => (service === timer ? service : `${service}.service`)),
    );
    await converge(cluster);
    expect(record().phases.flatMap(({ restarted }) => restarted)).toEqual([]);
  });

  it("changes nothing when run again", async () => {
    const cluster = machine.planned();
    await converge(cluster);
    machine.forget();
    expect(await converge(cluster)).toEqual(done);
    expect([restarted(), downloaded(), machine.calls("apt-get")]).toEqual([[], [], []]);
  });

  it("starts cri-dockerd where Docker runs the pods", async () => {
    expect(await converge(machine.planned({ runtime: "docker" }))).toEqual(done);
    expect(restarted()).toEqual([
      "pod-network",
      "containerd",
      "docker",
      "cri-dockerd",
      "kubelet",
      "kube-proxy",
      timer,
    ]);
    expect(existsSync(machine.path("/usr/local/bin/cri-dockerd"))).toBe(true);
  });

  it("has no API to wait for and no kubectl on a worker", async () => {
    machine.write("/api-down", "");
    expect(await converge(machine.planned(), "worker")).toEqual(done);
    expect(existsSync(machine.path("/usr/local/bin/kube-proxy"))).toBe(true);
    expect(downloaded(/kubectl/)).toEqual([]);
  });

  it.each<[string, string[], Record<string, unknown>]>([
    ["the kubelet's configuration", ["kubelet"], { kubelet: { maxPods: 50 } }],
    ["kube-proxy's", ["kube-proxy"], { kubeProxy: { mode: "iptables" } }],
    ["a proxy", ["containerd", "kubelet", "docker"], { proxy: { http: "http://192.0.2.1:3128" } }],
    ["the time", ["systemd-timesyncd"], { ntp: { servers: ["192.0.2.123"] } }],
    ["a network", ["pod-network"], { network: { externalNetwork: "public", nodeNetwork: "10.0.0.0/25" } }],
    [
      "a node's labels",
      [],
      { nodes: { "cp-1": { role: "control-plane", slot: 10, labels: { disk: "fast" } } } },
    ],
  ])("restarts only what %s changes", async (_what, units, changes) => {
    await converge(machine.planned());
    machine.forget();
    expect(await converge(machine.planned(changes))).toEqual(done);
    expect(restarted()).toEqual(units);
  });

  const routing = (backend?: string) => ({
    network: {
      externalNetwork: "public",
      ...(backend === undefined ? {} : { routing: "flannel", flannel: { backend } }),
    },
  });

  it("starts flannel where it routes, and leaves room for VXLAN in the pods' packets", async () => {
    expect(await converge(machine.planned(routing("vxlan")))).toEqual(done);
    expect(restarted()).toEqual([...services.slice(0, -1), "flanneld", timer]);
    expect(statSync(machine.path("/usr/local/bin/flanneld")).mode & 0o777).toBe(0o755);
    const read = (path: string) => readFileSync(machine.path(path), "utf8");
    expect(read("/etc/systemd/network/70-cbr0.netdev")).toContain("MTUBytes=1400\n");
    expect(read("/etc/systemd/system/docker.service.d/mtu.conf")).toContain("CONTAINER_MTU=1400\n");
    expect(JSON.parse(read("/etc/cni/net.d/10-cbr0.conflist"))).toMatchObject({
      plugins: [{ mtu: 1400 }, {}],
    });
    machine.forget();
    expect(await converge(machine.planned(routing("vxlan")))).toEqual(done);
    expect([restarted(), machine.calls("ip", /delete|flush/)]).toEqual([[], []]);
  });

  it.each([
    ["vxlan", "host-gw", ["flanneld"]],
    ["host-gw", "vxlan", ["flanneld"]],
    ["vxlan", undefined, []],
    ["host-gw", undefined, []],
  ])("takes away what flannel's %s leaves when the routing becomes %s", async (from, to, started) => {
    await converge(machine.planned(routing(from)));
    machine.forget();
    expect(await converge(machine.planned(routing(to)))).toEqual(done);
    const ended = [
      "systemctl stop flanneld.service",
      "ip link delete dev flannel.1",
      "ip -4 route flush root 10.100.0.0/16 proto boot",
    ];
    expect(machine.calls("systemctl", / stop /).concat(machine.calls("ip", /delete|flush/))).toEqual(ended);
    expect(restarted().filter((unit) => unit === "flanneld")).toEqual(started);
  });

  it("restarts what reads a kubeconfig when the API's address changes", async () => {
    await converge(machine.planned(), "worker");
    machine.forget();
    const nodes = { "cp-1": { role: "control-plane", slot: 20 }, "worker-1": { role: "worker", slot: 11 } };
    expect(await converge(machine.planned({ nodes }), "worker")).toEqual(done);
    expect(restarted()).toEqual(["kubelet", "kube-proxy"]);
  });

  it("leaves no download running when it fails", async () => {
    machine.program("curl", "echo $$ >>/downloading; exec sleep 30");
    machine.program("apt-get", "until [ -s /downloading ]; do sleep 0.1; done; exit 1");
    const { exitCode } = await converge(machine.planned());
    expect(exitCode).toBe(1);
  });

  it.each([
    ["/etc/kubernetes/pki", "router", []],
    ["/srv/pki", "flannel", ["flanneld"]],
  ])("puts new certificates in %s to use, with %s", async (folder, routing, more) => {
    rmSync(machine.path("/etc/kubernetes"), { recursive: true });
    const cluster = machine.planned({
      cluster: { name: "demo", kubernetesVersion, certificateFolder: folder },
      network: { externalNetwork: "public", routing },
    });
    placeSecrets("1", folder);
    expect(await converge(cluster)).toEqual(done);
    machine.forget();
    placeSecrets("2", folder);
    expect(await converge(cluster)).toEqual(done);
    expect(restarted()).toEqual(["kubelet", "kube-proxy", "docker", ...more]);
  });

  it("ends the control plane's programs that are older than what they read at their start, and waits for that", async () => {
    const cluster = machine.planned();
    await converge(cluster);
    const ages = { "ca.crt": 3000, "etcd/ca.crt": 2000, "sa.key": 4000, "sa.pub": 1000 };
    for (const [name, age] of Object.entries(ages)) {
      const written = Date.now() / 1000 - age;
      utimesSync(machine.path(`/etc/kubernetes/pki/${name}`), written, written);
    }
    // etcd's is older, and is only gone when it is killed.
    machine.program("pkill", 'echo "pkill $*" >>/calls; [[ $* == *etcd* ]]');
    machine.program("pgrep", 'echo "pgrep $*" >>/calls; ! grep -q KILL /calls');
    machine.forget();
    expect(await converge(cluster)).toEqual(done);
    const ended = machine
      .calls("pkill")
      .map((line) => /--older (\d+) --full \^(\S+) (.*)$/.exec(line)!.slice(1));
    expect(ended.map(([age, program, rest]) => [program, Math.floor(Number(age) / 1000), rest])).toEqual([
      ["etcd", 2, ".*=/etc/kubernetes/pki/"],
      ["etcd", 2, ".*=/etc/kubernetes/pki/"],
      ["kube-apiserver", 1, ".*=/etc/kubernetes/pki/"],
      ["kube-controller-manager", 3, ".*=/etc/kubernetes/pki/"],
      ["kube-scheduler", 3, ".*=/etc/kubernetes/pki/"],
    ]);
    const asked = readFileSync(machine.path("/calls"), "utf8");
    expect(machine.calls("pkill", /etcd/).map((line) => line.includes(" --signal KILL "))).toEqual([
      false,
      true,
    ]);
    expect(asked.lastIndexOf("pgrep ")).toBeLessThan(asked.indexOf("/livez"));
  });

  it("refuses a download whose checksum differs, and says which", async () => {
    const cluster = machine.planned();
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
    const cluster = machine.planned();
    const path = `/mirror/dl.k8s.io/v${kubernetesVersion}/bin/linux/amd64/kubectl`;
    const right = readFileSync(machine.path(path), "utf8");
    machine.write(path, "something else\n");
    await converge(cluster);
    machine.write(path, right);
    machine.forget();
    expect(await converge(cluster)).toEqual(done);
    expect(downloaded().map((line) => line.split("/").at(-1))).toEqual([
      "kubectl",
      `cni-plugins-linux-amd64-v${cniPlugins}.tgz`,
    ]);
  });

  const state = "/var/lib/openstack-kubernetes";
  const kubelet = `dl.k8s.io/v${kubernetesVersion}/bin/linux/amd64/kubelet`;

  it("installs nothing of which a power failure has left only the beginning", async () => {
    const cluster = machine.planned();
    const sum = /^(\S+) .*\/kubelet /m.exec(
      cluster.controlPlane.files["/etc/openstack-kubernetes/downloads"]!.content,
    )![1]!;
    for (const _before of ["the installation", "its end"]) {
      machine.write(`${state}/fetched/${sum}`, "prog");
      expect(await converge(cluster)).toEqual(done);
      expect(readFileSync(machine.path("/usr/local/bin/kubelet"), "utf8")).toBe(`program ${kubelet}\n`);
    }
  });

  it.each([
    ["/usr/local/bin/kubelet", "kubelet"],
    ["/opt/cni/bin/portmap", `cni-plugins-linux-amd64-v${cniPlugins}.tgz`],
  ])("fetches what was installed and is lost (%s)", async (path, download) => {
    const cluster = machine.planned();
    await converge(cluster);
    rmSync(machine.path(path));
    machine.forget();
    expect(await converge(cluster)).toEqual(done);
    expect(downloaded().map((line) => line.split("/").at(-1))).toEqual([download]);
    expect(existsSync(machine.path(path))).toBe(true);
  });

  it("leaves nothing of a download that failed", async () => {
    const cluster = machine.planned();
    rmSync(machine.path(`/mirror/${kubelet}`));
    expect((await converge(cluster)).exitCode).toBe(1);
    expect(readdirSync(machine.path(`${state}/fetched`)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("finishes after a run that failed in the middle", async () => {
    const cluster = machine.planned();
    machine.write("/fail-restart", "");
    const failed = await converge(cluster);
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toContain("cp-1: pod network rules failed");
    rmSync(machine.path("/fail-restart"));
    machine.forget();
    expect(await converge(cluster)).toEqual(done);
    expect(restarted()).toEqual(services);
  });

  it("says so when the machine does not have the node's address", async () => {
    machine.program("ip", "true");
    const { exitCode, stderr } = await converge(machine.planned());
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cp-1: pod network failed");
    expect(stderr).toContain("no interface has the address 10.0.0.10");
  });
});
