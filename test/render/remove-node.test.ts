import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeNode } from "../../model/commands.ts";
import { done, NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

describe("remove-node.sh", () => {
  /** Removes a node of two that the cluster knows and that is Ready, unless `answer` says otherwise. */
  const remove = async (answer: string, rollout: object = {}) => {
    machine.place(machine.planned({ rollout }).controlPlane.files);
    machine.placeKubectl(`${answer}
      case "$*" in
        *" get node worker-1 "*conditions*) echo True ;;
        *" get node worker-1 "*unschedulable*) ;;
        *" get node worker-1 "*) echo node/worker-1 ;;
        *" get nodes "*) printf 'node/cp-1\\nnode/worker-1\\n' ;;
      esac`);
    machine.forget();
    return await machine.run(removeNode("worker-1"));
  };
  const drains = () => machine.calls("kubectl", / drain /);
  const deletions = () => machine.calls("kubectl", / delete /);

  it("drains the node, as its pods' budgets allow, then deletes its object", async () => {
    expect(await remove("true")).toEqual(done);
    const [drain, deletion] = machine.calls("kubectl", / (drain|delete) /);
    expect(drain).toMatch(
      / drain worker-1 --ignore-daemonsets --delete-emptydir-data --force --timeout 300s$/,
    );
    expect(deletion).toContain("delete node worker-1");
  });

  it("keeps a node that its pods do not leave in time, and says what to do", async () => {
    const { exitCode, stderr } = await remove(
      '[[ "$*" != *drain* ]] || { echo "error: it is late" >&2; return 1; }',
      {
        drainSeconds: 20,
      },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^removing node worker-1: its pods did not leave within 20 s: error: it is late; make room .*rollout\.forceDrain; see/,
    );
    expect(deletions()).toEqual([]);
    expect(machine.calls("kubectl", / uncordon /)).toHaveLength(1);
  });

  it("leaves a node cordoned that was so before, where its pods do not leave", async () => {
    const { exitCode } = await remove(
      'case "$*" in *unschedulable*) echo true; return ;; *drain*) return 1 ;; esac',
    );
    expect([exitCode, machine.calls("kubectl", / uncordon /)]).toEqual([1, []]);
  });

  it("says where a node stays cordoned whose pods did not leave", async () => {
    const { stderr } = await remove('case "$*" in *drain*|*uncordon*) return 1 ;; esac');
    expect(stderr).toContain("; it stays cordoned, so uncordon it; see");
  });

  it("drains against the budgets where it is forced to", async () => {
    expect(await remove("true", { forceDrain: true })).toEqual(done);
    expect(drains()[0]).toMatch(/ --disable-eviction$/);
  });

  it("takes a dead node out without moving its pods, and says so", async () => {
    const { exitCode, stdout } = await remove('[[ "$*" != *conditions* ]] || { echo Unknown; return; }');
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: "node worker-1 does not answer, so its pods are not moved",
    });
    expect([drains().length, deletions().length]).toEqual([0, 1]);
  });

  it.each(["get", "get nodes", "get node worker-1 -o jsonpath={.spec."])(
    "fails with one line where the API does not answer to %s",
    async (question) => {
      const { exitCode, stderr } = await remove(`[[ "$*" != *" ${question}"* ]] || return 1`);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^removing node worker-1: the API does not answer; see \/var\/log\/openstack-kubernetes.log on \S+$/,
      );
      expect(machine.calls("kubectl", / (drain|delete) /)).toEqual([]);
    },
  );

  it("has nothing to do for a node that the cluster does not know", async () => {
    expect(await remove("return 0")).toEqual(done);
    expect(machine.calls("kubectl", / (drain|delete) /)).toEqual([]);
  });

  it("fails with one line where the node's object stays", async () => {
    const { exitCode, stderr } = await remove('[[ "$*" != *" delete "* ]] || return 1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^removing node worker-1: its Node object could not be deleted; see \S+ on \S+$/);
  });
});
