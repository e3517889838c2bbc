import * as pulumi from "@pulumi/pulumi";
import type * as tls from "@pulumi/tls";
import { bundle, type Files } from "../model/bundle.ts";
import type { ClusterCertificate } from "../model/certificates.ts";
import type { NodePlan } from "../model/plan.ts";
import type { Certificates } from "./certificates.ts";

export interface NodeSecretsArgs {
  node: NodePlan;
  /** Where Kubernetes' keys and certificates go. */
  folder: string;
  /** The node's one key, for the kubelet and Docker. */
  key: tls.PrivateKey;
  docker: tls.LocallySignedCert;
  /** From phase kubernetes on. */
  kubelet?: tls.LocallySignedCert;
  certificates: Certificates;
}

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

/** All keys and certificates of a node in its phase as one secret bundle of files, 0600 each. */
export function nodeSecrets({
  node,
  folder: pki,
  key,
  docker,
  kubelet,
  certificates,
}: NodeSecretsArgs): pulumi.Output<string> {
  const { authorities } = certificates;
  const pems: Record<string, pulumi.Input<string>> = {
    "/etc/docker/tls/ca.pem": authorities.docker.certificate.certPem,
    "/etc/docker/tls/server-cert.pem": docker.certPem,
    "/etc/docker/tls/server-key.pem": key.privateKeyPem,
  };
  if (kubelet) {
    Object.assign(pems, {
      [`${pki}/ca.crt`]: authorities.kubernetes.certificate.certPem,
      [`${pki}/kubelet.crt`]: kubelet.certPem,
      [`${pki}/kubelet.key`]: key.privateKeyPem,
      ...keyPair(`${pki}/kube-proxy`, "kube-proxy"),
    });
  }
  if (kubelet && node.role === "control-plane") {
    Object.assign(pems, {
      [`${pki}/ca.key`]: authorities.kubernetes.key.privateKeyPem,
      [`${pki}/etcd/ca.crt`]: authorities.etcd.certificate.certPem,
      [`${pki}/front-proxy-ca.crt`]: authorities["front-proxy"].certificate.certPem,
      [`${pki}/sa.key`]: certificates.serviceAccountKey!.privateKeyPem,
      [`${pki}/sa.pub`]: certificates.serviceAccountKey!.publicKeyPem,
    });
    for (const [name, path] of Object.entries(controlPlaneCertificates)) {
      Object.assign(pems, keyPair(`${pki}/${path}`, name as ClusterCertificate));
    }
  }
  return pulumi.secret(pulumi.all(pems)).apply((known) => bundle(secretFiles(known)));

  function keyPair(path: string, name: ClusterCertificate): Record<string, pulumi.Output<string>> {
    const { keyPem, certificatePem } = certificates.certificates[name];
    return { [`${path}.crt`]: certificatePem, [`${path}.key`]: keyPem };
  }
}

function secretFiles(pems: Record<string, string>): Files {
  return Object.fromEntries(
    Object.entries(pems).map(([path, pem]) => [
      path,
      { content: `${pem.trimEnd()}\n`, mode: "0600" as const },
    ]),
  );
}
