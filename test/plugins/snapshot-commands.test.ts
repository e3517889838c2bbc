import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pack } from "../../model/bundle.ts";
import { waitUntilReady } from "../../model/commands.ts";
import { planOf } from "../helpers/cluster.ts";
import { newSshKey, SshServer } from "./ssh-server.ts";

const repo = join(import.meta.dirname, "../..");
const [login, hostKey] = [newSshKey(), newSshKey()];
const { nodes } = planOf();

/** A snapshot as etcd writes one: any bytes, then their SHA-256. */
function snapshotOf(text: string): Buffer {
  const content = Buffer.from(text.repeat(5000));
  return Buffer.concat([content, createHash("sha256").update(content).digest()]);
}

let home: string;
let machines: SshServer;
/** Writes the stack's state, with another machine of each node for another end of their ids. */
let state: (instance?: string) => void;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "snapshots-"));
  mkdirSync(join(home, "bin"));
  vi.stubEnv("PATH", `${home}/bin:/usr/bin:/bin`);
  machines = new SshServer({ user: "debian", keys: [login.blob], hostKeys: [hostKey.private] });
});
afterEach(async () => {
  await machines.close();
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const at = (path: string) => join(home, path);
function program(name: string, script: string): void {
  writeFileSync(at(`bin/${name}`), `#!/bin/bash\n${script}\n`);
  chmodSync(at(`bin/${name}`), 0o755);
}

/** A stack whose machines are this one: what is done as root there is written down, and `asRoot` says what happens. */
async function stack(asRoot: string): Promise<void> {
  const port = await machines.listen();
  state = (instance = "id") => writeState(port, instance);
  state();
  program("pulumi", `cat "${at("state")}"`);
  // The last line of a script says which it is.
  program(
    "sudo",
    `line=$(tail -n 1 <<<"\${5%$'\\n'}")\necho "\${line##*/openstack-kubernetes/} \${*:7}" >>"${at("done")}"\n${asRoot}`,
  );
}

function writeState(port: number, instance: string): void {
  const connection = {
    host: "127.0.0.1",
    port,
    user: "debian",
    privateKey: { "4dabf18193072939515e22adb298388d": "x", plaintext: JSON.stringify(login.private) },
    hostKey: hostKey.public,
  };
  const resources = nodes.flatMap(({ name, role, files }) => {
    const urn = `urn:pulumi:dev::p::openstack-kubernetes:nodes:Node::dev-${name}`;
    const child = (type: string, part: string, inputs: object) => ({
      urn: `urn:pulumi:dev::p::openstack-kubernetes:nodes:Node$${type}::dev-${name}-${part}`,
      ...{ type, parent: urn, id: `${name}-${instance}`, inputs },
    });
    const command = (part: string, inputs: object) =>
      child("command:remote:Command", part, { connection, ...inputs });
    return [
      { urn, type: "openstack-kubernetes:nodes:Node", inputs: {} },
      child("openstack:compute/instance:Instance", "instance", { name, metadata: { role } }),
      command("converge", { stdin: pack(files) }),
    ];
  });
  const ready = {
    urn: "urn:pulumi:dev::p::command:remote:Command::dev-ready",
    type: "command:remote:Command",
    inputs: { connection, create: waitUntilReady, stdin: "the nodes\n" },
  };
  writeFileSync(at("state.new"), JSON.stringify({ deployment: { resources: [...resources, ready] } }));
  renameSync(at("state.new"), at("state"));
}

const run = (command: string, ...args: string[]) =>
  execa(process.execPath, [join(repo, `cli/${command}.ts`), ...args], {
    cwd: home,
    env: { PATH: `${home}/bin:/usr/bin:/bin`, INIT_CWD: home },
    extendEnv: false,
    reject: false,
  });
const done = () =>
  readFileSync(at("done"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
const takes = `case "$5" in
  *take*) echo /var/lib/some/etcd-1.db ;;
  *cat*) cat "$(dirname "$0")/../there" ;;
esac`;

describe("npm run snapshot", () => {
  it("takes one on the control plane, and leaves it there where no file is named", async () => {
    await stack(takes);
    const { stdout, stderr } = await run("snapshot", "dev");
    expect({ stdout, stderr }).toEqual({
      stdout: "The snapshot is on cp-1: /var/lib/some/etcd-1.db",
      stderr: "",
    });
    expect(done()).toEqual(["etcd-snapshots.sh take"]);
  });

  it("fetches it, for its owner alone", async () => {
    await stack(takes);
    writeFileSync(at("there"), snapshotOf("etcd"));
    const { exitCode, stdout } = await run("snapshot", "dev", "--output", "out.db");
    expect({ exitCode, stdout: stdout.split("\n")[1] }).toEqual({
      exitCode: 0,
      stdout: `It is here too: ${at("out.db")}`,
    });
    expect(readFileSync(at("out.db"))).toEqual(snapshotOf("etcd"));
    expect(statSync(at("out.db")).mode & 0o777).toBe(0o600);
    expect(done()[1]).toBe('exec cat -- "$1" /var/lib/some/etcd-1.db');
  });

  it("keeps an earlier one where what arrives is not whole", async () => {
    await stack(takes);
    writeFileSync(at("out.db"), "earlier");
    writeFileSync(at("there"), snapshotOf("etcd").subarray(0, 10_000));
    const { exitCode, stderr } = await run("snapshot", "dev", "--output", "out.db");
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `${at("out.db")}.new is no whole snapshot of etcd: its checksum differs`,
    });
    expect(readFileSync(at("out.db"), "utf8")).toBe("earlier");
    expect(existsSync(at("out.db.new"))).toBe(false);
  });

  it("says by name what the machine says, and refuses another machine in its place", async () => {
    await stack('echo "cp-1: no snapshot could be taken" >&2; exit 1');
    expect((await run("snapshot", "dev")).stderr).toBe("cp-1: no snapshot could be taken");
    await machines.close();
    machines = new SshServer({ user: "debian", keys: [login.blob], hostKeys: [newSshKey().private] });
    await stack(takes);
    expect((await run("snapshot", "dev")).stderr).toMatch(/^cp-1: .*[Hh]ost/);
    expect(machines.commands).toEqual([]);
  });
});

describe("npm run restore", () => {
  const restores = `case "$5" in
    *etcd-snapshots.sh*) cat >"$(dirname "$0")/../received"; echo old-1 ;;
    *ready*) echo "$(cat) are ready" ;;
  esac`;

  it("sends the snapshot, starts every kubelet anew, and waits until the cluster works", async () => {
    await stack(restores);
    writeFileSync(at("in.db"), snapshotOf("etcd"));
    const { exitCode, stdout, stderr } = await run("restore", "dev", "--from", "in.db");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "Restoring etcd on cp-1; the API is away meanwhile",
      "Node old-1 is in the snapshot and not in the stack: kubectl delete node old-1",
      "3 of 3 kubelets have started anew; waiting until the cluster works",
      "the nodes are ready",
    ]);
    expect(readFileSync(at("received"))).toEqual(snapshotOf("etcd"));
    const kubelet = "exec systemctl restart kubelet.service";
    const open = "RULES open 10.0.0.10 6443";
    expect(done()).toEqual([
      'etcd-snapshots.sh restore "$@" - cp-1=cp-1-id worker-1=worker-1-id worker-2=worker-2-id',
      ...[open, open, open],
      ...[kubelet, kubelet, kubelet],
      "ready.sh",
    ]);
  });

  it("keeps workers from the API of a new machine until that has the snapshot", async () => {
    await stack(restores);
    writeFileSync(at("in.db"), snapshotOf("etcd"));
    const restored = run("restore", "dev", "--from", "in.db", "--new-machine");
    const closed = "RULES closed 10.0.0.10 6443";
    await vi.waitFor(() => expect(done()).toEqual([closed, closed]), { timeout: 30_000 });
    state("new");
    const { exitCode, stdout } = await restored;
    expect({ exitCode, stdout: stdout.split("\n")[0] }).toEqual({
      exitCode: 0,
      stdout: "Waiting for a new machine of cp-1: pulumi up --replace '**::dev-cp-1-instance'",
    });
    expect(done()[2]).toContain(" - cp-1=cp-1-new worker-1=worker-1-new ");
    expect(done().filter((line) => line.startsWith("RULES open"))).toHaveLength(3);
  });

  it("is not held up by a worker that is away, once etcd is back", async () => {
    const once = `case "$5" in *restart*) mkdir "$(dirname "$0")/../first" 2>/dev/null || { echo "no kubelet" >&2; exit 1; } ;; esac`;
    await stack(`${restores}\n${once}`);
    const { stdout, stderr } = await run("restore", "dev", "--from", "latest");
    expect(stderr.match(/^(cp|worker)-\d: .*no kubelet$/gm)).toHaveLength(2);
    expect(stdout.split("\n").slice(-2)).toEqual([
      "1 of 3 kubelets have started anew; waiting until the cluster works",
      "the nodes are ready",
    ]);
  });

  it("begins a new machine only with every worker, but for those that are left out by name", async () => {
    await stack(restores);
    writeFileSync(at("in.db"), snapshotOf("etcd"));
    const from = ["dev", "--from", "in.db", "--new-machine"];
    const closed = () => done().filter((line) => line.startsWith("RULES closed")).length;
    program("sudo", `echo "RULES closed" >>"${at("done")}"; exit 1`);
    const { exitCode, stderr } = await run("restore", ...from);
    expect([exitCode, stderr.split("\n").at(-1), closed()]).toEqual([
      1,
      "a worker that has no machine any more is left out by --without NODE",
      2,
    ]);
    const other = await run("restore", ...from, "--without", "worker-2");
    expect([other.exitCode, closed()]).toEqual([1, 3]);
    expect((await run("restore", ...from, "--without", "worker-7")).stderr).toMatch(
      /^the stack has no machine of worker-7\n/,
    );
  });

  it("takes the newest of the machine", async () => {
    await stack(restores);
    await run("restore", "dev", "--from", "latest");
    expect(done()[0]).toMatch(/^etcd-snapshots\.sh restore "\$@" latest cp-1=/);
  });

  it("touches no machine for a file that is no whole snapshot, or where none is named", async () => {
    await stack(restores);
    writeFileSync(at("in.db"), "x".repeat(1000));
    const broken = await run("restore", "dev", "--from", "in.db");
    expect(broken.stderr).toBe(`${at("in.db")} is no whole snapshot of etcd: its checksum differs`);
    expect((await run("restore", "dev", "--from", "none.db")).stderr).toBe(`${at("none.db")} cannot be read`);
    expect((await run("restore", "dev")).stderr).toBe(
      "a snapshot is to be named\nusage: npm run restore -- STACK --from FILE|latest [--new-machine] [--without NODE,NODE]",
    );
    expect(machines.commands).toEqual([]);
  });
});
