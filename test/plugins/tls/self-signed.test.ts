import { X509Certificate, createHash, createPublicKey } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, KeyUsage, id_ce_keyUsage } from "@peculiar/asn1-x509";
import { describe, expect, test, vi } from "vitest";
import { open } from "../support.ts";
import { ca, caInputs, caKey, key, selfSigned } from "./authority.ts";
import { certificateText, newKey, types } from "./driven.ts";

describe("certificates", () => {
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
      const { allowedUses } = await import("../../../lab/plugins/tls/certificates.ts");
      const cert = await selfSigned({ ...caInputs, allowedUses, privateKeyPem: key.privateKeyPem! });
      const text = certificateText(cert.certPem!);
      for (const use of [
        ...["Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment"],
        ...["Key Agreement", "Certificate Sign", "CRL Sign", "Encipher Only", "Decipher Only"],
        ...["Any Extended Key Usage", "TLS Web Server Authentication", "TLS Web Client Authentication"],
        ...["Code Signing", "E-mail Protection", "IPSec End System", "IPSec Tunnel", "IPSec User"],
        ...["Time Stamping", "OCSP Signing", "Microsoft Server Gated Crypto", "Netscape Server Gated"],
        "Microsoft Commercial Code Signing",
      ])
        expect(text).toContain(use);
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
});
