import { createPublicKey, randomBytes } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";

const curves: Record<string, string> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function integer(base64url: string): Buffer {
  let bytes = Buffer.from(base64url, "base64url");
  while (bytes.length > 1 && bytes[0] === 0 && bytes[1]! < 0x80) bytes = bytes.subarray(1);
  return text(bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

function jwkOf(key: KeyObject): JsonWebKey | undefined {
  // OpenSSH has no P-224, and neither has the JWK format.
  if (key.asymmetricKeyDetails?.namedCurve === "secp224r1") return undefined;
  return key.export({ format: "jwk" });
}

function publicFields(jwk: JsonWebKey): { type: string; fields: Buffer[] } {
  switch (jwk.kty) {
    case "RSA":
      return { type: "ssh-rsa", fields: [integer(jwk.e!), integer(jwk.n!)] };
    case "EC": {
      const curve = curves[jwk.crv!];
      if (!curve) throw new Error(`OpenSSH does not know the curve ${jwk.crv}`);
      const point = Buffer.concat([4, jwk.x!, jwk.y!].map((part) => bytesOf(part)));
      return { type: `ecdsa-sha2-${curve}`, fields: [text(curve), text(point)] };
    }
    case "OKP":
      return { type: "ssh-ed25519", fields: [text(Buffer.from(jwk.x!, "base64url"))] };
    default:
      throw new Error(`OpenSSH does not know keys of type ${jwk.kty}`);
  }
}

function bytesOf(part: number | string): Buffer {
  return typeof part === "number" ? Buffer.of(part) : Buffer.from(part, "base64url");
}

/** The public key's type and wire form; undefined where OpenSSH has none (P-224). */
export function publicKeyBlob(key: KeyObject): { type: string; blob: Buffer } | undefined {
  const jwk = jwkOf(key.type === "private" ? createPublicKey(key) : key);
  if (!jwk) return undefined;
  const { type, fields } = publicFields(jwk);
  return { type, blob: Buffer.concat([text(type), ...fields]) };
}

/** The private key in OpenSSH's own format, unencrypted; undefined where OpenSSH has none (P-224). */
export function opensshPrivateKey(key: KeyObject): string | undefined {
  const jwk = jwkOf(key);
  const known = publicKeyBlob(key);
  if (!jwk || !known) return undefined;
  const { type, fields } = publicFields(jwk);
  const check = randomBytes(4);
  const secrets: Record<string, () => Buffer[]> = {
    RSA: () => [jwk.n, jwk.e, jwk.d, jwk.qi, jwk.p, jwk.q].map((part) => integer(part!)),
    EC: () => [...fields, integer(jwk.d!)],
    OKP: () => [...fields, text(Buffer.concat([jwk.d!, jwk.x!].map(bytesOf)))],
  };
  const body = Buffer.concat([check, check, text(type), ...secrets[jwk.kty!]!(), text("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const count = Buffer.of(0, 0, 0, 1);
  const content = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    text("none"),
    text("none"),
    text(""),
    count,
    text(known.blob),
    text(Buffer.concat([body, padding])),
  ]);
  return pem("OPENSSH PRIVATE KEY", content);
}

/** PEM with lines of 64 characters and a line feed at the end. */
export function pem(label: string, content: Uint8Array): string {
  const lines =
    Buffer.from(content)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
