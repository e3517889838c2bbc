import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Authority, ClusterCertificate } from "../model/certificates.ts";
import { includes } from "../model/phases.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { Certificate } from "./certificate.ts";

export interface CertificatesArgs {
  plan: ClusterPlan;
  /** Where clients reach the API from outside. */
  apiAddress: pulumi.Input<string>;
}

/** The cluster's authorities, its own certificates, the keys of service-account tokens and of updates, as far as its phase has them. */
export class Certificates extends pulumi.ComponentResource {
  readonly authorities: Record<Authority, CertificateAuthority>;
  readonly certificates: Record<ClusterCertificate, Certificate>;
  readonly serviceAccountKey?: tls.PrivateKey;
  /** SSH key by which the control plane has nodes put to use what is staged there. */
  readonly updateKey?: tls.PrivateKey;

  constructor(name: string, { plan, apiAddress }: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openstack-kubernetes:certificates:Certificates", name, {}, opts);
    this.authorities = mapKeys(
      plan.authorities,
      (authority) => new CertificateAuthority(`${name}-${authority}-ca`, { authority }, { parent: this }),
    );
    this.certificates = mapKeys(Object.keys(plan.certificates) as ClusterCertificate[], (key) => {
      const spec = plan.certificates[key]!;
      const moreAddresses = key === "apiserver" ? [apiAddress] : [];
      return new Certificate(
        `${name}-${key}`,
        { spec, authority: this.authorities[spec.authority], moreAddresses },
        { parent: this },
      );
    });
    if (includes(plan.settings.phase, "kubernetes")) {
      // RSA, which every reader of a service-account token can verify.
      this.serviceAccountKey = new tls.PrivateKey(
        `${name}-service-account`,
        { algorithm: "RSA", rsaBits: 2048 },
        { parent: this },
      );
      this.updateKey = new tls.PrivateKey(`${name}-update`, { algorithm: "ED25519" }, { parent: this });
    }
    this.registerOutputs({});
  }
}

function mapKeys<K extends string, V>(keys: K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
