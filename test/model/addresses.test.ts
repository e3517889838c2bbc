import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addressAt,
  contains,
  formatNetwork,
  isAddress,
  overlap,
  parseNetwork,
  size,
  subnetAt,
  type Network,
} from "../../model/addresses.ts";

/** Networks from /1 to /32. */
const networks = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 1, max: 32 }))
  .map(([value, prefix]): Network => ({ base: value - (value % 2 ** (32 - prefix)), prefix }));

describe("parseNetwork", () => {
  it("reads what formatNetwork writes", () => {
    fc.assert(
      fc.property(networks, (network) => {
        expect(parseNetwork(formatNetwork(network))).toEqual(network);
      }),
    );
  });

  it("reads the network of all addresses", () => {
    expect(size(parseNetwork("0.0.0.0/0"))).toBe(2 ** 32);
  });

  it("names the network that was meant when host bits are set", () => {
    expect(() => parseNetwork("10.0.7.9/16")).toThrow("has host bits set; the network is 10.0.0.0/16");
  });

  it.each([
    "10.0.0.0",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "fd00::/8",
    "10.0.0.256/32",
    "here/8",
    "",
    "10.0/16",
    "10.0.0.010/32",
    "0x0a.0.0.0/8",
    "167772160/8",
    "10.0.0.0/08",
    "10.0.0.0/8 ",
  ])("refuses %j", (text) => {
    expect(() => parseNetwork(text)).toThrow();
  });
});

describe("a network's addresses", () => {
  it("lie inside it, its neighbours' do not", () => {
    fc.assert(
      fc.property(networks, fc.nat(), (network, n) => {
        expect(contains(network, addressAt(network, n % size(network)))).toBe(true);
        if (network.base + size(network) < 2 ** 32) {
          expect(contains(network, addressAt(network, size(network)))).toBe(false);
        }
        if (network.base > 0) expect(contains(network, addressAt(network, -1))).toBe(false);
      }),
    );
  });

  it.each([
    ["10.0.0.0/24", 1, "10.0.0.1"],
    ["10.0.0.0/24", 255, "10.0.0.255"],
    ["10.0.0.0/16", 256, "10.0.1.0"],
    ["240.0.0.0/4", 2 ** 28 - 1, "255.255.255.255"],
  ])("%s has %i as %s", (network, n, address) => {
    expect(addressAt(parseNetwork(network), n)).toBe(address);
  });
});

describe("parts of a network", () => {
  it("lie inside it, do not overlap and leave no gap", () => {
    const cut = fc
      .tuple(networks, fc.integer({ min: 1, max: 10 }))
      .filter(([network, bits]) => network.prefix + bits <= 32);
    fc.assert(
      fc.property(cut, fc.nat(), ([network, bits], n) => {
        const index = n % (2 ** bits - 1);
        const part = subnetAt(network, network.prefix + bits, index);
        const next = subnetAt(network, network.prefix + bits, index + 1);
        expect(contains(network, addressAt(part, 0))).toBe(true);
        expect(contains(network, addressAt(next, size(next) - 1))).toBe(true);
        expect(overlap(part, next)).toBe(false);
        expect(part.base + size(part)).toBe(next.base);
      }),
    );
  });
});

describe("overlap", () => {
  it("is true for two networks exactly when one contains the other's first address", () => {
    fc.assert(
      fc.property(networks, networks, (a, b) => {
        const shared = contains(a, addressAt(b, 0)) || contains(b, addressAt(a, 0));
        expect(overlap(a, b)).toBe(shared);
        expect(overlap(b, a)).toBe(shared);
      }),
    );
  });
});

describe("isAddress", () => {
  it.each(["0.0.0.0", "10.0.0.10", "255.255.255.255"])("takes %s", (text) => {
    expect(isAddress(text)).toBe(true);
  });
  it.each([
    "10.0.0",
    "10.0.0.0/8",
    "10.0.0.256",
    "10.0.0.01",
    "0xa.0.0.1",
    "10.1",
    " 10.0.0.1",
    "fd00::1",
    "host",
    "",
  ])("refuses %j", (text) => {
    expect(isAddress(text)).toBe(false);
  });
});
