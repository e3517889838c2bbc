import { describe, expect, it } from "vitest";
import { checksumsFile, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

const problems = (network: object) =>
  problemsOf(
    {
      ...stackSettings,
      network: { ...stackSettings.network, ...network },
      downloads: { checksums: "SHA256SUMS" },
    },
    checksumsFile(),
  );
const routedNetworks = ["10.30.0.0/24"];

describe("a routing", () => {
  it.each<[title: string, network: object]>([
    ["flannel, without a word on its backend", { routing: "flannel" }],
    ["flannel by VXLAN", { routing: "flannel", flannel: { backend: "vxlan" } }],
    ["flannel by host-gw", { routing: "flannel", flannel: { backend: "host-gw" } }],
    ["the router, with further networks", { routing: "router", routedNetworks }],
    ["flannel, with no further network", { routing: "flannel", routedNetworks: [] }],
  ])("may be %s", (_title, network) => {
    expect(problems(network)).toEqual([]);
  });
});
