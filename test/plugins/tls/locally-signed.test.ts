import { X509Certificate, createPublicKey } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { isSecret, unknown } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { open, secretsIn } from "../support.ts";
import { ca, caInputs, caKey, key, requested, selfSigned } from "./authority.ts";
import { certificateText, file, newKey, openssl, types } from "./driven.ts";

describe("certificates", () => {
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
