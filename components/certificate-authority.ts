import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { authorities, authorityHours, type Authority } from "../model/certificates.ts";

/** A certificate authority: its key and its self-signed certificate. */
export class CertificateAuthority extends pulumi.ComponentResource {
  readonly key: tls.PrivateKey;
  readonly certificate: tls.SelfSignedCert;

  constructor(name: string, args: { authority: Authority }, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:certificates:CertificateAuthority", name, {}, opts);
    this.key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      { parent: this },
    );
    this.certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: this.key.privateKeyPem,
        subject: { commonName: authorities[args.authority] },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: authorityHours,
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
      },
      { parent: this },
    );
    this.registerOutputs({ certificatePem: this.certificate.certPem });
  }
}
