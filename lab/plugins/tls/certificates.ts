import { createHash, createPublicKey, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  KeyIdentifier,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import type { Name } from "@peculiar/asn1-x509";
import { CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { Attribute } from "@peculiar/asn1-x509";
import { Attributes } from "@peculiar/asn1-csr";
import { pem } from "../shared/openssh.ts";
import { alternativeNames, distinguishedName, supportedNames } from "./names.ts";
import type { AlternativeNames, Subject } from "./names.ts";

const keyUsages = [
  "digital_signature",
  "content_commitment",
  "key_encipherment",
  "data_encipherment",
  "key_agreement",
  "cert_signing",
  "crl_signing",
  "encipher_only",
  "decipher_only",
];

const extendedKeyUsages: Record<string, string> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  ipsec_end_system: "1.3.6.1.5.5.7.3.5",
  ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
  ipsec_user: "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
  netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
  microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
  microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

const extensionRequest = "1.2.840.113549.1.9.14";

export const allowedUses = [...keyUsages, ...Object.keys(extendedKeyUsages)].toSorted();

/** What a certificate is made by, whoever signs it. */
export interface Template {
  subject: Name;
  names: OctetString | undefined;
  publicKey: SubjectPublicKeyInfo;
  allowedUses: string[];
  validityPeriodHours: number;
  isCaCertificate?: boolean;
  maxPathLength?: number;
  setSubjectKeyId?: boolean;
}

/** Who signs: its name, its key and the identifier of that key, if it has one. */
export interface Issuer {
  name: Name;
  key: KeyObject;
  keyId: ArrayBuffer | undefined;
}

/** A signed certificate with its serial number and its times. */
export interface Issued {
  id: string;
  certPem: string;
  validityStartTime: string;
  validityEndTime: string;
}

/** The public key of a private key, as certificates hold it. */
export function publicKeyInfo(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(createPublicKey(key).export({ type: "spki", format: "der" }), SubjectPublicKeyInfo);
}

/** The identifier of a public key: SHA-1 over the key itself, for Ed25519 over its octet string. */
export function keyIdentifier(info: SubjectPublicKeyInfo): ArrayBuffer {
  const key = Buffer.from(info.subjectPublicKey);
  const ed25519 = info.algorithm.algorithm === "1.3.101.112";
  const hashed = ed25519 ? Buffer.concat([Buffer.of(4, key.length), key]) : key;
  return new Uint8Array(createHash("sha1").update(hashed).digest()).buffer;
}

/** Makes and signs a certificate. `authorityKeyId` forces that extension where issuer and subject are the same. */
export function issue(template: Template, issuer: Issuer, authorityKeyId = false): Issued {
  const serial = randomBytes(16);
  // Positive and without leading zeros, which DER does not allow.
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const start = new Date(Math.floor(Date.now() / 1000) * 1000);
  const end = new Date(start.getTime() + template.validityPeriodHours * 3_600_000);
  const isCa = template.isCaCertificate === true;
  if (isCa && template.subject.length === 0) {
    throw new Error(
      "Invalid Certificate Subject: a certificate authority needs at least one distinguished name",
    );
  }
  if (authorityKeyId && !issuer.keyId) {
    throw new Error("Invalid Certificate Authority: could not determine the authority key identifier");
  }
  const withKeyId = isCa || template.setSubjectKeyId;
  const foreign = !sameName(issuer.name, template.subject);
  const withAuthority = authorityKeyId || (foreign && issuer.keyId !== undefined);
  const constraints = new BasicConstraints({ cA: isCa });
  // Zero means no limit in the official plugin, and only authorities have one.
  if (isCa && (template.maxPathLength ?? 0) > 0) constraints.pathLenConstraint = template.maxPathLength!;

  const extensions = new Extensions([
    ...usageExtensions(template.allowedUses),
    extension(id_ce_basicConstraints, constraints, true),
    ...(withKeyId ? [extension(id_ce_subjectKeyIdentifier, subjectKeyId(template.publicKey))] : []),
    ...(withAuthority ? [extension(id_ce_authorityKeyIdentifier, authority(issuer.keyId!))] : []),
    ...(template.names ? [namesExtension(template.names, template.subject)] : []),
  ]);
  const algorithm = signatureAlgorithm(issuer.key);
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: new Uint8Array(serial).buffer,
    signature: algorithm.identifier,
    issuer: issuer.name,
    validity: new Validity({ notBefore: start, notAfter: end }),
    subject: template.subject,
    subjectPublicKeyInfo: template.publicKey,
    extensions,
  });
  const certificate = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm.identifier,
    signatureValue: signed(AsnConvert.serialize(body), issuer.key, algorithm.hash),
  });
  return {
    id: BigInt(`0x${serial.toString("hex")}`).toString(),
    certPem: pem("CERTIFICATE", new Uint8Array(AsnConvert.serialize(certificate))),
    validityStartTime: time(start),
    validityEndTime: time(end),
  };
}

