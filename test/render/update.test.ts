import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pack, type Files } from "../../model/bundle.ts";
import { installAndConverge, stageOrConverge } from "../../model/commands.ts";
import { authorizedKey } from "../../model/files/updates.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import { stackSettings } from "../helpers/cluster.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

/** A worker's files with keys and certificates that hold this text. */
const sent = ({ workers, settings }: ClusterPlan, keys: string) => {
  const pki = ["ca.crt", "kubelet.crt", "kubelet.key", "kube-proxy.crt"].map(
    (name) => `${settings.cluster.certificateFolder}/${name}`,
  );
  const secrets = [...pki, "/etc/docker/tls/ca.pem"].map((path) => [
    path,
    { content: `${keys}\n`, mode: "0600" },
  ]);
  return pack({ ...workers[0]!.files, ...(Object.fromEntries(secrets) as Files) });
};
/** The answer where files were staged or put to use: when that was. */
const staged = { ...done, stdout: expect.stringMatching(/^its files came at \d/) as string };
const install = (cluster: ClusterPlan) => machine.run(installAndConverge, sent(cluster, "1"));
const stage = (cluster: ClusterPlan, keys = "1") => machine.run(stageOrConverge, sent(cluster, keys));
const update = (what: string) => machine.run(`/usr/local/lib/openstack-kubernetes/update.sh ${what}`);
const waits = async () => (await update("pending")).stdout;
const restarts = () => machine.calls("systemctl", / restart /);
const read = (path: string) => readFileSync(machine.path(path), "utf8");

