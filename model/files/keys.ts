import type { Authority, ClusterCertificate, NodeCertificate } from "../certificates.ts";
import { includes, type Phase } from "../phases.ts";
import type { NodeSettings } from "../settings.ts";
import { authorizedKeysFile } from "./updates.ts";

/** Whose key or certificate a file holds. */
export type PemSource =
  | { of: "authority"; name: Authority; part: Part }
  | { of: "cluster"; name: ClusterCertificate; part: Part }
  | { of: "node"; name: NodeCertificate; part: Part }
  | { of: "service-account" | "update"; part: "key" | "public-key" };

type Part = "certificate" | "key";

/** Where each of the cluster's certificates goes in the folder of a control-plane node, without `.crt` and `.key`. */
const controlPlaneCertificates: Partial<Record<ClusterCertificate, string>> = {
  etcd: "etcd/etcd",
  "etcd-peer": "etcd/etcd-peer",
  "etcd-healthcheck-client": "etcd/healthcheck-client",
  "apiserver-etcd-client": "apiserver-etcd-client",
  apiserver: "apiserver",
  "apiserver-kubelet-client": "apiserver-kubelet-client",
  "front-proxy-client": "front-proxy-client",
  "super-admin": "super-admin",
  "controller-manager": "controller-manager",
  scheduler: "scheduler",
};

/**
 * The files of keys and certificates on a node in its phase, 0600 each, by path. Their content is known to `pulumi up`
 * alone.
 * @param pki folder of Kubernetes' keys and certificates
 */
export function keyFiles(phase: Phase, role: NodeSettings["role"], pki: string): Record<string, PemSource> {
  return {
    ...(includes(phase, "docker") && dockerKeyFiles),
    ...(includes(phase, "kubernetes") && kubernetesKeyFiles(pki)),
    ...(includes(phase, "kubernetes") && role === "control-plane" && controlPlaneKeyFiles(pki)),
  };
}

const dockerKeyFiles: Record<string, PemSource> = {
  "/etc/docker/tls/ca.pem": { of: "authority", name: "docker", part: "certificate" },
  "/etc/docker/tls/server-cert.pem": { of: "node", name: "docker", part: "certificate" },
  "/etc/docker/tls/server-key.pem": { of: "node", name: "docker", part: "key" },
};

function kubernetesKeyFiles(pki: string): Record<string, PemSource> {
  return {
    [authorizedKeysFile]: { of: "update", part: "public-key" },
    [`${pki}/ca.crt`]: { of: "authority", name: "kubernetes", part: "certificate" },
    [`${pki}/kubelet.crt`]: { of: "node", name: "kubelet", part: "certificate" },
    [`${pki}/kubelet.key`]: { of: "node", name: "kubelet", part: "key" },
    ...keyPair(`${pki}/kube-proxy`, "kube-proxy"),
  };
}

function controlPlaneKeyFiles(pki: string): Record<string, PemSource> {
  const pairs = Object.entries(controlPlaneCertificates).map(([name, path]) =>
    keyPair(`${pki}/${path}`, name as ClusterCertificate),
  );
  return Object.assign(
    {
      [`${pki}/ca.key`]: { of: "authority", name: "kubernetes", part: "key" },
      [`${pki}/etcd/ca.crt`]: { of: "authority", name: "etcd", part: "certificate" },
      [`${pki}/front-proxy-ca.crt`]: { of: "authority", name: "front-proxy", part: "certificate" },
      [`${pki}/sa.key`]: { of: "service-account", part: "key" },
      [`${pki}/sa.pub`]: { of: "service-account", part: "public-key" },
      "/etc/openstack-kubernetes/update.key": { of: "update", part: "key" },
    } satisfies Record<string, PemSource>,
    ...pairs,
  );
}

function keyPair(path: string, name: ClusterCertificate): Record<string, PemSource> {
  return {
    [`${path}.crt`]: { of: "cluster", name, part: "certificate" },
    [`${path}.key`]: { of: "cluster", name, part: "key" },
  };
}