/** Makes and signs a request for a certificate. */
export function request(key: KeyObject, subject: Subject | undefined, alternatives: AlternativeNames) {
  const name = distinguishedName(subject);
  const names = alternativeNames(alternatives);
  const wanted = names && AsnConvert.serialize(new Extensions([namesExtension(names, name)]));
  const attributes = wanted ? [new Attribute({ type: extensionRequest, values: [wanted] })] : [];
  const body = new CertificationRequestInfo();
  Object.assign(body, {
    subject: name,
    subjectPKInfo: publicKeyInfo(key),
    attributes: new Attributes(attributes),
  });
  const algorithm = signatureAlgorithm(key);
  const der = AsnConvert.serialize(
    new CertificationRequest({
      certificationRequestInfo: body,
      signatureAlgorithm: algorithm.identifier,
      signature: signed(AsnConvert.serialize(body), key, algorithm.hash),
    }),
  );
  return {
    id: createHash("sha1").update(new Uint8Array(der)).digest("hex"),
    certRequestPem: pem("CERTIFICATE REQUEST", new Uint8Array(der)),
  };
}

/** What a request asks for. */
export function readRequest(text: string): Pick<Template, "subject" | "names" | "publicKey"> {
  const info = parsed(text, "CERTIFICATE REQUEST", CertificationRequest).certificationRequestInfo;
  const values = (info.attributes ?? [])
    .filter(({ type }) => type === extensionRequest)
    .flatMap(({ values }) => values);
  const extensions = values.flatMap((value) => [...AsnConvert.parse(value, Extensions)]);
  const names = extensions.find(({ extnID }) => extnID === id_ce_subjectAltName);
  return {
    subject: info.subject,
    publicKey: info.subjectPKInfo,
    names: names && supportedNames(names.extnValue.buffer),
  };
}

/** The issuer that a certificate and its private key make. */
export function readIssuer(text: string, key: KeyObject): Issuer {
  const { subject, subjectPublicKeyInfo, extensions } = parsed(
    text,
    "CERTIFICATE",
    Certificate,
  ).tbsCertificate;
  if (!same(AsnConvert.serialize(subjectPublicKeyInfo), AsnConvert.serialize(publicKeyInfo(key)))) {
    throw new Error("caPrivateKeyPem does not belong to caCertPem");
  }
  const found = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier);
  return {
    name: subject,
    key,
    keyId: found && AsnConvert.parse(found.extnValue.buffer, SubjectKeyIdentifier).buffer,
  };
}

function parsed<T>(text: string, label: string, kind: new () => T): T {
  const found = new RegExp(`-----BEGIN ${label}-----([^-]+)-----END ${label}-----`).exec(text);
  if (!found) throw new Error(`expected PEM of type ${JSON.stringify(label)}`);
  return AsnConvert.parse(Buffer.from(found[1]!, "base64"), kind);
}

function signatureAlgorithm(key: KeyObject): { identifier: AlgorithmIdentifier; hash: string | null } {
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa")
    return { identifier: algorithm("1.2.840.113549.1.1.11", null), hash: "sha256" };
  if (key.asymmetricKeyType === "ed25519") return { identifier: algorithm("1.3.101.112"), hash: null };
  if (namedCurve === "secp384r1") return { identifier: algorithm("1.2.840.10045.4.3.3"), hash: "sha384" };
  if (namedCurve === "secp521r1") return { identifier: algorithm("1.2.840.10045.4.3.4"), hash: "sha512" };
  return { identifier: algorithm("1.2.840.10045.4.3.2"), hash: "sha256" };
}

function algorithm(oid: string, parameters?: null): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: oid, ...(parameters === null ? { parameters } : {}) });
}

function signed(content: ArrayBuffer, key: KeyObject, hash: string | null): ArrayBuffer {
  return new Uint8Array(sign(hash, new Uint8Array(content), key)).buffer;
}

function usageExtensions(uses: string[]): Extension[] {
  const bits = uses.map((use) => keyUsages.indexOf(use)).filter((bit) => bit >= 0);
  const purposes = uses.flatMap((use) => extendedKeyUsages[use] ?? []);
  return [
    ...(bits.length > 0 ? [extensionOf(id_ce_keyUsage, bitString(bits), true)] : []),
    ...(purposes.length > 0 ? [extension(id_ce_extKeyUsage, new ExtendedKeyUsage(purposes))] : []),
  ];
}

/** A named bit list in DER: no zero bits at its end. */
function bitString(bits: number[]): ArrayBuffer {
  const last = Math.max(...bits);
  const bytes = new Uint8Array(Math.floor(last / 8) + 1);
  for (const bit of bits) bytes[Math.floor(bit / 8)]! |= 0x80 >> (bit % 8);
  return new Uint8Array([3, bytes.length + 1, 7 - (last % 8), ...bytes]).buffer;
}

function subjectKeyId(info: SubjectPublicKeyInfo): SubjectKeyIdentifier {
  return new SubjectKeyIdentifier(keyIdentifier(info));
}

function authority(keyId: ArrayBuffer): AuthorityKeyIdentifier {
  return new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyId) });
}

function namesExtension(names: OctetString, subject: Name): Extension {
  // Without a subject the names are all there is, so nobody may skip them.
  return new Extension({ extnID: id_ce_subjectAltName, critical: subject.length === 0, extnValue: names });
}

function extension(extnID: string, value: object, critical = false): Extension {
  return extensionOf(extnID, AsnConvert.serialize(value), critical);
}

function extensionOf(extnID: string, value: ArrayBuffer, critical: boolean): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(value) });
}

function sameName(a: Name, b: Name): boolean {
  return same(AsnConvert.serialize(a), AsnConvert.serialize(b));
}

function same(a: ArrayBuffer, b: ArrayBuffer): boolean {
  return Buffer.from(a).equals(Buffer.from(b));
}

function time(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
