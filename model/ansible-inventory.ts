import type { NodePlan } from "./plan.ts";

/** What a node's machine is known by once it is there. */
export interface Machine<Text> {
  floatingAddress: Text;
  instanceId: Text;
}

/**
 * The nodes as Ansible's YAML inventory has them, which reads JSON as well
 * (https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html): a group for each role. An
 * underscore, which no node's name has, keeps a group's name from being a node's.
 * @param machines the machines by node name
 */
export function ansibleInventory<Text>(
  nodes: Pick<NodePlan, "name" | "role" | "address" | "podNetwork">[],
  user: string,
  machines: Record<string, Machine<Text>>,
) {
  const hosts = (role: NodePlan["role"]) =>
    Object.fromEntries(
      nodes
        .filter((node) => node.role === role)
        .map(({ name, address, podNetwork }) => [
          name,
          {
            ansible_host: machines[name]!.floatingAddress,
            address,
            pod_network: podNetwork,
            instance_id: machines[name]!.instanceId,
          },
        ]),
    );
  return {
    all: {
      vars: { ansible_user: user },
      children: {
        role_control_plane: { hosts: hosts("control-plane") },
        role_worker: { hosts: hosts("worker") },
      },
    },
  };
}