describe("update.sh", () => {
  it("has nothing to do on a machine that was installed whole", async () => {
    expect(await install(machine.planned())).toEqual(done);
    expect(await waits()).toBe("");
  });

  it("stages files on a node, which change nothing there before they are applied", async () => {
    await install(machine.planned());
    machine.forget();
    expect(await stage(machine.planned({ kubelet: { maxPods: 50 } }))).toEqual(staged);
    expect([restarts(), read("/etc/kubernetes/kubelet.yaml")]).toEqual([
      [],
      expect.not.stringContaining("maxPods"),
    ]);
    expect(await waits()).toBe("drain");
    expect(await update("apply")).toEqual(done);
    expect(restarts()).toEqual(["systemctl restart kubelet.service"]);
    expect(read("/etc/kubernetes/kubelet.yaml")).toContain("maxPods: 50");
    expect(await waits()).toBe("");
  });

  it("puts files to use at once on a machine whose kubelet does not run", async () => {
    expect(await stage(machine.planned())).toEqual(staged);
    expect(restarts()).toContain("systemctl restart kubelet.service");
  });

  it("drains for no setting that pods do not notice", async () => {
    const servers = { ntp: { servers: ["192.0.2.1"] } };
    await install(machine.planned(servers));
    await stage(machine.planned({ ntp: { servers: ["192.0.2.2"] } }));
    expect(await waits()).toBe("settings");
  });

  it("tells how a Node's labels and taints change, which no pod notices and no service starts anew for", async () => {
    const taint = (key: string, value: string) => ({ key, value, effect: "NoSchedule" });
    const { nodes } = stackSettings;
    const registering = (labels: Record<string, string>, taints: object[]) =>
      machine.planned({ nodes: { ...nodes, "worker-1": { ...nodes["worker-1"], labels, taints } } });
    await install(registering({ a: "1", b: "1", "x.org/c": "" }, [taint("t", "1"), taint("u", "")]));
    expect((await update("registration")).stdout).toBe("");
    await stage(registering({ a: "2", "x.org/d": "1" }, [taint("t", "2"), taint("v", "")]));
    expect(await waits()).toBe("settings");
    expect((await update("registration")).stdout.split("\n")).toEqual([
      ...["no-label b", "no-label x.org/c", "label a=2", "label x.org/d=1"],
      ...["no-taint u:NoSchedule", "taint t=2:NoSchedule", "taint v=:NoSchedule"],
    ]);
    machine.forget();
    expect(await update("registered")).toEqual(done);
    expect(await update("apply")).toEqual(done);
    expect(restarts()).toEqual([]);
    expect([(await update("registration")).stdout, await waits()]).toEqual(["", ""]);
  });

  it("tells of labels that files have and a Node does not, since they were put to use without the control plane", async () => {
    const labelled = (labels: object) =>
      machine.planned({
        nodes: { ...stackSettings.nodes, "worker-1": { ...stackSettings.nodes["worker-1"], labels } },
      });
    await install(labelled({ a: "1" }));
    await install(labelled({ a: "2" }));
    expect([await waits(), (await update("registration")).stdout]).toEqual(["settings", "label a=2"]);
  });

  it("puts new keys to use without draining", async () => {
    await install(machine.planned());
    expect(await stage(machine.planned(), "2")).toEqual(staged);
    expect(read("/etc/kubernetes/pki/ca.crt")).toBe("2\n");
    expect(await waits()).toBe("settings");
    machine.forget();
    expect(await update("apply")).toEqual(done);
    expect(restarts()).toEqual(
      ["kubelet", "kube-proxy", "docker"].map((unit) => `systemctl restart ${unit}.service`),
    );
    expect(await waits()).toBe("");
  });

  it("takes keys away once no file names them any more", async () => {
    await install(machine.planned());
    const { cluster } = stackSettings;
    await stage(machine.planned({ cluster: { ...cluster, certificateFolder: "/srv/pki" } }));
    const there = () =>
      ["/etc/kubernetes", "/srv"].map((folder) => existsSync(machine.path(`${folder}/pki/kubelet.key`)));
    expect([there(), read("/etc/kubernetes/kubelet.conf")]).toEqual([
      [true, true],
      expect.stringContaining("/etc/kubernetes/pki/kubelet.key"),
    ]);
    expect(await update("apply")).toEqual(done);
    expect(there()).toEqual([false, true]);
  });

  it("puts keys into place that a run left staged which ended just then", async () => {
    await install(machine.planned());
    await stage(machine.planned(), "2");
    machine.write("/var/lib/openstack-kubernetes/staged.secrets/1", "3\n");
    machine.write("/var/lib/openstack-kubernetes/staged.secrets/list", "0600 /etc/kubernetes/pki/ca.crt\n");
    expect(await update("apply")).toEqual(done);
    expect(read("/etc/kubernetes/pki/ca.crt")).toBe("3\n");
  });

  it("goes on with an update that failed in the middle", async () => {
    await install(machine.planned());
    await stage(machine.planned({ kubelet: { maxPods: 50 } }));
    machine.write("/fail-restart", "");
    expect((await update("apply")).exitCode).toBe(1);
    expect(await waits()).toBe("drain");
  });

  it("forgets what was staged when the settings go back", async () => {
    await install(machine.planned());
    await stage(machine.planned({ kubelet: { maxPods: 50 } }));
    await stage(machine.planned());
    expect(await waits()).toBe("");
  });

  it("says something new after each staging, for the control plane to look", async () => {
    const said = [await stage(machine.planned()), await stage(machine.planned())];
    expect(said[0]!.stdout).not.toBe(said[1]!.stdout);
  });

  it("fetches what staged files need before they are applied, and not again", async () => {
    await install(machine.planned());
    const next = machine.planned({ runtime: "docker" });
    machine.forget();
    await stage(next);
    const fetched = machine.calls("curl", /cri-dockerd/);
    expect([fetched.length, existsSync(machine.path("/usr/local/bin/cri-dockerd"))]).toEqual([1, false]);
    expect(await update("apply")).toEqual(done);
    expect([
      machine.calls("curl", /cri-dockerd/),
      existsSync(machine.path("/usr/local/bin/cri-dockerd")),
    ]).toEqual([fetched, true]);
  });

  it("fetches images by way of the proxy", async () => {
    machine.place(machine.planned({ proxy: { http: "http://192.0.2.1:3128" } }).controlPlane.files);
    machine.program("ctr", '[[ "$*" != *" pull "* ]] || env | grep -i "_proxy=" | sort >/ctr-environment');
    const staged = "/var/lib/openstack-kubernetes/staged.files";
    machine.write(`${staged}/list`, "0600 /etc/kubernetes/manifests/etcd.yaml\n");
    machine.write(`${staged}/1`, "    image: registry.example/etcd:1\n");
    expect(await update("fetch")).toEqual(done);
    const names = read("/ctr-environment").match(/^\w+(?==)/gm);
    expect(names).toEqual(["HTTP_PROXY", "NO_PROXY", "http_proxy", "no_proxy"]);
  });

  it("runs by an SSH key that can run nothing else", () => {
    expect(authorizedKey("ssh-ed25519 AAAA")).toBe(
      'restrict,command="sudo -n /usr/local/lib/openstack-kubernetes/update.sh \\"$SSH_ORIGINAL_COMMAND\\"" ssh-ed25519 AAAA',
    );
  });
});
