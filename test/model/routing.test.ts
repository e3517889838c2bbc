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

  it.each<[title: string, network: object, problem: string]>([
    [
      "one that there is not",
      { routing: "bgp" },
      'network.routing: must be one of router, flannel, not "bgp"',
    ],
    [
      "flannel with another backend",
      { flannel: { backend: "udp" } },
      'network.flannel.backend: must be one of vxlan, host-gw, not "udp"',
    ],
    [
      "flannel with its own name for the backend",
      { flannel: { Type: "vxlan" } },
      "network.flannel: has no setting Type; see docs/settings.md",
    ],
    [
      "the router with settings of flannel",
      { flannel: { backend: "host-gw" } },
      "network.flannel.backend: is only for network.routing flannel, not router",
    ],
    ["flannel as one word", { flannel: "vxlan" }, 'network.flannel: must be a dictionary, not "vxlan"'],
    [
      "flannel with further networks, whose machines know no way to a pod",
      { routing: "flannel", routedNetworks },
      "network.routedNetworks: is only for network.routing router, not flannel",
    ],
  ])("may not be %s", (_title, network, problem) => {
    expect(problems(network)).toEqual([problem]);
  });
});
