import { createHash, createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { opensshPrivateKey, publicKeyBlob } from "../shared/openssh.ts";

const generate = promisify(generateKeyPair);

export const algorithms = ["RSA", "ECDSA", "ED25519"];
export const curves: Record<string, string> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};

/** Makes a private key. */
export async function newKey(algorithm: string, rsaBits: number, ecdsaCurve: string): Promise<KeyObject> {
  switch (algorithm) {
    case "RSA":
      return (await generate("rsa", { modulusLength: rsaBits })).privateKey;
    case "ECDSA":
      return (await generate("ec", { namedCurve: curves[ecdsaCurve]! })).privateKey;
    default:
      return (await generate("ed25519")).privateKey;
  }
}

/** Reads a private key in PEM. The error does not repeat the key. */
export function readKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${what} is not a private key in PEM (RSA, ECDSA or ED25519, not encrypted)`);
  }
}

/** The algorithm of a key by the names of this plugin. */
export function algorithmOf(key: KeyObject): string {
  const names: Record<string, string> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };
  const name = names[key.asymmetricKeyType ?? ""];
  if (!name) throw new Error(`keys of type ${key.asymmetricKeyType} cannot be used`);
  return name;
}

/** A key in all the forms that the official plugin has it. */
export function keyOutputs(key: KeyObject) {
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ type: "spki", format: "der" });
  const openssh = publicKeyBlob(publicKey);
  const digest = (name: string) => createHash(name).update(openssh!.blob);
  return {
    id: createHash("sha1").update(spki).digest("hex"),
    privateKeyPem: key.export({ type: traditional[algorithmOf(key)]!, format: "pem" }) as string,
    privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }) as string,
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }) as string,
    // Empty where OpenSSH does not know the kind of key.
    privateKeyOpenssh: opensshPrivateKey(key) ?? "",
    publicKeyOpenssh: openssh ? `${openssh.type} ${openssh.blob.toString("base64")}\n` : "",
    publicKeyFingerprintMd5: openssh ? digest("md5").digest("hex").match(/../g)!.join(":") : "",
    publicKeyFingerprintSha256: openssh
      ? `SHA256:${digest("sha256").digest("base64").replace(/=+$/, "")}`
      : "",
  };
}

const traditional: Record<string, "pkcs1" | "sec1" | "pkcs8"> = {
  RSA: "pkcs1",
  ECDSA: "sec1",
  ED25519: "pkcs8",
};
