import { environmentFile, file, type Files } from "../bundle.ts";
import { downloadsOf, type Checksums } from "../downloads.ts";
import { includes } from "../phases.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import type { Settings } from "../settings.ts";
import { template } from "../templates.ts";
import { cniPlugins, criDockerd, flannel } from "../versions.ts";
import { image } from "./images.ts";

/** Debian and Ubuntu packages of a node. conntrack, nftables and iptables are what kube-proxy and portmap call. */
const packages = [
  "ca-certificates",
  "conntrack",
  "containerd",
  "curl",
  "docker.io",
  "iproute2",
  "iptables",
  "iputils-ping",
  "nftables",
];

/** What converge.sh does on a node: its steps by name, in their order. */
function steps({ phase, runtime, ntp }: Settings, role: NodeBase["role"]): string[] {
  const base = ["pod_network", "packages_and_downloads", "pod_network_rules", "containerd"];
  const clock = ntp.servers.length > 0 ? ["clock"] : [];
  if (!includes(phase, "kubernetes")) return [...base, "docker", ...clock, "node_names"];
  const podsByDocker = runtime === "docker";
  return [
    ...base,
    "updates",
    ...(podsByDocker ? ["docker", "cri_dockerd"] : []),
    "kubelet",
    "kube_proxy",
    // Meanwhile the control plane's pods start.
    ...(podsByDocker ? [] : ["docker"]),
    ...clock,
    // Without flannel too, which may have to go.
    "pod_routes",
    ...(role === "control-plane" ? ["kubernetes_api", "etcd_snapshots"] : ["node_ready"]),
    "node_names",
  ];
}

/** The scripts of a node, their values, and what they are to do and to install. */
export function convergeFiles(cluster: ClusterBase, node: NodeBase, checksums: Checksums): Files {
  const { settings, release, routing } = cluster;
  const kubernetes = includes(settings.phase, "kubernetes");
  const controlPlane = node.role === "control-plane";
  const scripts = [
    "converge.sh",
    "fetch-downloads.sh",
    "install-files.sh",
    "keys-digest.sh",
    "node-names.sh",
    "pod-network.sh",
    ...(kubernetes ? ["update.sh"] : []),
    ...(kubernetes && controlPlane ? ["drain-node.sh", "ready.sh", "remove-node.sh", "rollout.sh"] : []),
  ];
  const values = {
    NODE_NAME: node.name,
    NODE_ADDRESS: node.address,
    POD_GATEWAY: node.podGateway,
    PAUSE_IMAGE: image(settings, `pause:${release.pause}`),
    CLUSTER_DOMAIN: settings.cluster.domain,
    ...(controlPlane ? { API_SERVER: cluster.apiServer } : {}),
    CERTIFICATE_FOLDER: settings.cluster.certificateFolder,
    ...(routing.flannel === undefined
      ? {}
      : { FLANNEL_BACKEND: routing.flannel, FLANNEL_NETWORK: settings.cluster.podNetwork }),
    ...(routing.overhead === 0 ? {} : { ROUTING_OVERHEAD: routing.overhead }),
  };
  const files: Files = {
    "/etc/openstack-kubernetes/node.env": environmentFile(values),
    "/etc/openstack-kubernetes/steps": file(lines(steps(settings, node.role))),
    "/etc/openstack-kubernetes/packages": file(
      lines([...packages, ...(settings.ntp.servers.length > 0 ? ["systemd-timesyncd"] : [])]),
    ),
  };
  if (kubernetes) {
    files["/etc/openstack-kubernetes/downloads"] = file(
      lines(downloadLines(cluster, controlPlane, checksums)),
    );
    files["/etc/openstack-kubernetes/cluster-resolv.conf"] = file(`nameserver ${cluster.dnsAddress}\n`);
  }
  for (const script of scripts) {
    files[`/usr/local/lib/openstack-kubernetes/${script}`] = {
      content: template(`scripts/${script}`),
      mode: "0755",
    };
  }
  if (settings.packages.sources !== undefined) {
    files["/etc/apt/sources.list.d/openstack-kubernetes.sources"] = file(
      lines([settings.packages.sources.trimEnd()]),
    );
  }
  return files;
}

function downloadLines(
  { settings, routing }: ClusterBase,
  controlPlane: boolean,
  checksums: Checksums,
): string[] {
  const { kubernetes, github } = settings.downloads;
  return downloadsOf({
    kubernetesVersion: settings.cluster.kubernetesVersion,
    cniPlugins,
    criDockerd: settings.runtime === "docker" ? criDockerd : undefined,
    flannel: routing.flannel && flannel,
  })
    .filter(({ target }) => controlPlane || target !== "/usr/local/bin/kubectl")
    .map(({ path, target, members }) => {
      const url = path.replace(/^dl\.k8s\.io/, kubernetes).replace(/^github\.com/, github);
      return [checksums[path], url, target, ...(members === undefined ? [] : [members.join(",")])].join(" ");
    });
}

function lines(values: string[]): string {
  return values.map((value) => `${value}\n`).join("");
}
