import { beforeAll, describe, expect, it } from "vitest";
import type { CloudIds } from "../../components/lookups.ts";
import { stackSettings } from "../helpers/cluster.ts";
import { cloud, registerCluster } from "../helpers/graph.ts";
import type { Registered } from "../helpers/monitor.ts";

const onExisting: CloudIds = {
  ...cloud,
  existingNetwork: { networkId: "network-id", subnetId: "subnet-id", routerId: "router-id" },
};

async function withNetwork(network: object, from = cloud): Promise<Registered[]> {
  const { resources } = await registerCluster(
    { network: { ...stackSettings.network, ...network } },
    false,
    from,
  );
  return resources;
}

const names = (resources: Registered[]) => resources.map(({ name }) => name).sort();

/** Address pairs by node. */
const pairsOf = (resources: Registered[]) =>
  Object.fromEntries(
    resources
      .filter(({ type }) => type === "openstack:networking/port:Port")
      .map(({ name, inputs }) => [name.replace("demo-address-pairs-", ""), inputs.allowedAddressPairs]),
  );

let byRouter: Registered[];
beforeAll(async () => {
  byRouter = await withNetwork({});
});

describe.each([
  ["vxlan", { "cp-1": [], "worker-1": [], "worker-2": [] }],
  [
    "host-gw",
    {
      "cp-1": [{ ipAddress: "10.100.10.0/24" }],
      "worker-1": [{ ipAddress: "10.100.11.0/24" }],
      "worker-2": [{ ipAddress: "10.100.12.0/24" }],
    },
  ],
] as const)("a cluster with flannel's %s", (backend, pairs) => {
  const routing = { routing: "flannel", flannel: { backend } };
  let resources: Registered[];
  beforeAll(async () => {
    resources = await withNetwork(routing);
  });

  it("has no route of Neutron's, and no resource that a routed one has not", () => {
    expect(resources.filter(({ type }) => type.endsWith(":RouterRoute"))).toEqual([]);
    const gone = names(byRouter).filter((name) => !names(resources).includes(name));
    expect(gone.filter((name) => !name.startsWith("demo-pod-routes"))).toEqual(
      backend === "vxlan" ? ["demo-security-groups-node-pods"] : [],
    );
    expect(names(resources).filter((name) => !names(byRouter).includes(name))).toEqual([]);
  });

  it("has address pairs only where pods' packets cross the ports as they are", () => {
    expect(pairsOf(resources)).toEqual(pairs);
  });

  it("has the same on an existing network, whose router it leaves alone", async () => {
    const existing = { network: "office", subnet: "office-a", router: "office" };
    const found = await withNetwork({ ...routing, existing }, onExisting);
    expect(pairsOf(found)).toEqual(pairs);
    const own = names(resources).filter((name) => !/^demo-network($|-(?!leftovers$))/.test(name));
    expect(names(found)).toEqual(own);
    expect(JSON.stringify(found)).toContain('"subnet-id"');
    expect(JSON.stringify(found)).not.toContain('"router-id"');
  });
});
