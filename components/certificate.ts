import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { CertificateSpec } from "../model/certificates.ts";
import type { Settings } from "../model/settings.ts";
import type { CertificateAuthority } from "./certificate-authority.ts";

export interface CertificateArgs {
  spec: CertificateSpec;
  authority: CertificateAuthority;
  lives: Settings["certificates"];
  /** Addresses that only a resource knows, added to those of the spec. */
  moreAddresses?: pulumi.Input<string>[];
}

/** A key and its certificate, signed by one of the cluster's authorities. */
export class Certificate extends pulumi.ComponentResource {
  readonly keyPem: pulumi.Output<string>;
  readonly certificatePem: pulumi.Output<string>;
  readonly end: pulumi.Output<string>;

  constructor(
    name: string,
    { spec, authority, lives, moreAddresses = [] }: CertificateArgs,
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
      signed(request, authority, spec.usages, lives),
      { parent: this },
    );
    this.keyPem = key.privateKeyPem;
    this.certificatePem = certificate.certPem;
    this.end = certificate.validityEndTime;
    this.registerOutputs({ certificatePem: this.certificatePem });
  }
}

/** Arguments of a certificate that an authority signs for a request. */
export function signed(
  request: tls.CertRequest,
  authority: CertificateAuthority,
  usages: CertificateSpec["usages"],
  lives: Settings["certificates"],
): tls.LocallySignedCertArgs {
  return {
    certRequestPem: request.certRequestPem,
    caPrivateKeyPem: authority.key.privateKeyPem,
    caCertPem: authority.certificate.certPem,
    setSubjectKeyId: true,
    validityPeriodHours: lives.leafHours,
    earlyRenewalHours: lives.renewHours,
    allowedUses: ["digital_signature", "key_encipherment", ...usages],
  };
}
