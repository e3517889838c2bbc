import ipaddr from "ipaddr.js";

/** An IPv4 network, its base address as a number. */
export interface Network {
  base: number;
  /** Prefix length, 0 to 32. */
  prefix: number;
}

/** Reads `10.0.0.0/24`; throws when it is no IPv4 network in decimal parts or has host bits set. */
export function parseNetwork(text: string): Network {
  const [, address = "", digits] = /^([\d.]+)\/(\d|[1-3]\d)$/.exec(text) ?? [];
  const prefix = Number(digits);
  if (!isAddress(address) || prefix > 32) throw new Error("is no IPv4 network such as 10.0.0.0/16");
  const network = { base: toNumber(address), prefix };
  if (network.base % size(network) !== 0) {
    const meant = formatNetwork({ base: network.base - (network.base % size(network)), prefix });
    throw new Error(`has host bits set; the network is ${meant}`);
  }
  return network;
}

/** Writes a network as `10.0.0.0/24`. */
export function formatNetwork(network: Network): string {
  return `${toText(network.base)}/${network.prefix}`;
}

/** Number of addresses in a network, the first and last included. */
export function size(network: Network): number {
  return 2 ** (32 - network.prefix);
}

/** The n-th address of a network as text; n = 0 is the network's own address. */
export function addressAt(network: Network, n: number): string {
  return toText(network.base + n);
}

/** The n-th network of the given prefix length inside a larger one. */
export function subnetAt(network: Network, prefix: number, n: number): Network {
  return { base: network.base + n * 2 ** (32 - prefix), prefix };
}

/** Whether an address such as `10.0.0.7` lies in the network. */
export function contains(network: Network, address: string): boolean {
  const value = toNumber(address);
  return value >= network.base && value < network.base + size(network);
}

/** Whether all addresses of the inner network are also the outer one's. */
export function includes(outer: Network, inner: Network): boolean {
  return inner.prefix >= outer.prefix && overlap(outer, inner);
}

/** Whether two networks share an address. */
export function overlap(a: Network, b: Network): boolean {
  return a.base < b.base + size(b) && b.base < a.base + size(a);
}

/** Whether the text is an IPv4 address in four decimal parts. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

function toNumber(address: string): number {
  return ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((value, byte) => value * 256 + byte, 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
