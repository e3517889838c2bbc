import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { authorities, ofEpoch, type Authority } from "../model/certificates.ts";
import type { Settings } from "../model/settings.ts";

export interface CertificateAuthorityArgs {
  authority: Authority;
  /** Number of its key. */
  epoch: number;
  lives: Settings["certificates"];
}

/** A certificate authority: its key and its self-signed certificate. */
export class CertificateAuthority extends pulumi.ComponentResource {
  readonly commonName: string;
  readonly key: tls.PrivateKey;
  readonly certificate: tls.SelfSignedCert;

  constructor(
    name: string,
    { authority, epoch, lives }: CertificateAuthorityArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("openstack-kubernetes:certificates:CertificateAuthority", name, {}, opts);
    this.commonName = ofEpoch(authorities[authority], epoch);
    this.key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    this.certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: this.key.privateKeyPem,
        subject: { commonName: this.commonName },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: lives.authorityHours,
        earlyRenewalHours: lives.renewHours,
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
      },
      { parent: this },
    );
    this.registerOutputs({ certificatePem: this.certificate.certPem });
  }
}
