import { expect, it } from "vitest";
import { ansibleInventory } from "../../model/ansible-inventory.ts";
import { planOf } from "../helpers/cluster.ts";

const machineOf = (name: string) => ({ floatingAddress: `address of ${name}`, instanceId: `id of ${name}` });
const inventory = (nodes: Record<string, object>) => {
  const machines = Object.fromEntries(Object.keys(nodes).map((name) => [name, machineOf(name)]));
  return ansibleInventory(planOf({ nodes }).nodes, "debian", machines);
};

it("an inventory for Ansible has a group for each role, and what a host is known by", () => {
  const nodes = { db: { role: "worker", slot: 3 }, "a-1": { role: "control-plane", slot: 2 } };
  expect(inventory(nodes)).toEqual({
    all: {
      vars: { ansible_user: "debian" },
      children: {
        role_control_plane: {
          hosts: {
            "a-1": {
              ansible_host: "address of a-1",
              address: "10.0.0.2",
              pod_network: "10.100.2.0/24",
              instance_id: "id of a-1",
            },
          },
        },
        role_worker: {
          hosts: {
            db: {
              ansible_host: "address of db",
              address: "10.0.0.3",
              pod_network: "10.100.3.0/24",
              instance_id: "id of db",
            },
          },
        },
      },
    },
  });
});

it("a group without a node is there all the same, so that a play for it finds it", () => {
  const { children } = inventory({ cp: { role: "control-plane", slot: 2 } }).all;
  expect(children.role_worker).toEqual({ hosts: {} });
});
