import type { Files } from "../bundle.ts";
import type { Checksums } from "../downloads.ts";
import { includes } from "../phases.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { clockFiles } from "./clock.ts";
import { containerdFiles } from "./containerd.ts";
import { controlPlaneFiles } from "./control-plane.ts";
import { convergeFiles } from "./converge.ts";
import { dockerFiles } from "./docker.ts";
import { etcdFiles } from "./etcd.ts";
import { flannelFiles } from "./flannel.ts";
import { kubeProxyFiles } from "./kube-proxy.ts";
import { kubeletFiles } from "./kubelet.ts";
import { nameFiles } from "./names.ts";
import { podNetworkFiles } from "./pod-network.ts";
import { proxyDropIn, proxyFiles } from "./proxy.ts";
import { updateFiles } from "./updates.ts";

/**
 * Every file of a node but its keys and certificates (keys.ts has those). A phase adds files to those of the phase before
 * and changes none but the list of steps.
 */
export function nodeFiles(cluster: ClusterBase, node: NodeBase, checksums: Checksums): Files {
  const { settings } = cluster;
  const docker = includes(settings.phase, "docker") && {
    ...convergeFiles(cluster, node, checksums),
    ...podNetworkFiles(cluster, node),
    ...dockerFiles(cluster, node),
    ...containerdFiles(cluster),
    ...clockFiles(settings),
    ...proxyFiles(settings),
    ...proxyDropIn(settings, "containerd"),
    ...proxyDropIn(settings, "docker"),
  };
  const kubernetes = includes(settings.phase, "kubernetes") && {
    ...kubeletFiles(cluster, node),
    ...kubeProxyFiles(cluster, node),
    ...flannelFiles(cluster, node),
    ...(node.role === "control-plane" ? { ...controlPlaneFiles(cluster), ...etcdFiles(cluster) } : {}),
    ...nameFiles(settings),
    ...updateFiles(settings, node),
    ...proxyDropIn(settings, "kubelet"),
  };
  return { ...docker, ...kubernetes };
}
