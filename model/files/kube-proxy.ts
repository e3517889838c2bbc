import { file, type Files } from "../bundle.ts";
import { merge } from "../merge.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { template } from "../templates.ts";
import { toYaml } from "../yaml.ts";
import { nodeKubeconfig } from "./pki.ts";

/** kube-proxy as a service (https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/). */
export function kubeProxyFiles(cluster: ClusterBase, node: NodeBase): Files {
  const { settings } = cluster;
  const configuration = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: settings.kubeProxy.mode,
    hostnameOverride: node.name,
    clientConnection: { kubeconfig: "/etc/kubernetes/kube-proxy.conf" },
    clusterCIDR: settings.cluster.podNetwork,
    detectLocalMode: "ClusterCIDR",
    healthzBindAddress: "127.0.0.1:10256",
    metricsBindAddress: "127.0.0.1:10249",
  };
  return {
    "/etc/kubernetes/kube-proxy.yaml": file(toYaml(merge(configuration, settings.kubeProxy.config))),
    "/etc/kubernetes/kube-proxy.conf": file(nodeKubeconfig(cluster, "system:kube-proxy", "kube-proxy")),
    "/etc/systemd/system/kube-proxy.service": file(template("units/kube-proxy.service")),
  };
}
