import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, vi } from "vitest";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { lookup } from "../../../lab/plugins/tls/main.ts";
import { Driven, open } from "../support.ts";

// The resource types, and openssl as a second opinion on what they make.

export const types = {
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

export function openssl(...parameters: string[]): string {
  return execFileSync("openssl", parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The path of a new file with this content. */
export function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** The outputs of a new PrivateKey. */
export async function newKey(inputs: Props): Promise<Record<string, string>> {
  return open((await types.key.create(inputs)).outs);
}

/** A certificate as openssl shows it. */
export function certificateText(certPem: string): string {
  return openssl("x509", "-in", file("cert.pem", certPem), "-noout", "-text");
}
