import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { restoreSnapshot, takeSnapshot } from "../../model/commands.ts";
import { NodeMachine } from "../helpers/node-machine.ts";

const folder = "/var/lib/openstack-kubernetes/etcd-snapshots";
const runtimes = ["containerd", "docker"];

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

/** What a run of a container does: etcd's programs, as far as the scripts call them. */
const etcd = `
  while [ "$1" != etcdctl ] && [ "$1" != etcdutl ]; do shift; done
  echo "$*" >>/etcd-calls
  [ ! -e /broken ] || exit 1
  case "$*" in
    *"snapshot save"*) echo "snapshot $(cat /now 2>/dev/null)" >"\${!#}" ;;
    *"snapshot status"*) grep -q snapshot "$4" ;;
    *"snapshot restore"*) grep -q snapshot "$4" && mkdir -p "$6/member" && cp "$4" "$6/member/db" ;;
  esac`;

/** A control-plane node whose container runtime runs the four parts of the control plane until they get a signal. */
function place(runtime: string): void {
  machine.place(machine.planned({ runtime, etcd: { snapshots: { keep: 2 } } }).controlPlane.files);
  machine.write("/var/lib/etcd/member/db", "before\n");
  machine.program(
    "docker",
    `echo "docker $*" >>/calls
    [ ! -e /mute ] || [ "$1" != ps ] || exit 1
    case "$1" in
      ps) name="\${!#}"; [ -e "/run/stopped-\${name##*=}" ] || echo "\${name##*=}" ;;
      kill) touch "/run/stopped-\${!#}" ;;
      run) ${etcd} ;;
    esac`,
  );
  machine.program(
    "ctr",
    `echo "ctr $*" >>/calls
    [ ! -e /mute ] || [[ "$*" != *" list"* ]] || exit 1
    case "$*" in
      *"containers list"*) echo "\${!#}" | sed "s/.*==//" ;;
      *"tasks list"*) for part in etcd kube-apiserver kube-controller-manager kube-scheduler; do
        [ -e /run/stopped-$part ] || echo "$part 1 RUNNING"; done ;;
      *"tasks kill"*) touch "/run/stopped-\${!#}" ;;
      *" run "*) ${etcd} ;;
    esac`,
  );
  machine.placeKubectl('case "$*" in *" get nodes "*) printf "cp-1\\nworker-9\\n" ;; esac');
  machine.forget();
}

const read = (path: string) => readFileSync(machine.path(path), "utf8");
const snapshots = () => readdirSync(machine.path(folder)).sort();
const etcdCalls = () => read("/etcd-calls").trimEnd().split("\n");

