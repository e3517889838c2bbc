import { environmentFile, file, type Files } from "../bundle.ts";
import type { NodeBase } from "../plan.ts";
import type { Settings } from "../settings.ts";

/** Who may have this node updated: the control plane's key, for that alone. */
export const authorizedKeysFile = "/etc/openstack-kubernetes/authorized_keys";

/** How SSH's server finds that key beside the login's own (sshd_config(5), AuthorizedKeysCommand), and, on a control-plane node, how nodes are updated. */
export function updateFiles({ ssh, rollout }: Settings, { role }: Pick<NodeBase, "role">): Files {
  return {
    "/etc/ssh/sshd_config.d/50-openstack-kubernetes.conf": file(
      `Match User ${ssh.user}\n  AuthorizedKeysCommand /usr/bin/cat ${authorizedKeysFile}\n  AuthorizedKeysCommandUser root\n`,
    ),
    ...(role === "control-plane"
      ? {
          "/etc/openstack-kubernetes/rollout.env": environmentFile({
            DRAIN_SECONDS: rollout.drainSeconds,
            FORCE_DRAIN: rollout.forceDrain,
          }),
        }
      : {}),
  };
}

/** The line that lets a key update a node and do nothing else (sshd(8), AUTHORIZED_KEYS FILE FORMAT). */
export function authorizedKey(publicKey: string): string {
  const command = 'sudo -n /usr/local/lib/openstack-kubernetes/update.sh \\"$SSH_ORIGINAL_COMMAND\\"';
  return `restrict,command="${command}" ${publicKey}`;
}
