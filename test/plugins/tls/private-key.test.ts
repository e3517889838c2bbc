import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import ssh2 from "ssh2";
import { describe, expect, test } from "vitest";
import { unknown } from "../../../lab/plugins/shared/values.ts";
import { open, secretsIn } from "../support.ts";
import { file, newKey, openssl, types } from "./driven.ts";

describe("PrivateKey", () => {
  const kinds = [
    { inputs: { algorithm: "RSA" }, label: "RSA PRIVATE KEY", type: "rsa", ssh: "ssh-rsa" },
    {
      inputs: { algorithm: "ECDSA", ecdsaCurve: "P256" },
      label: "EC PRIVATE KEY",
      type: "ec",
      ssh: "ecdsa-sha2-nistp256",
    },
    {
      inputs: { algorithm: "ECDSA", ecdsaCurve: "P384" },
      label: "EC PRIVATE KEY",
      type: "ec",
      ssh: "ecdsa-sha2-nistp384",
    },
    {
      inputs: { algorithm: "ECDSA", ecdsaCurve: "P521" },
      label: "EC PRIVATE KEY",
      type: "ec",
      ssh: "ecdsa-sha2-nistp521",
    },
    { inputs: { algorithm: "ED25519" }, label: "PRIVATE KEY", type: "ed25519", ssh: "ssh-ed25519" },
  ];

  test.each(kinds)("$inputs has every form of one and the same key", async ({ inputs, label, type, ssh }) => {
    const key = await newKey(inputs);
    expect(key.privateKeyPem).toMatch(new RegExp(`^-----BEGIN ${label}-----\n`));
    expect(key.privateKeyPemPkcs8).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(key.privateKeyOpenssh).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    const parsed = createPrivateKey(key.privateKeyPem!);
    expect(parsed.asymmetricKeyType).toBe(type);
    expect(createPrivateKey(key.privateKeyPemPkcs8!).equals(parsed)).toBe(true);
    expect(createPublicKey(parsed).equals(createPublicKey(key.publicKeyPem!))).toBe(true);
    const fromSsh = ssh2.utils.parseKey(key.privateKeyOpenssh!);
    if (fromSsh instanceof Error) throw fromSsh;
    expect(fromSsh.type).toBe(ssh);
    expect(`${fromSsh.type} ${fromSsh.getPublicSSH().toString("base64")}\n`).toBe(key.publicKeyOpenssh);
    expect(
      Object.values(key)
        .filter((value) => /BEGIN/.test(value))
        .every((value) => value.endsWith("-----\n")),
    ).toBe(true);
  });

  test.each(kinds)("$inputs: OpenSSH's private form signs for the public form", async ({ inputs }) => {
    const key = await newKey(inputs);
    const parsed = ssh2.utils.parseKey(key.privateKeyOpenssh!);
    if (parsed instanceof Error) throw parsed;
    const message = Buffer.from("message");
    const signature = parsed.sign(message);
    const known = ssh2.utils.parseKey(key.publicKeyOpenssh!);
    if (known instanceof Error) throw known;
    expect(known.verify(message, signature)).toBe(true);
    const plainSignature = sign(null, message, key.privateKeyPem!);
    expect(verify(null, message, key.publicKeyPem!, plainSignature)).toBe(true);
  });

  test.each(kinds.slice(0, -1))(
    "$inputs: the public form is the one that ssh2 derives from the PEM",
    async ({ inputs }) => {
      const key = await newKey(inputs);
      const derived = ssh2.utils.parseKey(key.privateKeyPem!);
      if (derived instanceof Error) throw derived;
      expect(key.publicKeyOpenssh!.split(" ")[1]).toBe(`${derived.getPublicSSH().toString("base64")}\n`);
    },
  );

  test.each(kinds)("$inputs: fingerprints are hashes of OpenSSH's public form", async ({ inputs }) => {
    const key = await newKey(inputs);
    const blob = Buffer.from(key.publicKeyOpenssh!.split(" ")[1]!, "base64");
    const sha256 = createHash("sha256").update(blob).digest("base64").replace("=", "");
    expect(key.publicKeyFingerprintSha256).toBe(`SHA256:${sha256}`);
    expect(key.publicKeyFingerprintMd5).toMatch(/^(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(key.publicKeyFingerprintMd5!.replaceAll(":", "")).toBe(
      createHash("md5").update(blob).digest("hex"),
    );
  });

  test("P224 is the default curve and has no OpenSSH forms", async () => {
    const key = await newKey({ algorithm: "ECDSA" });
    expect(createPrivateKey(key.privateKeyPem!).asymmetricKeyDetails?.namedCurve).toBe("secp224r1");
    expect(key).toMatchObject({
      ecdsaCurve: "P224",
      privateKeyOpenssh: "",
      publicKeyOpenssh: "",
      publicKeyFingerprintMd5: "",
      publicKeyFingerprintSha256: "",
    });
  });

  test("rsaBits is the size of an RSA key, 2048 if not said", async () => {
    const sizes = await Promise.all(
      [{}, { rsaBits: 3072 }].map(async (more) => {
        const key = await newKey({ algorithm: "RSA", ...more });
        return [key.rsaBits, createPrivateKey(key.privateKeyPem!).asymmetricKeyDetails?.modulusLength];
      }),
    );
    expect(sizes).toEqual([
      [2048, 2048],
      [3072, 3072],
    ]);
  });

  test("the private forms are secret, the public ones are not", async () => {
    const { outs } = await types.key.create({ algorithm: "ED25519" });
    expect(secretsIn(outs)).toEqual(["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"]);
  });

  test("the id is the SHA-1 of the public key", async () => {
    const { id, outs } = await types.key.create({ algorithm: "ED25519" });
    const der = file("key.der", "");
    openssl(
      "pkey",
      "-pubin",
      "-in",
      file("key.pem", open(outs).publicKeyPem!),
      "-outform",
      "DER",
      "-out",
      der,
    );
    expect(openssl("dgst", "-sha1", der)).toContain(id);
  });

  test("every input replaces the key, and a default that is written out does not", async () => {
    const { outs } = await types.key.create({ algorithm: "ECDSA" });
    expect(await types.key.diff(outs, { algorithm: "ECDSA" })).toMatchObject({
      changes: false,
      replaces: [],
    });
    const explicit = { algorithm: "ECDSA", ecdsaCurve: "P224", rsaBits: 2048 };
    expect(await types.key.diff(outs, explicit)).toMatchObject({ changes: false });
    for (const change of [{ algorithm: "RSA" }, { ecdsaCurve: "P256" }, { rsaBits: 4096 }]) {
      const result = await types.key.diff(outs, { algorithm: "ECDSA", ...change });
      expect(result).toMatchObject({ changes: true, replaces: Object.keys(change) });
    }
  });

  test("wrong inputs are named before anything is made", async () => {
    expect(await types.key.faults({})).toEqual(["algorithm"]);
    expect(await types.key.faults({ algorithm: "DSA" })).toEqual(["algorithm"]);
    expect(await types.key.faults({ algorithm: "ECDSA", ecdsaCurve: "P999" })).toEqual(["ecdsaCurve"]);
    expect(await types.key.faults({ algorithm: "RSA", bits: 1 })).toEqual(["bits"]);
    expect(await types.key.faults({ algorithm: unknown })).toEqual([]);
  });
});
