import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { certificateHours, type CertificateSpec } from "../model/certificates.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";

export interface CertificateArgs {
  spec: CertificateSpec;
  authority: CertificateAuthority;
  /** Addresses that only a resource knows, added to those of the spec. */
  moreAddresses?: pulumi.Input<string>[];
}

/** A key and its certificate, signed by one of the cluster's authorities. */
export class Certificate extends pulumi.ComponentResource {
  readonly keyPem: pulumi.Output<string>;
  readonly certificatePem: pulumi.Output<string>;

  constructor(
    name: string,
    { spec, authority, moreAddresses = [] }: CertificateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:certificates:Certificate", name, {}, opts);
    const key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: spec.commonName, organization: spec.organization },
        dnsNames: spec.dnsNames,
        ipAddresses: [...(spec.ipAddresses ?? []), ...moreAddresses],
      },
      { parent: this },
    );
    const certificate = new tls.LocallySignedCert(
      `${name}-certificate`,
      signed(request, authority, spec.usages),
      { parent: this },
    );
    this.keyPem = key.privateKeyPem;
    this.certificatePem = certificate.certPem;
    this.registerOutputs({ certificatePem: this.certificatePem });
  }
}

/** Arguments of a certificate that an authority signs for a request. */
export function signed(
  request: tls.CertRequest,
  authority: CertificateAuthority,
  usages: CertificateSpec["usages"],
): tls.LocallySignedCertArgs {
  return {
    certRequestPem: request.certRequestPem,
    caPrivateKeyPem: authority.key.privateKeyPem,
    caCertPem: authority.certificate.certPem,
    setSubjectKeyId: true,
    validityPeriodHours: certificateHours,
    allowedUses: ["digital_signature", "key_encipherment", ...usages],
  };
}