describe.each(runtimes)("etcd-snapshots.sh with %s", (runtime) => {
  it("takes a snapshot by etcd's own programs, for root alone, checks it and says where it is", async () => {
    place(runtime);
    const { exitCode, stdout, stderr } = await machine.run(takeSnapshot);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^${folder}/etcd-\\d{8}T\\d{6}Z\\.db$`));
    expect(statSync(machine.path(stdout)).mode & 0o777).toBe(0o600);
    expect(statSync(machine.path(folder)).mode & 0o777).toBe(0o700);
    expect(
      etcdCalls().map((call) => call.split(" /etc")[0]!.replace(/ --cacert.*(?= snapshot)/, "")),
    ).toEqual([
      `etcdctl --endpoints=https://127.0.0.1:2379 snapshot save ${folder}/.new`,
      `etcdutl snapshot status ${folder}/.new`,
    ]);
    const image = machine.calls(runtime === "docker" ? "docker" : "ctr", / registry\.k8s\.io\/etcd:/);
    expect(image).toHaveLength(2);
  });

  it("keeps the newest alone", async () => {
    place(runtime);
    for (const day of ["01", "02", "03"])
      machine.write(`${folder}/etcd-202601${day}T000000Z.db`, "snapshot\n");
    machine.write(`${folder}/.new.part`, "of a killed run\n");
    const { stdout } = await machine.run(takeSnapshot);
    expect(snapshots()).toEqual(["etcd-20260103T000000Z.db", stdout.split("/").at(-1)]);
  });

  it("keeps what it has when it fails, and says so in one line", async () => {
    place(runtime);
    machine.write(`${folder}/etcd-20260101T000000Z.db`, "snapshot\n");
    machine.write("/broken", "");
    const { exitCode, stderr } = await machine.run(takeSnapshot);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      "cp-1: no snapshot of etcd could be taken; see /var/log/openstack-kubernetes.log there",
    );
    expect(snapshots()).toEqual(["etcd-20260101T000000Z.db"]);
  });

  it("brings etcd back while the control plane is down, and keeps what was there", async () => {
    place(runtime);
    const command = restoreSnapshot("-", { "cp-1": "instance-1" });
    expect(await machine.run(command, "snapshot of another day\n")).toEqual({
      exitCode: 0,
      stdout: "worker-9",
      stderr: "",
    });
    expect(read("/var/lib/etcd/member/db")).toBe("snapshot of another day\n");
    expect(read("/var/lib/etcd/before-restore/db")).toBe("before\n");
    expect(etcdCalls()).toEqual([
      `etcdutl snapshot restore ${folder}/.received --data-dir /var/lib/etcd/restored --name cp-1 ` +
        "--initial-cluster cp-1=https://10.0.0.10:2380 --initial-advertise-peer-urls https://10.0.0.10:2380 " +
        "--bump-revision 1000000000 --mark-compacted",
    ]);
    const all = readFileSync(machine.path("/calls"), "utf8").split("\n");
    const line = (pattern: RegExp) => all.findIndex((call) => pattern.test(call));
    const order = [
      line(/ snapshot restore /),
      line(/^systemctl stop kubelet/),
      line(/ kill .*kube-apiserver/),
      line(/ kill .*etcd$/),
      line(/^systemctl start kubelet/),
      line(/ get --raw \/readyz/),
    ];
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect([snapshots(), existsSync(machine.path("/var/lib/etcd/restored"))]).toEqual([[], false]);
  });

  it("stops nothing for a snapshot that is broken", async () => {
    place(runtime);
    const { exitCode, stderr } = await machine.run(restoreSnapshot("-", {}), "something else\n");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^cp-1: the snapshot cannot be restored; see /);
    expect(machine.calls("systemctl")).toEqual([]);
    expect(read("/var/lib/etcd/member/db")).toBe("before\n");
    expect(snapshots()).toEqual([]);
  });

  it.each([
    ["the container runtime does not answer", "/mute", ""],
    [
      "etcd outlives its container",
      "/outlived",
      "etcd --data-dir=/var/lib/etcd --key-file=/etc/kubernetes/pki/etcd/server.key",
    ],
    [
      "the API server does",
      "/outlived",
      "kube-apiserver --tls-private-key-file=/etc/kubernetes/pki/apiserver.key",
    ],
  ])("leaves etcd's data as they are where %s", async (_what, file, program) => {
    place(runtime);
    machine.write(file, `${program}\n`);
    machine.program("pgrep", `echo "pgrep $*" >>/calls; grep -qsE -- "\${!#}" /outlived`);
    const script = "/usr/local/lib/openstack-kubernetes/etcd-snapshots.sh";
    machine.write(
      script,
      read(script).replaceAll(/until_done \d+ all_stopped/g, "until_done 1 all_stopped"),
      "0755",
    );
    const { exitCode, stderr } = await machine.run(restoreSnapshot("-", {}), "snapshot\n");
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `cp-1: the control plane does not stop, or ${runtime} does not answer; see /var/log/openstack-kubernetes.log there`,
    });
    expect(read("/var/lib/etcd/member/db")).toBe("before\n");
    expect(machine.calls("systemctl").at(-1)).toBe("systemctl start kubelet.service");
    expect(snapshots()).toEqual([]);
  });
});

describe("a restore", () => {
  it("takes the newest of the machine's own where it is told so, and says where there is none", async () => {
    place("containerd");
    const { exitCode, stderr } = await machine.run(restoreSnapshot("latest", {}));
    expect({ exitCode, stderr: stderr.split(";")[0] }).toEqual({
      exitCode: 1,
      stderr: "cp-1: there is no snapshot of etcd on this machine",
    });
    for (const day of ["01", "02"])
      machine.write(`${folder}/etcd-202601${day}T000000Z.db`, `snapshot of day ${day}\n`);
    expect((await machine.run(restoreSnapshot("latest", {}))).exitCode).toBe(0);
    expect(read("/var/lib/etcd/member/db")).toBe("snapshot of day 02\n");
    expect(snapshots()).toHaveLength(2);
  });

  it("takes away the node of a machine that is no more, and no other", async () => {
    place("containerd");
    machine.placeKubectl(`case "$*" in
      *" get node cp-1 "*) echo openstack:///gone ;;
      *" get node worker-1 "*) echo openstack:///two ;;
    esac`);
    const instances = { "cp-1": "one", "worker-1": "two", "worker-2": "three" };
    await machine.run(restoreSnapshot("-", instances), "snapshot\n");
    expect(machine.calls("kubectl", / delete /).map((call) => call.split(" 30s ")[1])).toEqual([
      "delete node cp-1",
    ]);
  });
});
