import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readyInput, waitUntilReady } from "../../model/commands.ts";
import { planOf } from "../helpers/cluster.ts";
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
  async function ready({ podNetwork = "", answer = "", command = waitUntilReady, routing = "router" } = {}) {
    const { controlPlane, nodes } = planOf({ network: { externalNetwork: "public", routing } });
    machine.place(controlPlane.files);
    machine.write("/etc/resolv.conf", "");
    machine.program("ping", 'echo "ping $*" >>/calls; [ "${!#}" != "$(cat /unreachable 2>/dev/null)" ]');
    machine.program("getent", "cat /etc/resolv.conf >>/calls; [ ! -e /no-dns ]");
    machine.placeKubectl(
      `case "$*" in
        ${answer}
        *podCIDR}*) echo "${podNetwork}" ;;
        *conditions*) echo True ;;
        *patch*) [ -z "${podNetwork}" ] ;;
      esac`,
    );
    machine.forget();
    return await machine.run(command, readyInput(nodes));
  }

  it("sets every node's pod network and role, and asks the cluster's own DNS", async () => {
    expect(await ready()).toEqual({ ...done, stdout: "3 nodes ready" });
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

  it("waits for the DNS cache of every node where there is one", async () => {
    const answer = '*" daemonset "*) echo 3 ;;';
    expect(await ready({ answer })).toEqual({ ...done, stdout: "3 nodes ready" });
  });

  it("tries again to give a node its role", async () => {
    const outcome = await ready({
      answer: '*" label "*) [ -e /labelled ] || { touch /labelled; return 1; } ;;',
    });
    expect(outcome).toEqual({ ...done, stdout: "3 nodes ready" });
    expect(machine.calls("kubectl", / label /).length).toBeGreaterThan(3);
  });

  it("asks again for a node's pod network, and tries again to set it", async () => {
    const answer = `*"get node worker-1 "*podCIDR}*) [ -e /asked ] || { touch /asked; return 1; } ;;
        *"patch node worker-2 "*) [ -e /patched ] || { touch /patched; return 1; } ;;`;
    expect(await ready({ answer })).toEqual({ ...done, stdout: "3 nodes ready" });
    expect(machine.calls("kubectl", / patch /)).toHaveLength(4);
  });

  it("says by name which nodes have another pod network, all of them", async () => {
    const { exitCode, stderr } = await ready({ podNetwork: "10.100.99.0/24" });
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

  describe("says in one line", () => {
    /** What it says of a broken cluster when its time is over. */
    const complaint = async (answer = "", routing = "router") => {
      const command = "/usr/local/lib/openstack-kubernetes/ready.sh 1";
      const { exitCode, stdout, stderr } = await ready({ answer, command, routing });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      return stderr.replace(/^cluster not ready: /, "");
    };

    it("which node's machine has not registered", async () => {
      expect(await complaint('*"get node worker-1 -o name"*) return 1 ;;')).toBe(
        "node worker-1 did not register; see 'journalctl -u kubelet' on worker-1",
      );
    });

    it.each(['"get node worker-1 "*podCIDR}', '"patch node worker-1 "'])(
      "which node cannot be given its pod network, where the API does not answer to %s",
      async (question) => {
        expect(await complaint(`*${question}*) return 1 ;;`)).toBe(
          "node worker-1 could not be given its pod network 10.100.11.0/24; see /var/log/openstack-kubernetes.log on cp-1",
        );
      },
    );

    it("which node's kubelet is broken", async () => {
      expect(await complaint('*"get node worker-2"*conditions*) echo Unknown ;;')).toBe(
        "node worker-2 is not Ready; see 'journalctl -u kubelet' on worker-2",
      );
    });

    it.each([
      ["router", "check the router's route to 10.100.11.0/24 and the port's allowed address pair"],
      ["flannel", "see 'journalctl -u flanneld' on worker-1 and cp-1"],
    ])("which node pods do not reach, and where to look with %s", async (routing, advice) => {
      machine.write("/unreachable", "10.100.11.1\n");
      expect(await complaint("", routing)).toBe(`pods do not reach node worker-1: ${advice}`);
    });

    it("that a node has no DNS cache", async () => {
      expect(await complaint('*" daemonset "*) echo 2 ;;')).toBe(
        "the DNS cache does not run on every node; see 'kubectl -n kube-system get pods -o wide -l k8s-app=node-local-dns'",
      );
    });

    it("that the cluster's DNS does not answer", async () => {
      machine.write("/no-dns", "");
      expect(await complaint()).toBe(
        "the cluster's DNS does not answer; see 'kubectl -n kube-system get pods -l k8s-app=kube-dns'",
      );
    });
  });
});
