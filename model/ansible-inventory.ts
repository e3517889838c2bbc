import type { ClusterPlan, NodePlan } from "./plan.ts";

/** What a node's machine is known by once it is there. */
export interface Machine<Text> {
  floatingAddress: Text;
  instanceId: Text;
}

/**
 * The nodes as Ansible's YAML inventory has them, which reads JSON as well
 * (https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html): a group for each role and
 * each pool. An underscore, which no node's name has, keeps a group's name from being a node's.
 * @param machines the machines by node name
 */
export function ansibleInventory<Text>(
  { nodes, settings }: Pick<ClusterPlan, "nodes" | "settings">,
  machines: Record<string, Machine<Text>>,
) {
  const group = (isIn: (node: NodePlan) => boolean) => ({
    hosts: Object.fromEntries(
      nodes.filter(isIn).map(({ name, address, podNetwork }) => [
        name,
        {
          ansible_host: machines[name]!.floatingAddress,
          address,
          pod_network: podNetwork,
          instance_id: machines[name]!.instanceId,
        },
      ]),
    ),
  });
  type Group = ReturnType<typeof group>;
  const pools = Object.keys(settings.pools).map((pool) => [
    // Ansible warns of a group's name with a dash.
    `pool_${pool.replaceAll("-", "_")}`,
    group((node) => node.pool === pool),
  ]);
  const children: { role_control_plane: Group; role_worker: Group; [pool: `pool_${string}`]: Group } = {
    role_control_plane: group(({ role }) => role === "control-plane"),
    role_worker: group(({ role }) => role === "worker"),
    ...Object.fromEntries(pools),
  };
  return { all: { vars: { ansible_user: settings.ssh.user }, children } };
}
