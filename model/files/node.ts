import type { Files } from "../bundle.ts";
import type { Checksums } from "../downloads.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { containerdFiles } from "./containerd.ts";
import { controlPlaneFiles } from "./control-plane.ts";
import { convergeFiles } from "./converge.ts";
import { dockerFiles } from "./docker.ts";
import { flannelFiles } from "./flannel.ts";
import { kubeProxyFiles } from "./kube-proxy.ts";
import { kubeletFiles } from "./kubelet.ts";
import { podNetworkFiles } from "./pod-network.ts";

/** Every file of a node but its keys and certificates (components/node-secrets.ts has those). */
export function nodeFiles(cluster: ClusterBase, node: NodeBase, checksums: Checksums): Files {
  return {
    ...convergeFiles(cluster, node, checksums),
    ...podNetworkFiles(cluster, node),
    ...dockerFiles(cluster, node),
    ...containerdFiles(cluster),
    ...kubeletFiles(cluster, node),
    ...kubeProxyFiles(cluster, node),
    ...flannelFiles(cluster, node),
    ...(node.role === "control-plane" ? controlPlaneFiles(cluster) : {}),
  };
}
