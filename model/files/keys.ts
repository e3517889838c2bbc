import type { Authority, ClusterCertificate } from "../certificates.ts";
import { includes } from "../phases.ts";
import type { NodeSettings, Settings } from "../settings.ts";
import { authorizedKeysFile } from "./updates.ts";

/** Whose key or certificate a file holds. Of an authority that may be the certificates of all keys that are trusted. */
export type PemSource =
  | { of: "authority"; name: Authority; part: Part | "trusted" }
  | { of: "cluster"; name: ClusterCertificate; part: Part }
  | { of: "node"; part: Part }
  | { of: "service-account"; part: "key" | "public-keys" }
  | { of: "update"; part: "key" | "public-key" };

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
 */
export function keyFiles(settings: Settings, role: NodeSettings["role"]): Record<string, PemSource> {
  const { phase } = settings;
  const kubernetes = includes(phase, "kubernetes");
  return {
    ...(includes(phase, "docker") && dockerKeyFiles),
    ...(kubernetes && kubernetesKeyFiles(settings.cluster.certificateFolder)),
    ...(kubernetes && role === "control-plane" && controlPlaneKeyFiles(settings)),
  };
}

/**
 * Certificate of the authority that signs for requests through the API. Its reader takes a file with one certificate
 * alone, which the one with all that are trusted usually is.
 */
export function signingCertificate({ cluster, certificates }: Settings): string {
  const { trusted } = certificates.epochs.kubernetes;
  return `${cluster.certificateFolder}/${trusted.length > 1 ? "signing-ca" : "ca"}.crt`;
}

const dockerKeyFiles: Record<string, PemSource> = {
  // Who has a client certificate of this authority is root here; Kubernetes' must not count.
  "/etc/docker/tls/ca.pem": { of: "authority", name: "docker", part: "trusted" },
  "/etc/docker/tls/server-cert.pem": { of: "node", part: "certificate" },
  "/etc/docker/tls/server-key.pem": { of: "node", part: "key" },
};

function kubernetesKeyFiles(pki: string): Record<string, PemSource> {
  return {
    [authorizedKeysFile]: { of: "update", part: "public-key" },
    [`${pki}/ca.crt`]: { of: "authority", name: "kubernetes", part: "trusted" },
    [`${pki}/kubelet.crt`]: { of: "node", part: "certificate" },
    [`${pki}/kubelet.key`]: { of: "node", part: "key" },
    ...keyPair(`${pki}/kube-proxy`, "kube-proxy"),
  };
}

function controlPlaneKeyFiles(settings: Settings): Record<string, PemSource> {
  const pki = settings.cluster.certificateFolder;
  const signing = signingCertificate(settings);
  const pairs = Object.entries(controlPlaneCertificates).map(([name, path]) =>
    keyPair(`${pki}/${path}`, name as ClusterCertificate),
  );
  return Object.assign(
    {
      [`${pki}/ca.key`]: { of: "authority", name: "kubernetes", part: "key" },
      ...(signing !== `${pki}/ca.crt` && {
        [signing]: { of: "authority", name: "kubernetes", part: "certificate" },
      }),
      [`${pki}/etcd/ca.crt`]: { of: "authority", name: "etcd", part: "trusted" },
      [`${pki}/front-proxy-ca.crt`]: { of: "authority", name: "front-proxy", part: "trusted" },
      [`${pki}/sa.key`]: { of: "service-account", part: "key" },
      // A file may hold several.
      [`${pki}/sa.pub`]: { of: "service-account", part: "public-keys" },
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
