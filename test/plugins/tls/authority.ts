import { beforeAll } from "vitest";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { open } from "../support.ts";
import { newKey, types } from "./driven.ts";

// An authority with its key, and a key that is to get certificates.

export const caInputs = {
  subject: { commonName: "Test CA", organization: "Example, Inc", country: "DE" },
  isCaCertificate: true,
  validityPeriodHours: 24,
  allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
};
export let key: Record<string, string>;
export let caKey: Record<string, string>;
export let ca: Record<string, string>;

beforeAll(async () => {
  [key, caKey] = await Promise.all([
    newKey({ algorithm: "ECDSA", ecdsaCurve: "P256" }),
    newKey({ algorithm: "RSA" }),
  ]);
  ca = await selfSigned({ ...caInputs, privateKeyPem: caKey!.privateKeyPem! });
});

/** The outputs of a new SelfSignedCert. */
export async function selfSigned(inputs: Props): Promise<Record<string, string>> {
  return open((await types.self.create(inputs)).outs);
}

/** A request for a certificate of `key`. */
export async function requested(inputs: Props): Promise<string> {
  return open((await types.request.create({ privateKeyPem: key.privateKeyPem, ...inputs })).outs)
    .certRequestPem!;
}
