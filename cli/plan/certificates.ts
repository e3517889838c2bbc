import { authorities, ofEpoch, type CertificateSpec } from "../../model/certificates.ts";
import type { ClusterPlan } from "../../model/plan.ts";
import type { Settings } from "../../model/settings.ts";

export interface CertificateOverview {
  kind: "authority" | "server" | "client" | "server and client";
  commonName: string;
  organization?: string;
  /** Common name of the authority. */
  signedBy: string;
  dnsNames: string[];
  /** Those known before anything is made. */
  ipAddresses: string[];
  /** Node whose floating address joins the addresses once it has one. */
  floatingAddressOf?: string;
  /** How long it lasts from the moment when it is made. */
  hours: number;
  /** How long before its end a run of the program renews it. */
  renewHours: number;
}

/** The authorities and the cluster's own certificates, by name. */
export function certificates(plan: ClusterPlan): Record<string, CertificateOverview> {
  const result: Record<string, CertificateOverview> = {};
  const { epochs, authorityHours, renewHours } = plan.settings.certificates;
  const names = plan.authorities.flatMap((name) =>
    epochs[name].trusted.map((epoch) => ofEpoch(authorities[name], epoch)),
  );
  for (const commonName of names) {
    result[commonName] = {
      kind: "authority",
      commonName,
      signedBy: commonName,
      dnsNames: [],
      ipAddresses: [],
      hours: authorityHours,
      renewHours,
    };
  }
  for (const [name, spec] of Object.entries(plan.certificates)) {
    result[name] = certificate(
      spec,
      plan.settings,
      name === "apiserver" ? plan.controlPlane.name : undefined,
    );
  }
  return result;
}

/**
 * A certificate as `spec` describes it.
 * @param floatingAddressOf node whose floating address is in it too
 */
export function certificate(
  spec: CertificateSpec,
  { certificates: { epochs, leafHours, renewHours } }: Settings,
  floatingAddressOf?: string,
): CertificateOverview {
  const { commonName, organization, dnsNames = [], ipAddresses = [] } = spec;
  return {
    kind: kindOf(spec.usages),
    commonName,
    organization,
    signedBy: ofEpoch(authorities[spec.authority], epochs[spec.authority].signing),
    dnsNames,
    ipAddresses,
    floatingAddressOf,
    hours: leafHours,
    renewHours,
  };
}

function kindOf(usages: CertificateSpec["usages"]): CertificateOverview["kind"] {
  if (usages.length === 2) return "server and client";
  return usages[0] === "server_auth" ? "server" : "client";
}
