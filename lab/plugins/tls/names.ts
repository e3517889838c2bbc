import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AttributeTypeAndValue,
  AttributeValue,
  GeneralName,
  GeneralNames,
  Name,
  RelativeDistinguishedName,
} from "@peculiar/asn1-x509";
import ipaddr from "ipaddr.js";

/** The input `subject`. */
export interface Subject {
  commonName?: string;
  country?: string;
  emailAddress?: string;
  locality?: string;
  organization?: string;
  organizationalUnit?: string;
  postalCode?: string;
  province?: string;
  serialNumber?: string;
  streetAddresses?: string[];
}

/** The inputs that become subject alternative names. */
export interface AlternativeNames {
  dnsNames?: string[];
  ipAddresses?: string[];
  uris?: string[];
}

// The order in which the official plugin encodes them.
const order: [keyof Subject, string][] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

/** The distinguished name of a subject. */
export function distinguishedName(subject: Subject = {}): Name {
  const parts = order.map(([key, type]) => {
    const values = [subject[key] ?? []].flat();
    const attributes = values.map((value) => new AttributeTypeAndValue({ type, value: encoded(key, value) }));
    // Several street addresses are one part with several values.
    return new RelativeDistinguishedName(attributes);
  });
  return new Name(parts.filter((part) => part.length > 0));
}

function encoded(key: keyof Subject, value: string): AttributeValue {
  if (key === "emailAddress") return new AttributeValue({ ia5String: value });
  const printable = /^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(value);
  return new AttributeValue(printable ? { printableString: value } : { utf8String: value });
}

/** The subject alternative names, encoded; undefined if there are none. */
export function alternativeNames({ dnsNames, ipAddresses, uris }: AlternativeNames): OctetString | undefined {
  const names = [
    ...(dnsNames ?? []).map((dNSName) => new GeneralName({ dNSName })),
    ...(ipAddresses ?? []).map((address) => new GeneralName({ iPAddress: checked(address) })),
    ...(uris ?? []).map((uri) => new GeneralName({ uniformResourceIdentifier: uri })),
  ];
  return names.length > 0 ? new OctetString(AsnConvert.serialize(new GeneralNames(names))) : undefined;
}

function checked(address: string): string {
  if (!isIP(address)) throw new Error(`Invalid IP address: failed to parse ${JSON.stringify(address)}`);
  return ipaddr.parse(address).toNormalizedString();
}

/** Only the kinds of alternative names that the official plugin takes over from a request. */
export function supportedNames(encodedNames: ArrayBuffer): OctetString | undefined {
  const names = AsnConvert.parse(encodedNames, GeneralNames).filter(
    (name) => name.dNSName ?? name.iPAddress ?? name.uniformResourceIdentifier,
  );
  return names.length > 0 ? new OctetString(AsnConvert.serialize(new GeneralNames(names))) : undefined;
}
