import { describe, expect, it } from "vitest";
import { machinesOf } from "../../cli/machines.ts";
import type { StateResource } from "../../cli/stack-state.ts";
import { pack } from "../../model/bundle.ts";

const urn = (type: string, name: string) => `urn:pulumi:dev::openstack-kubernetes::${type}::${name}`;
const node = urn("openstack-kubernetes:nodes:Node", "demo-cp-1");

function child(type: string, part: string, more: Partial<StateResource>): StateResource {
  return { urn: urn(type, `demo-cp-1-${part}`), type, parent: node, inputs: {}, outputs: {}, ...more };
}

/** The resources of a node whose machine has this id. */
function resourcesOfNode(id: string, { sent }: { sent: boolean }): StateResource[] {
  const pendingReplacement = sent ? undefined : true;
  const stdin = pack({ "/etc/hostname": { content: "cp-1\n", mode: "0644" } });
  const command = (part: string) =>
    child("command:remote:Command", part, { inputs: { stdin, connection: {} }, pendingReplacement });
  return [
    { urn: node, type: "openstack-kubernetes:nodes:Node", inputs: {}, outputs: {} },
    child("openstack:compute/instance:Instance", "instance", {
      id,
      inputs: { name: "cp-1", metadata: { role: "control-plane" } },
    }),
    command("converge"),
  ];
}

describe("the machines of a stack", () => {
  it("are known by what its state has of them", () => {
    const [machine, ...others] = machinesOf(resourcesOfNode("a", { sent: true }));
    expect(others).toEqual([]);
    expect(machine).toMatchObject({ name: "cp-1", controlPlane: true, instanceId: "a" });
    expect(Object.keys(machine!.files)).toEqual(["/etc/hostname"]);
  });

  it("have none yet that is made anew, until a run has sent all to it", () => {
    expect(machinesOf(resourcesOfNode("b", { sent: false }))).toEqual([]);
  });
});
