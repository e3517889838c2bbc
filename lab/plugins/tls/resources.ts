import type { CheckFailure } from "@pulumi/pulumi/provider/provider.js";
import type { Resource } from "../shared/resource.ts";
import { changedKeys, hasUnknown } from "../shared/values.ts";
import type { Props } from "../shared/values.ts";
import {
  allowedUses,
  issue,
  keyIdentifier,
  publicKeyInfo,
  readIssuer,
  readRequest,
  request,
} from "./certificates.ts";
import type { Issued, Template } from "./certificates.ts";
import { algorithmOf, algorithms, curves, keyOutputs, newKey, readKey } from "./keys.ts";
import { alternativeNames, distinguishedName } from "./names.ts";
import type { AlternativeNames, Subject } from "./names.ts";

interface Rule {
  required?: boolean;
  default?: unknown;
  /** Says what is wrong with a known value. */
  wrong?(value: unknown): string | undefined;
  /** A change alters the state only, not the resource. */
  updates?: boolean;
}

type Rules = Record<string, Rule>;

/** What all four types share: every input replaces, but the few that only the state knows. */
function resource(rules: Rules, rest: Pick<Resource, "create" | "read" | "secretOutputs">): Resource {
  const effective = (props: Props) =>
    Object.fromEntries(
      Object.entries(rules).map(([key, rule]) => [key, props[key] ?? rule.default] as const),
    );
  return {
    ...rest,
    check(news) {
      const known = Object.entries(rules).map(([key, rule]) => failure(key, rule, news[key]));
      const others = Object.keys(news).filter((key) => !(key in rules) && !key.startsWith("__"));
      const strange = others.map((property) => ({
        property,
        reason: "this stand-in does not know this input",
      }));
      return { failures: [...known.flat(), ...strange] };
    },
    diff(olds, news) {
      const keys = changedKeys(effective(olds), effective(news));
      const renewal = isRenewable(olds, effective(news)) ? ["readyForRenewal"] : [];
      const replaces = [...keys.filter((key) => !rules[key]!.updates), ...renewal];
      return { changes: keys.length + renewal.length > 0, replaces };
    },
    async create(news, context) {
      const { id, outs } = await rest.create({ ...effective(news) }, context);
      return { id, outs: { ...defined(effective(news)), ...outs } };
    },
    async update(_id, olds, news) {
      return { ...olds, ...defined(effective(news)) };
    },
  };
}

function defined(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}

function failure(property: string, rule: Rule, value: unknown): CheckFailure[] {
  if (value === undefined) return rule.required ? [{ property, reason: "missing required property" }] : [];
  const reason = hasUnknown(value) ? undefined : rule.wrong?.(value);
  return reason ? [{ property, reason }] : [];
}

const required = { required: true };
const oneOf = (allowed: readonly string[]) => (value: unknown) =>
  allowed.includes(value as string) ? undefined : `must be one of ${allowed.join(", ")}`;
const allOf = (allowed: readonly string[]) => (value: unknown) =>
  [value].flat().map(oneOf(allowed)).find(Boolean);
const atLeast = (least: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least
    ? undefined
    : `must be a whole number of at least ${least}`;

const off = { default: false };
const certificateRules: Rules = {
  allowedUses: { required: true, wrong: allOf(allowedUses) },
  validityPeriodHours: { required: true, wrong: atLeast(0) },
  earlyRenewalHours: { default: 0, wrong: atLeast(0), updates: true },
  isCaCertificate: off,
  maxPathLength: { wrong: atLeast(-1) },
  setSubjectKeyId: off,
};
const subjectRules: Rules = { subject: {}, dnsNames: {}, ipAddresses: {}, uris: {} };

type CertificateProps = Omit<Template, "subject" | "names" | "publicKey"> & Props;
type SubjectProps = { privateKeyPem: string; subject?: Subject } & AlternativeNames & Props;

/** `tls:index/privateKey:PrivateKey` */
export const privateKey = resource(
  {
    algorithm: { required: true, wrong: oneOf(algorithms) },
    rsaBits: { default: 2048, wrong: atLeast(1) },
    ecdsaCurve: { default: "P224", wrong: oneOf(Object.keys(curves)) },
  },
  {
    secretOutputs: ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"],
    async create(props) {
      const { algorithm, rsaBits, ecdsaCurve } = props as {
        algorithm: string;
        rsaBits: number;
        ecdsaCurve: string;
      };
      const { id, ...outs } = keyOutputs(await newKey(algorithm, rsaBits, ecdsaCurve));
      return { id, outs };
    },
  },
);

/** `tls:index/certRequest:CertRequest` */
export const certRequest = resource(
  { privateKeyPem: required, ...subjectRules },
  {
    secretOutputs: ["privateKeyPem"],
    async create(props) {
      const { privateKeyPem, subject, ...names } = props as SubjectProps;
      const key = readKey(privateKeyPem, "privateKeyPem");
      const { id, certRequestPem } = request(key, subject, names);
      return { id, outs: { keyAlgorithm: algorithmOf(key), certRequestPem } };
    },
  },
);

/** `tls:index/selfSignedCert:SelfSignedCert` */
export const selfSignedCert = resource(
  { privateKeyPem: required, ...subjectRules, ...certificateRules, setAuthorityKeyId: off },
  {
    secretOutputs: ["privateKeyPem"],
    read: readCertificate,
    async create(props) {
      const { privateKeyPem, subject, setAuthorityKeyId } = props as SubjectProps;
      const key = readKey(privateKeyPem, "privateKeyPem");
      const certificate = props as CertificateProps;
      const name = distinguishedName(subject);
      const publicKey = publicKeyInfo(key);
      const identified = certificate.isCaCertificate || certificate.setSubjectKeyId;
      const issued = issue(
        { ...certificate, subject: name, names: alternativeNames(props), publicKey },
        { name, key, keyId: identified ? keyIdentifier(publicKey) : undefined },
        setAuthorityKeyId === true,
      );
      return certificateOutputs(issued, { keyAlgorithm: algorithmOf(key) });
    },
  },
);

/** `tls:index/locallySignedCert:LocallySignedCert` */
export const locallySignedCert = resource(
  { caCertPem: required, caPrivateKeyPem: required, certRequestPem: required, ...certificateRules },
  {
    secretOutputs: ["caPrivateKeyPem"],
    read: readCertificate,
    async create(props) {
      const { caCertPem, caPrivateKeyPem, certRequestPem } = props as Record<string, string>;
      const key = readKey(caPrivateKeyPem!, "caPrivateKeyPem");
      const asked = readRequest(certRequestPem!);
      const issued = issue({ ...(props as CertificateProps), ...asked }, readIssuer(caCertPem!, key));
      return certificateOutputs(issued, { caKeyAlgorithm: algorithmOf(key) });
    },
  },
);

function certificateOutputs({ id, ...times }: Issued, more: Props) {
  return { id, outs: { ...times, ...more, readyForRenewal: false } };
}

async function readCertificate(id: string, olds: Props) {
  return { id, props: isRenewable(olds, olds) ? { ...olds, readyForRenewal: true } : olds };
}

/** Has the time for renewal come, or has a refresh said so? Every plan asks, as in the Terraform provider. */
function isRenewable({ readyForRenewal, validityEndTime }: Props, { earlyRenewalHours }: Props): boolean {
  if (readyForRenewal === true) return true;
  if (typeof validityEndTime !== "string") return false;
  return Date.now() >= Date.parse(validityEndTime) - Number(earlyRenewalHours ?? 0) * 3_600_000;
}
