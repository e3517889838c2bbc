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
  /** Removes a node that the cluster knows, unless `answer` says otherwise. */
  const remove = async (answer: string) => {
    machine.place(machine.planned().controlPlane.files);
    machine.placeKubectl(`${answer}\n[[ "$*" != *" get node "* ]] || echo node/worker-1`);
    machine.forget();
    return await machine.run(removeNode("worker-1"));
  };

  it("drains the node, then deletes its object", async () => {
    expect(await remove("true")).toEqual(done);
    const [drain, deletion] = machine.calls("kubectl", / (drain|delete) /);
    expect(drain).toContain("drain worker-1 --ignore-daemonsets --delete-emptydir-data");
    expect(deletion).toContain("delete node worker-1");
  });

  it("deletes a node that cannot be drained, and says so", async () => {
    const { exitCode, stdout } = await remove('[[ "$*" != *drain* ]] || return 1');
    expect(exitCode).toBe(0);
    expect(stdout).toContain("node worker-1 could not be drained and is removed all the same");
    expect(machine.calls("kubectl", / delete /)).toHaveLength(1);
  });

  it("fails with one line where the API does not answer", async () => {
    const { exitCode, stderr } = await remove('[[ "$*" != *" get "* ]] || return 1');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^removing node worker-1: the API does not answer; see \/var\/log\/openstack-kubernetes.log on \S+$/,
    );
    expect(machine.calls("kubectl", / (drain|delete) /)).toEqual([]);
  });

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
