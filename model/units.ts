import type { Files } from "./bundle.ts";

/** The unit that a step of converge.sh starts. */
export const unitOfStep: Record<string, string> = {
  pod_network: "systemd-networkd.service",
  pod_network_rules: "pod-network.service",
  containerd: "containerd.service",
  docker: "docker.service",
  clock: "systemd-timesyncd.service",
  cri_dockerd: "cri-dockerd.service",
  kubelet: "kubelet.service",
  kube_proxy: "kube-proxy.service",
  pod_routes: "flanneld.service",
  etcd_snapshots: "etcd-snapshot.timer",
  node_names: "node-names.timer",
};

/** Units that a step starts only where the node has a file of them. */
const optional = ["flanneld.service", "node-names.timer"];

/** The units that run on a machine with these files. */
export function unitsOf(files: Files): string[] {
  const steps = files["/etc/openstack-kubernetes/steps"]?.content.trimEnd().split("\n") ?? [];
  return steps
    .flatMap((step) => unitOfStep[step] ?? [])
    .filter((unit) => !optional.includes(unit) || `/etc/systemd/system/${unit}` in files);
}
