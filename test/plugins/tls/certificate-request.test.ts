import { createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { secret } from "../../../lab/plugins/shared/values.ts";
import { open, secretsIn } from "../support.ts";
import { caKey, key, requested } from "./authority.ts";
import { file, openssl, types } from "./driven.ts";

describe("certificates", () => {
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
});
