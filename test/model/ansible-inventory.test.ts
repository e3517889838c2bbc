import { expect, it } from "vitest";
import { ansibleInventory } from "../../model/ansible-inventory.ts";
import { planOf } from "../helpers/cluster.ts";

const machineOf = (name: string) => ({ floatingAddress: `address of ${name}`, instanceId: `id of ${name}` });
const inventory = (nodes: Record<string, object>, pools = {}) => {
  const plan = planOf({ nodes, pools });
  return ansibleInventory(plan, Object.fromEntries(plan.nodes.map(({ name }) => [name, machineOf(name)])));
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

it("has a group for each pool as well, also for one without a node", () => {
  const pools = { "big-disk": { count: 2, slots: "20-29" }, spare: { count: 0, slots: "30-39" } };
  const { children } = inventory(
    { cp: { role: "control-plane", slot: 2 }, db: { role: "worker", slot: 3 } },
    pools,
  ).all;
  expect(Object.keys(children)).toEqual(["role_control_plane", "role_worker", "pool_big_disk", "pool_spare"]);
  expect(Object.keys(children.role_worker.hosts)).toEqual(["db", "big-disk-1", "big-disk-2"]);
  expect(Object.keys(children.pool_big_disk!.hosts)).toEqual(["big-disk-1", "big-disk-2"]);
  expect(children.pool_spare).toEqual({ hosts: {} });
});
