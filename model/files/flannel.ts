import { file, type Files } from "../bundle.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { template } from "../templates.ts";
import { toYaml } from "../yaml.ts";

/**
 * Flannel as a service, where it routes (https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md).
 * It takes each node's pod network from the Node object and notes there how to reach it.
 */
export function flannelFiles({ settings, routing }: ClusterBase, node: NodeBase): Files {
  if (routing.flannel === undefined) return {};
  const configuration = { Network: settings.cluster.podNetwork, Backend: { Type: routing.flannel } };
  return {
    "/etc/openstack-kubernetes/flannel.json": file(`${JSON.stringify(configuration, null, 2)}\n`),
    "/etc/systemd/system/flanneld.service": file(template("units/flanneld.service")),
    ...(node.role === "control-plane"
      ? { "/etc/kubernetes/bootstrap/flannel.yaml": file(toYaml(rightToFindNodes())) }
      : {}),
  };
}

/**
 * Flannel is a node to the API, by the kubelet's certificate: it may write to its own Node object alone
 * (NodeRestriction). That it may read the others', a kubelet's right no longer, is said here.
 */
function rightToFindNodes() {
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name: "openstack-kubernetes:flannel" };
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRole",
        metadata,
        rules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"] }],
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRoleBinding",
        metadata,
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: metadata.name },
        subjects: [{ apiGroup: rbac, kind: "Group", name: "system:nodes" }],
      },
    ],
  };
}
