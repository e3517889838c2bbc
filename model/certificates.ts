import { includes, type Phase } from "./phases.ts";

/** The certificate authorities of a cluster. Docker's clients have their own: a certificate of it means root on a node. */
export const authorities = {
  kubernetes: "kubernetes-ca",
  etcd: "etcd-ca",
  "front-proxy": "kubernetes-front-proxy-ca",
  docker: "docker-ca",
} as const;

export type Authority = keyof typeof authorities;

/** Those of Docker: Kubernetes' signs the servers' certificates, its own the clients'. */
const dockerAuthorities: Authority[] = ["kubernetes", "docker"];

/** The authorities that a stack in this phase has. */
export function authoritiesOf(phase: Phase): Authority[] {
  const all = Object.keys(authorities) as Authority[];
  return all.filter((name) => includes(phase, dockerAuthorities.includes(name) ? "docker" : "kubernetes"));
}

/** The name of what belongs to one of an authority's keys; that of the first is plain, as it was before there were more. */
export function ofEpoch(name: string, epoch: number): string {
  return epoch === 1 ? name : `${name}-${epoch}`;
}

/** What a certificate says. Names and addresses are sorted, since another order would replace it. */
export interface Subject {
  commonName: string;
  organization?: string;
  dnsNames?: string[];
  ipAddresses?: string[];
}

export interface CertificateSpec extends Subject {
  authority: Authority;
  usages: ("server_auth" | "client_auth")[];
}

/** Group of the API server's own client certificate: allowed to use kubelets and nothing else. */
export const kubeletClientGroup = "openstack-kubernetes:kubelet-clients";
/** Group of the administrator, bound to cluster-admin in the cluster, so that the binding can be taken away. */
export const adminGroup = "kubeadm:cluster-admins";

/** What the cluster's own certificates depend on. */
export interface CertificateNames {
  controlPlane: { name: string; address: string };
  domain: string;
  apiServiceAddress: string;
}

/** The cluster's own certificates by name (https://kubernetes.io/docs/setup/best-practices/certificates/). */
export function clusterCertificates({ controlPlane, domain, apiServiceAddress }: CertificateNames) {
  const local = {
    dnsNames: ["localhost", controlPlane.name].sort(),
    ipAddresses: ["127.0.0.1", controlPlane.address].sort(),
  };
  const kubernetesClient = (commonName: string, organization?: string): CertificateSpec => ({
    authority: "kubernetes",
    commonName,
    organization,
    usages: ["client_auth"],
  });
  return {
    etcd: { authority: "etcd", commonName: "kube-etcd", usages: ["server_auth", "client_auth"], ...local },
    "etcd-peer": {
      authority: "etcd",
      commonName: "kube-etcd-peer",
      usages: ["server_auth", "client_auth"],
      ...local,
    },
    "etcd-healthcheck-client": {
      authority: "etcd",
      commonName: "kube-etcd-healthcheck-client",
      usages: ["client_auth"],
    },
    "apiserver-etcd-client": {
      authority: "etcd",
      commonName: "kube-apiserver-etcd-client",
      usages: ["client_auth"],
    },
    apiserver: {
      authority: "kubernetes",
      commonName: "kube-apiserver",
      usages: ["server_auth"],
      dnsNames: [
        ...local.dnsNames,
        ...["kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${domain}`],
      ].sort(),
      ipAddresses: [...local.ipAddresses, apiServiceAddress].sort(),
    },
    "apiserver-kubelet-client": kubernetesClient("kube-apiserver-kubelet-client", kubeletClientGroup),
    "front-proxy-client": {
      authority: "front-proxy",
      commonName: "front-proxy-client",
      usages: ["client_auth"],
    },
    admin: kubernetesClient("kubernetes-admin", adminGroup),
    "super-admin": kubernetesClient("kubernetes-super-admin", "system:masters"),
    "controller-manager": kubernetesClient("system:kube-controller-manager"),
    scheduler: kubernetesClient("system:kube-scheduler"),
    "kube-proxy": kubernetesClient("system:kube-proxy"),
    "docker-client": { authority: "docker", commonName: "docker-client", usages: ["client_auth"] },
  } satisfies Record<string, CertificateSpec>;
}

export type ClusterCertificate = keyof ReturnType<typeof clusterCertificates>;

/** A node's one certificate, of the kubelet and of Docker's server. */
export const nodeCertificate = {
  authority: "kubernetes",
  usages: ["server_auth", "client_auth"],
} satisfies Pick<CertificateSpec, "authority" | "usages">;

/** Subject of a node's certificate. Its floating address joins the addresses once there is one. */
export function nodeSubject(name: string, address: string): Required<Subject> {
  return {
    commonName: `system:node:${name}`,
    organization: "system:nodes",
    dnsNames: [name],
    ipAddresses: [address, "127.0.0.1"].sort(),
  };
}
