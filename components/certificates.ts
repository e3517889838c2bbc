import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { ofEpoch, type Authority, type ClusterCertificate } from "../model/certificates.ts";
import { includes } from "../model/phases.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { Certificate } from "./certificate.ts";
import { warnOfEnds } from "./ends.ts";

export interface CertificatesArgs {
  plan: ClusterPlan;
  /** Where clients reach the API from outside. */
  apiAddress: pulumi.Input<string>;
}

/** What a signer's keys come to: the one that signs, and the public part of all that are trusted as one text of PEM. */
export interface Trust<Key> {
  signing: Key;
  trusted: Key[];
  trustedPem: pulumi.Output<string>;
}

/** The cluster's authorities, its own certificates, the keys of service-account tokens and of updates, as far as its phase has them. */
export class Certificates extends pulumi.ComponentResource {
  readonly authorities: Record<Authority, Trust<CertificateAuthority>>;
  readonly certificates: Record<ClusterCertificate, Certificate>;
  readonly serviceAccount?: Trust<tls.PrivateKey>;
  /** SSH key by which the control plane has nodes put to use what is staged there. */
  readonly updateKey?: tls.PrivateKey;

  constructor(name: string, { plan, apiAddress }: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:certificates:Certificates", name, {}, opts);
    const { certificates: lives, phase } = plan.settings;
    this.authorities = mapKeys(plan.authorities, (authority) =>
      trust(
        lives.epochs[authority],
        (epoch) =>
          new CertificateAuthority(
            `${name}-${ofEpoch(`${authority}-ca`, epoch)}`,
            { authority, epoch, lives },
            { parent: this },
          ),
        ({ certificate }) => certificate.certPem,
      ),
    );
    this.certificates = mapKeys(Object.keys(plan.certificates) as ClusterCertificate[], (key) => {
      const spec = plan.certificates[key]!;
      const moreAddresses = key === "apiserver" ? [apiAddress] : [];
      return new Certificate(
        `${name}-${key}`,
        { spec, authority: this.authorities[spec.authority].signing, lives, moreAddresses },
        { parent: this },
      );
    });
    if (includes(phase, "kubernetes")) {
      this.serviceAccount = trust(
        lives.epochs["service-account"],
        (epoch) =>
          // RSA, which every reader of a service-account token can verify.
          new tls.PrivateKey(
            `${name}-${ofEpoch("service-account", epoch)}`,
            { algorithm: "RSA", rsaBits: 2048 },
            { parent: this },
          ),
        ({ publicKeyPem }) => publicKeyPem,
      );
      this.updateKey = new tls.PrivateKey(`${name}-update`, { algorithm: "ED25519" }, { parent: this });
    }
    warnOfEnds(
      this,
      lives,
      Object.fromEntries([
        ...Object.values(this.authorities)
          .flatMap(({ trusted }) => trusted)
          .map(({ commonName, certificate }) => [commonName, certificate.validityEndTime]),
        ...Object.entries(this.certificates).map(([key, { end }]) => [key, end]),
      ]),
    );
    this.registerOutputs({});
  }
}

function trust<Key>(
  { trusted, signing }: { trusted: number[]; signing: number },
  make: (epoch: number) => Key,
  pem: (key: Key) => pulumi.Output<string>,
): Trust<Key> {
  const keys = trusted.map(make);
  const trustedPem = pulumi.all(keys.map(pem)).apply((pems) => pems.join(""));
  return { signing: keys[trusted.indexOf(signing)]!, trusted: keys, trustedPem };
}

function mapKeys<K extends string, V>(keys: K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
