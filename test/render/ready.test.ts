import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readyInput, waitUntilReady } from "../../model/commands.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

describe("ready.sh", () => {
  /** A cluster whose nodes have the given pod network; nodes are Ready and everything answers, unless `answer` says otherwise. */
  async function ready(podNetwork: string, answer = "") {
    const { controlPlane, nodes } = machine.planned();
    machine.place(controlPlane.files);
    machine.write("/etc/resolv.conf", "");
    machine.program("ping", 'echo "ping $*" >>/calls');
    machine.program("getent", "cat /etc/resolv.conf >>/calls");
    machine.placeKubectl(
      `case "$*" in
        *podCIDR}*) echo "${podNetwork}" ;;
        *conditions*) echo True ;;
        *patch*) [ -z "${podNetwork}" ] ;;
        ${answer}
      esac`,
    );
    machine.forget();
    return await machine.run(waitUntilReady, readyInput(nodes));
  }

  it("sets every node's pod network and role, and asks the cluster's own DNS", async () => {
    expect(await ready("")).toEqual({ ...done, stdout: "3 nodes ready" });
    expect(
      machine
        .calls("kubectl", / patch /)
        .map((line) => line.split(" --type ")[1])
        .sort(),
    ).toEqual([
      'merge -p {"spec":{"podCIDR":"10.100.10.0/24","podCIDRs":["10.100.10.0/24"]}}',
      'merge -p {"spec":{"podCIDR":"10.100.11.0/24","podCIDRs":["10.100.11.0/24"]}}',
      'merge -p {"spec":{"podCIDR":"10.100.12.0/24","podCIDRs":["10.100.12.0/24"]}}',
    ]);
    expect(
      machine
        .calls("kubectl", / label /)
        .map((line) => line.split(" --overwrite ")[1])
        .sort(),
    ).toEqual([
      "node cp-1 node-role.kubernetes.io/control-plane=",
      "node worker-1 node-role.kubernetes.io/worker=",
      "node worker-2 node-role.kubernetes.io/worker=",
    ]);
    expect(
      machine
        .calls("ping")
        .map((line) => line.split(" -I ")[1])
        .sort(),
    ).toEqual(["10.100.10.1 10.100.11.1", "10.100.10.1 10.100.12.1"]);
    expect(machine.calls("nameserver")).toEqual(["nameserver 10.254.0.10"]);
  });

  it("tries again to give a node its role", async () => {
    const outcome = await ready("", '*" label "*) [ -e /labelled ] || { touch /labelled; return 1; } ;;');
    expect(outcome).toEqual({ ...done, stdout: "3 nodes ready" });
    expect(machine.calls("kubectl", / label /).length).toBeGreaterThan(3);
  });

  it.each([
    ["router", "check the router's route to 10.100.11.0/24 and the port's allowed address pair"],
    ["flannel", "see 'journalctl -u flanneld' on worker-1 and cp-1"],
  ])("says which node pods do not reach, and where to look with %s", async (routing, advice) => {
    const { controlPlane, nodes } = machine.planned({ network: { externalNetwork: "public", routing } });
    machine.place(controlPlane.files);
    const script = "/usr/local/lib/openstack-kubernetes/ready.sh";
    machine.write(script, controlPlane.files[script]!.content.replace("SECONDS + 900", "SECONDS"), "0755");
    machine.placeKubectl('case "$*" in *conditions*) echo True ;; esac');
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
