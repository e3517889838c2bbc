/** What goes with one Kubernetes minor version. */
export interface Release {
  /** Tag of the image `etcd`. */
  etcd: string;
  /** Tag of the image `coredns/coredns`. */
  coredns: string;
  /** Tag of the image `pause`. */
  pause: string;
}

/**
 * Supported Kubernetes minor versions. etcd, CoreDNS and pause are those that kubeadm of the minor
 * version installs (cmd/kubeadm/app/constants/constants.go).
 */
export const releases: Record<string, Release> = {
  "1.35": { etcd: "3.6.6-0", coredns: "v1.13.1", pause: "3.10.1" },
  "1.36": { etcd: "3.6.8-0", coredns: "v1.14.2", pause: "3.10.2" },
  "1.37": { etcd: "3.7.0-0", coredns: "v1.14.6", pause: "3.10.2" },
};

/** CNI reference plugins (bridge, host-local, portmap, loopback). */
export const cniPlugins = "1.9.1";

/** Shim between the kubelet's CRI and Docker Engine; 0.4.3 answers RuntimeConfig, which 1.38 will ask for. */
export const criDockerd = "0.4.3";

/** Flannel, for `network.routing: flannel`. */
export const flannel = "0.28.9";

/** `1.36` of `1.36.3`. */
export function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
