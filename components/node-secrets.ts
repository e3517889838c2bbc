import * as pulumi from "@pulumi/pulumi";
import type * as tls from "@pulumi/tls";
import type { Files } from "../model/bundle.ts";
import { keyFiles, type PemSource } from "../model/files/keys.ts";
import { authorizedKey } from "../model/files/updates.ts";
import type { NodePlan } from "../model/plan.ts";
import type { Settings } from "../model/settings.ts";
import type { Certificates } from "./certificates.ts";

export interface NodeSecretsArgs {
  settings: Settings;
  node: NodePlan;
  /** The node's one key, and its certificate, for the kubelet and Docker. */
  key: tls.PrivateKey;
  certificate: tls.LocallySignedCert;
  certificates: Certificates;
}

/** All keys and certificates of a node in its phase as secret files, 0600 each. */
export function nodeSecrets(args: NodeSecretsArgs): pulumi.Output<Files> {
  const sources = keyFiles(args.settings, args.node.role);
  const pems = Object.fromEntries(Object.entries(sources).map(([path, source]) => [path, pem(args, source)]));
  return pulumi.secret(pulumi.all(pems)).apply(secretFiles);
}

function pem({ key, certificate, certificates }: NodeSecretsArgs, source: PemSource): pulumi.Output<string> {
  switch (source.of) {
    case "authority": {
      const { signing, trustedPem } = certificates.authorities[source.name];
      if (source.part === "trusted") return trustedPem;
      return source.part === "key" ? signing.key.privateKeyPem : signing.certificate.certPem;
    }
    case "cluster": {
      const { keyPem, certificatePem } = certificates.certificates[source.name];
      return source.part === "key" ? keyPem : certificatePem;
    }
    case "node":
      return source.part === "key" ? key.privateKeyPem : certificate.certPem;
    case "service-account": {
      const { signing, trustedPem } = certificates.serviceAccount!;
      return source.part === "key" ? signing.privateKeyPem : trustedPem;
    }
    case "update": {
      const { privateKeyOpenssh, publicKeyOpenssh } = certificates.updateKey!;
      return source.part === "key" ? privateKeyOpenssh : publicKeyOpenssh.apply(authorizedKey);
    }
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
