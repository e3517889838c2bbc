import { execFileSync } from "node:child_process";
import { X509Certificate, createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, KeyUsage, id_ce_keyUsage } from "@peculiar/asn1-x509";
import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { lookup } from "../../lab/plugins/tls/main.ts";
import { isSecret, secret, unknown } from "../../lab/plugins/shared/values.ts";
import type { Props } from "../../lab/plugins/shared/values.ts";
import { Driven, open, secretsIn } from "./support.ts";

const types = {
  key: new Driven(lookup, "tls:index/privateKey:PrivateKey"),
  request: new Driven(lookup, "tls:index/certRequest:CertRequest"),
  self: new Driven(lookup, "tls:index/selfSignedCert:SelfSignedCert"),
  local: new Driven(lookup, "tls:index/locallySignedCert:LocallySignedCert"),
};
const folder = mkdtempSync(join(tmpdir(), "tls-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.useRealTimers();
});

function openssl(...parameters: string[]): string {
  return execFileSync("openssl", parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

async function newKey(inputs: Props): Promise<Record<string, string>> {
  return open((await types.key.create(inputs)).outs);
}

function certificateText(certPem: string): string {
  return openssl("x509", "-in", file("cert.pem", certPem), "-noout", "-text");
}

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

describe("certificates", () => {
  const caInputs = {
    subject: { commonName: "Test CA", organization: "Example, Inc", country: "DE" },
    isCaCertificate: true,
    validityPeriodHours: 24,
    allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
  };
  let key: Record<string, string>;
  let caKey: Record<string, string>;
  let ca: Record<string, string>;

  beforeAll(async () => {
    [key, caKey] = await Promise.all([
      newKey({ algorithm: "ECDSA", ecdsaCurve: "P256" }),
      newKey({ algorithm: "RSA" }),
    ]);
    ca = await selfSigned({ ...caInputs, privateKeyPem: caKey!.privateKeyPem! });
  });

  async function selfSigned(inputs: Props): Promise<Record<string, string>> {
    return open((await types.self.create(inputs)).outs);
  }

  async function requested(inputs: Props): Promise<string> {
    return open((await types.request.create({ privateKeyPem: key.privateKeyPem, ...inputs })).outs)
      .certRequestPem!;
  }

  async function localInputs(inputs: Props = {}): Promise<Props> {
    return {
      caCertPem: ca.certPem,
      caPrivateKeyPem: caKey.privateKeyPem,
      certRequestPem: await requested({ subject: { commonName: "leaf" }, dnsNames: ["leaf.example"] }),
      validityPeriodHours: 12,
      allowedUses: ["server_auth", "digital_signature"],
      ...inputs,
    };
  }

  async function locallySigned(inputs: Props = {}): Promise<Record<string, string>> {
    return open((await types.local.create(await localInputs(inputs))).outs);
  }

  describe("CertRequest", () => {
    test("carries subject and names and is signed by its key", async () => {
      const pem = await requested({
        subject: {
          commonName: "node",
          organization: "system:nodes",
          emailAddress: "a@b.example",
          streetAddresses: ["1 A", "2 B"],
        },
        dnsNames: ["node", "node.example"],
        ipAddresses: ["10.0.0.1", "fd00::1"],
        uris: ["spiffe://example/node"],
      });
      const text = openssl(
        "req",
        "-in",
        file("request.pem", pem),
        "-noout",
        "-text",
        "-verify",
        "-nameopt",
        "RFC2253",
      );
      expect(text).toContain("emailAddress=a@b.example,CN=node,");
      expect(text).toContain("O=system:nodes");
      expect(text).toMatch(/street=.*1 A.*street=.*2 B|street=.*2 B.*street=.*1 A/);
      expect(text).toContain(
        "DNS:node, DNS:node.example, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1",
      );
      expect(text).toContain("URI:spiffe://example/node");
      expect(createPublicKey(key.publicKeyPem!).asymmetricKeyType).toBe("ec");
    });

    test("keyAlgorithm is the key's, the key stays secret, and every input replaces", async () => {
      const inputs = {
        privateKeyPem: secret(key.privateKeyPem),
        subject: { commonName: "a" },
        dnsNames: ["a"],
      };
      const { outs } = await types.request.create(inputs);
      expect(open(outs).keyAlgorithm).toBe("ECDSA");
      expect(secretsIn(outs)).toEqual(["privateKeyPem"]);
      const changes = {
        privateKeyPem: caKey.privateKeyPem,
        subject: { commonName: "b" },
        dnsNames: ["b"],
        ipAddresses: ["10.0.0.1"],
        uris: ["https://a.example"],
      };
      for (const [property, value] of Object.entries(changes)) {
        const result = await types.request.diff(outs, { ...inputs, [property]: value });
        expect(result).toMatchObject({ changes: true, replaces: [property] });
      }
      expect(await types.request.diff(outs, inputs)).toMatchObject({ changes: false });
    });

    test("an address that is none is refused", async () => {
      await expect(requested({ ipAddresses: ["10.0.0"] })).rejects.toThrow(/Invalid IP address.*10\.0\.0/);
    });

    test("a broken key is refused and not repeated", async () => {
      const failure = types.request.create({ privateKeyPem: "-----BEGIN PRIVATE KEY-----\nAAAA\n" });
      await expect(failure).rejects.toThrow("privateKeyPem is not a private key");
      await expect(failure).rejects.not.toThrow("AAAA");
    });
  });

  describe("SelfSignedCert", () => {
    test("a CA verifies itself and has the extensions of a CA", () => {
      const parsed = new X509Certificate(ca.certPem!);
      expect(parsed.verify(createPublicKey(caKey.publicKeyPem!))).toBe(true);
      expect(parsed.ca).toBe(true);
      const text = certificateText(ca.certPem!);
      expect(text).toMatch(/Basic Constraints: critical\n\s+CA:TRUE\n/);
      expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature, Certificate Sign, CRL Sign\n/);
      expect(text).toContain('Subject: C = DE, O = "Example, Inc", CN = Test CA');
      expect(text).toContain("Subject Key Identifier");
      expect(text).not.toContain("Authority Key Identifier");
      expect(ca).toMatchObject({ keyAlgorithm: "RSA", readyForRenewal: false });
    });

    test.each([
      [{ algorithm: "RSA" }, "sha256WithRSAEncryption"],
      [{ algorithm: "ECDSA", ecdsaCurve: "P224" }, "ecdsa-with-SHA256"],
      [{ algorithm: "ECDSA", ecdsaCurve: "P256" }, "ecdsa-with-SHA256"],
      [{ algorithm: "ECDSA", ecdsaCurve: "P384" }, "ecdsa-with-SHA384"],
      [{ algorithm: "ECDSA", ecdsaCurve: "P521" }, "ecdsa-with-SHA512"],
      [{ algorithm: "ED25519" }, "ED25519"],
    ])("%o signs with %s", async (inputs, signature) => {
      const made = await newKey(inputs);
      const cert = await selfSigned({ ...caInputs, privateKeyPem: made.privateKeyPem! });
      expect(certificateText(cert.certPem!)).toContain(`Signature Algorithm: ${signature}`);
      expect(new X509Certificate(cert.certPem!).verify(createPublicKey(made.publicKeyPem!))).toBe(true);
    });

    test("all uses end in the right extension", async () => {
      const { allowedUses } = await import("../../lab/plugins/tls/certificates.ts");
      const cert = await selfSigned({ ...caInputs, allowedUses, privateKeyPem: key.privateKeyPem! });
      const text = certificateText(cert.certPem!);
      for (const use of ["Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment"]) {
        expect(text).toContain(use);
      }
      for (const use of ["Key Agreement", "Certificate Sign", "CRL Sign", "Encipher Only", "Decipher Only"]) {
        expect(text).toContain(use);
      }
      for (const use of [
        "Any Extended Key Usage",
        "TLS Web Server Authentication",
        "TLS Web Client Authentication",
      ]) {
        expect(text).toContain(use);
      }
      for (const use of [
        "Code Signing",
        "E-mail Protection",
        "IPSec End System",
        "IPSec Tunnel",
        "IPSec User",
      ]) {
        expect(text).toContain(use);
      }
      for (const use of [
        "Time Stamping",
        "OCSP Signing",
        "Microsoft Server Gated Crypto",
        "Netscape Server Gated",
      ]) {
        expect(text).toContain(use);
      }
      expect(text).toContain("Microsoft Commercial Code Signing");
      expect(text).toContain("1.3.6.1.4.1.311.61.1.1");
      const parsed = AsnConvert.parse(new Uint8Array(new X509Certificate(cert.certPem!).raw), Certificate);
      const usage = parsed.tbsCertificate.extensions!.find(({ extnID }) => extnID === id_ce_keyUsage)!;
      expect(AsnConvert.parse(usage.extnValue.buffer, KeyUsage).toJSON()).toHaveLength(9);
    });

    test("setSubjectKeyId and setAuthorityKeyId add the identifiers, the same one twice", async () => {
      const base = {
        privateKeyPem: key.privateKeyPem,
        validityPeriodHours: 1,
        allowedUses: [],
        subject: { commonName: "a" },
      };
      const bare = certificateText((await selfSigned(base)).certPem!);
      expect(bare).not.toContain("Key Identifier");
      expect(bare).toMatch(/Basic Constraints: critical\n\s+CA:FALSE\n/);
      const both = certificateText(
        (await selfSigned({ ...base, setSubjectKeyId: true, setAuthorityKeyId: true })).certPem!,
      );
      const [own, authority] = [...both.matchAll(/(?:[0-9A-F]{2}:){19}[0-9A-F]{2}/g)].map(([id]) => id);
      expect(own).toBe(authority);
      await expect(selfSigned({ ...base, setAuthorityKeyId: true })).rejects.toThrow(
        "authority key identifier",
      );
    });

    test("maxPathLength counts for authorities only", async () => {
      const limited = await selfSigned({ ...caInputs, maxPathLength: 2, privateKeyPem: key.privateKeyPem! });
      expect(certificateText(limited.certPem!)).toContain("CA:TRUE, pathlen:2");
      const leaf = {
        ...caInputs,
        isCaCertificate: false,
        maxPathLength: 2,
        privateKeyPem: key.privateKeyPem!,
      };
      expect(certificateText((await selfSigned(leaf)).certPem!)).toContain("CA:FALSE");
    });

    test("a CA without a subject is refused", async () => {
      const inputs = { ...caInputs, subject: {}, privateKeyPem: key.privateKeyPem! };
      await expect(selfSigned(inputs)).rejects.toThrow("Invalid Certificate Subject");
    });

    test("names without a subject are critical", async () => {
      const base = {
        privateKeyPem: key.privateKeyPem,
        validityPeriodHours: 1,
        allowedUses: [],
        dnsNames: ["a.example"],
      };
      expect(certificateText((await selfSigned(base)).certPem!)).toContain(
        "Subject Alternative Name: critical",
      );
      const named = await selfSigned({ ...base, subject: { commonName: "a" } });
      expect(certificateText(named.certPem!)).toMatch(/Subject Alternative Name: *\n\s+DNS:a.example/);
    });

    test("is valid from now for validityPeriodHours, and its times say so", async () => {
      vi.useFakeTimers({ now: new Date("2026-05-04T10:20:30.400Z"), toFake: ["Date"] });
      const cert = await selfSigned({
        ...caInputs,
        validityPeriodHours: 36,
        privateKeyPem: key.privateKeyPem!,
      });
      expect(cert.validityStartTime).toBe("2026-05-04T10:20:30Z");
      expect(cert.validityEndTime).toBe("2026-05-05T22:20:30Z");
      const parsed = new X509Certificate(cert.certPem!);
      expect(new Date(parsed.validFrom).toISOString()).toBe("2026-05-04T10:20:30.000Z");
      expect(new Date(parsed.validTo).toISOString()).toBe("2026-05-05T22:20:30.000Z");
    });

    test("dates after 2049 are written so that they can be read", async () => {
      const cert = await selfSigned({
        ...caInputs,
        validityPeriodHours: 40 * 365 * 24,
        privateKeyPem: key.privateKeyPem!,
      });
      expect(new Date(new X509Certificate(cert.certPem!).validTo).getUTCFullYear()).toBeGreaterThan(2060);
    });

    test("every serial number is positive and shortest, as DER wants it", async () => {
      const { privateKeyPem } = await newKey({ algorithm: "ED25519" });
      // A wrong first byte comes up in more than half of all random numbers.
      for (let made = 0; made < 32; made++) {
        const { certPem } = await selfSigned({ ...caInputs, privateKeyPem: privateKeyPem! });
        expect(new X509Certificate(certPem!).serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      }
    });

    test("the identifier of an Ed25519 key is over its octet string, as the official plugin has it", async () => {
      const made = await newKey({ algorithm: "ED25519" });
      const { certPem } = await selfSigned({ ...caInputs, privateKeyPem: made.privateKeyPem! });
      const raw = createPublicKey(made.publicKeyPem!).export({ format: "jwk" }).x!;
      const octets = Buffer.concat([Buffer.from("0420", "hex"), Buffer.from(raw, "base64url")]);
      const expected = createHash("sha1").update(octets).digest("hex").toUpperCase().match(/../g)!.join(":");
      expect(certificateText(certPem!)).toContain(expected);
    });

    test("the id is the serial number", async () => {
      const { id, outs } = await types.self.create({ ...caInputs, privateKeyPem: key.privateKeyPem });
      expect(BigInt(id)).toBe(BigInt(`0x${new X509Certificate(open(outs).certPem!).serialNumber}`));
    });
  });

  describe("LocallySignedCert", () => {
    test("takes subject, names and key from the request and verifies against the CA", async () => {
      const certRequestPem = await requested({
        subject: { commonName: "leaf", organization: "O" },
        dnsNames: ["leaf.example"],
        ipAddresses: ["10.1.2.3"],
        uris: ["https://leaf.example/"],
      });
      const leaf = await locallySigned({ certRequestPem });
      const parsed = new X509Certificate(leaf.certPem!);
      const authority = new X509Certificate(ca.certPem!);
      expect(parsed.checkIssued(authority)).toBe(true);
      expect(parsed.verify(authority.publicKey)).toBe(true);
      expect(parsed.publicKey.equals(createPublicKey(key.publicKeyPem!))).toBe(true);
      expect(parsed.subject).toBe("O=O\nCN=leaf");
      expect(parsed.subjectAltName).toBe("DNS:leaf.example, IP Address:10.1.2.3, URI:https://leaf.example/");
      const [caFile, leafFile] = [file("ca.pem", ca.certPem!), file("leaf.pem", leaf.certPem!)];
      expect(
        openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", caFile, leafFile),
      ).toContain("OK");
      expect(leaf.caKeyAlgorithm).toBe("RSA");
    });

    test("a chain over an intermediate authority verifies", async () => {
      const middleKey = await newKey({ algorithm: "ED25519" });
      const request = open(
        (
          await types.request.create({
            privateKeyPem: middleKey.privateKeyPem,
            subject: { commonName: "middle" },
          })
        ).outs,
      );
      const middle = await locallySigned({
        certRequestPem: request.certRequestPem,
        isCaCertificate: true,
        allowedUses: ["cert_signing"],
      });
      const leaf = await locallySigned({
        caCertPem: middle.certPem,
        caPrivateKeyPem: middleKey.privateKeyPem,
      });
      const [root, untrusted, last] = [
        file("root.pem", ca.certPem!),
        file("middle.pem", middle.certPem!),
        file("last.pem", leaf.certPem!),
      ];
      expect(openssl("verify", "-x509_strict", "-CAfile", root, "-untrusted", untrusted, last)).toContain(
        "OK",
      );
    });

    test("names the authority's key as soon as that has an identifier", async () => {
      const own = /Subject Key Identifier: *\n\s+([0-9A-F:]+)/.exec(certificateText(ca.certPem!))![1];
      expect(certificateText((await locallySigned()).certPem!)).toMatch(
        new RegExp(`Authority Key Identifier: *\n\\s+(keyid:)?${own}`),
      );
    });

    test("one request is signed by two authorities", async () => {
      const inputs = { ...caInputs, subject: { commonName: "Other CA" }, privateKeyPem: key.privateKeyPem! };
      const other = await selfSigned(inputs);
      const leaf = await locallySigned({ caCertPem: other.certPem, caPrivateKeyPem: key.privateKeyPem });
      expect(new X509Certificate(leaf.certPem!).verify(createPublicKey(key.publicKeyPem!))).toBe(true);
      expect(leaf.caKeyAlgorithm).toBe("ECDSA");
    });

    test("a key that is not the authority's is refused", async () => {
      await expect(locallySigned({ caPrivateKeyPem: key.privateKeyPem })).rejects.toThrow(
        "does not belong to caCertPem",
      );
    });

    test("every input replaces but earlyRenewalHours, which updates", async () => {
      const inputs = await localInputs();
      const { outs } = await types.local.create(inputs);
      expect(await types.local.diff(outs, inputs)).toMatchObject({ changes: false });
      const changes = {
        caCertPem: "other",
        caPrivateKeyPem: "other",
        certRequestPem: "other",
        validityPeriodHours: 13,
        allowedUses: ["client_auth"],
        isCaCertificate: true,
        maxPathLength: 1,
        setSubjectKeyId: true,
      };
      for (const [property, value] of Object.entries(changes)) {
        expect(await types.local.diff(outs, { ...inputs, [property]: value })).toMatchObject({
          replaces: [property],
        });
      }
      const later = { ...inputs, earlyRenewalHours: 5 };
      expect(await types.local.diff(outs, later)).toMatchObject({ changes: true, replaces: [] });
      const updated = await types.local.update(outs, later);
      expect(open(updated)).toMatchObject({ certPem: open(outs).certPem, earlyRenewalHours: 5 });
      expect(isSecret(updated.caPrivateKeyPem)).toBe(true);
    });

    test("it is replaced as soon as it is time to renew, with a refresh or without", async () => {
      vi.useFakeTimers({ now: new Date("2026-01-01T00:00:00Z"), toFake: ["Date"] });
      const inputs = await localInputs({ earlyRenewalHours: 2 });
      const { outs } = await types.local.create(inputs);
      vi.setSystemTime(new Date("2026-01-01T09:59:59Z"));
      expect(open((await types.local.read(outs)).props)).toMatchObject({ readyForRenewal: false });
      expect(await types.local.diff(outs, inputs)).toMatchObject({ changes: false });
      expect(await types.local.diff(outs, { ...inputs, earlyRenewalHours: 3 })).toMatchObject({
        replaces: ["readyForRenewal"],
      });
      vi.setSystemTime(new Date("2026-01-01T10:00:00Z"));
      expect(await types.local.diff(outs, inputs)).toMatchObject({ replaces: ["readyForRenewal"] });
      const refreshed = (await types.local.read(outs)).props;
      expect(open(refreshed)).toMatchObject({ readyForRenewal: true });
      expect(secretsIn(refreshed)).toEqual(["caPrivateKeyPem"]);
      expect(await types.local.diff(refreshed, inputs)).toMatchObject({ replaces: ["readyForRenewal"] });
    });

    test("wrong inputs are named before anything is made", async () => {
      const inputs = await localInputs();
      expect(await types.local.faults({})).toEqual([
        "caCertPem",
        "caPrivateKeyPem",
        "certRequestPem",
        "allowedUses",
        "validityPeriodHours",
      ]);
      const wrong = {
        allowedUses: ["serverAuth"],
        validityPeriodHours: -1,
        earlyRenewalHours: 1.5,
        maxPathLength: -2,
      };
      expect((await types.local.faults({ ...inputs, ...wrong })).sort()).toEqual(Object.keys(wrong).sort());
      expect(await types.local.faults({ ...inputs, caCertPem: unknown, allowedUses: [unknown] })).toEqual([]);
    });
  });
});
