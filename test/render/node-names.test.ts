import { readFileSync, rmSync, statSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planOf } from "../helpers/cluster.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

const script = "/usr/local/lib/openstack-kubernetes/node-names.sh";
const ownHosts = "127.0.0.1 localhost\n127.0.1.1 worker-1\n";
const marked = (lines: string[]) =>
  ["# openstack-kubernetes begins", ...lines, "# openstack-kubernetes ends", ""].join("\n");

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
  machine.write("/etc/hosts", ownHosts);
  machine.write("/etc/kubernetes/pki/kube-proxy.crt", "certificate\n");
  machine.program("curl", 'echo "curl $*" >>/calls; cat /nodes');
});
afterEach(() => {
  machine.remove();
});

/** What the API answers: the columns of `kubectl get nodes --output=wide` that matter, and one that does not. */
function nodes(addresses: Record<string, string>): void {
  const table = {
    kind: "Table",
    columnDefinitions: ["Name", "Status", "Internal-IP"].map((name) => ({ name, type: "string" })),
    rows: Object.entries(addresses).map(([name, address]) => ({ cells: [name, "Ready", address] })),
  };
  machine.write("/nodes", JSON.stringify(table));
}

/** Runs the script on a worker with these settings. */
async function renewNames(settings: Record<string, unknown> = {}) {
  rmSync(machine.path("/etc/openstack-kubernetes"), { recursive: true, force: true });
  machine.place(planOf(settings).workers[0]!.files);
  return await machine.run(script);
}

const read = (path: string) => readFileSync(machine.path(path), "utf8");

describe("node-names.sh", () => {
  it("names every node of the API in /etc/hosts, beside what is there", async () => {
    nodes({ "cp-1": "10.0.0.10", "worker-1": "10.0.0.11" });
    expect(await renewNames()).toEqual(done);
    expect(read("/etc/hosts")).toBe(ownHosts + marked(["10.0.0.10 cp-1", "10.0.0.11 worker-1"]));
    expect(machine.calls("curl")[0]).toMatch(/ https:\/\/10\.0\.0\.10:6443\/api\/v1\/nodes\?/);
  });

  it("changes no file when nothing has changed", async () => {
    nodes({ "cp-1": "10.0.0.10" });
    await renewNames();
    const before = statSync(machine.path("/etc/hosts")).ino;
    await renewNames();
    expect(statSync(machine.path("/etc/hosts")).ino).toBe(before);
  });

  it("learns of a node more and forgets one that is gone", async () => {
    nodes({ "cp-1": "10.0.0.10", "worker-1": "10.0.0.11" });
    await renewNames();
    nodes({ "cp-1": "10.0.0.10", "worker-2": "10.0.0.12" });
    await renewNames();
    expect(read("/etc/hosts")).toBe(ownHosts + marked(["10.0.0.10 cp-1", "10.0.0.12 worker-2"]));
  });

  it("keeps the names while the API does not answer", async () => {
    nodes({ "cp-1": "10.0.0.10" });
    await renewNames();
    machine.program("curl", "echo refused >&2; exit 7");
    expect(await renewNames()).toEqual({ ...done, stderr: expect.stringContaining("refused") });
    expect(read("/etc/hosts")).toBe(ownHosts + marked(["10.0.0.10 cp-1"]));
  });

  it("lets no node name others by what it says of its address", async () => {
    nodes({ "cp-1": "10.0.0.10", "worker-1": "10.0.0.11 cp-1", "worker-2": "<none>" });
    expect(await renewNames()).toEqual(done);
    expect(read("/etc/hosts")).toBe(ownHosts + marked(["10.0.0.10 cp-1"]));
  });

  it("gives everyone who logs in the proxy, and the nodes' names among what goes without it", async () => {
    machine.write("/etc/environment", 'PATH="/usr/bin"');
    nodes({ "cp-1": "10.0.0.10", "worker-1": "10.0.0.11" });
    await renewNames({ proxy: { http: "http://192.0.2.1:3128" } });
    const direct =
      "localhost,127.0.0.0/8,169.254.169.254,10.0.0.0/24,10.100.0.0/16,10.254.0.0/16,.svc,.cluster.local,cp-1,worker-1";
    expect(read("/etc/environment")).toBe(
      'PATH="/usr/bin"\n' +
        marked([
          "HTTP_PROXY=http://192.0.2.1:3128",
          "http_proxy=http://192.0.2.1:3128",
          `NO_PROXY=${direct}`,
          `no_proxy=${direct}`,
        ]),
    );
  });

  it("takes the proxy away with the setting, and leaves the rest", async () => {
    machine.write("/etc/environment", 'PATH="/usr/bin"\n');
    nodes({ "cp-1": "10.0.0.10" });
    await renewNames({ proxy: { http: "http://192.0.2.1:3128" } });
    await renewNames();
    expect(read("/etc/environment")).toBe('PATH="/usr/bin"\n');
  });

  it("asks no API where there is none yet", async () => {
    rmSync(machine.path("/etc/kubernetes"), { recursive: true });
    expect(await renewNames({ phase: "docker", proxy: { https: "http://192.0.2.1:3128" } })).toEqual(done);
    expect(machine.calls("curl")).toEqual([]);
    expect(read("/etc/hosts")).toBe(ownHosts);
    expect(read("/etc/environment")).toContain("https_proxy=http://192.0.2.1:3128\n");
  });
});
