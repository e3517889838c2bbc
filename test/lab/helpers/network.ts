import { expect, it } from "vitest";
import { on } from "../../../lab/client/machines.ts";
import { captured } from "./capture.ts";
import type { ReachedCluster } from "./cluster.ts";
import { seenOutside } from "./outside.ts";
import { askEachOther, ping, probes, withOwnAddresses, type Probe } from "./probes.ts";
import { expectNames, expectNodePort, expectService } from "./services.ts";

/** The interface by which a node's packets leave it. */
export async function portOf({ machines }: ReachedCluster, node: string): Promise<string> {
  const route = await on(machines[node]!, "ip -o route show default");
  return /dev (\S+)/.exec(route)![1]!;
}

/** What tcpdump sees at the port of a probe's node while a probe of another node pings that one three times. */
export async function pingsAtPort(
  cluster: ReachedCluster,
  near: Probe,
  far: Probe,
  filter: string,
): Promise<string[]> {
  const { ssh } = cluster.machines[far.node]!;
  return captured(ssh, { on: await portOf(cluster, far.node), filter, packets: 3 }, () =>
    ping(cluster.kubectl, near, far.address),
  );
}

/** Tests of a cluster's network that pass whatever routes its pods. The probes run already. */
export function networkTests(cluster: () => ReachedCluster): void {
  const probesNow = (): Promise<Probe[]> => probes(cluster().kubectl, Object.keys(cluster().machines));

  it("lets pods of all nodes reach each other with their own addresses", async () => {
    const all = await probesNow();
    expect(await askEachOther(cluster().kubectl, all)).toEqual(withOwnAddresses(all));
  });

  it("masquerades pods that leave the cluster: outside they have their node's floating address", async () => {
    const { kubectl, outputs } = cluster();
    const all = await probesNow();
    const floating = all.map(({ node }) => outputs.inventory[node]!.floatingAddress);
    expect(await seenOutside(kubectl, all)).toEqual(floating);
  });

  it("answers on a service's address, from pods by name and from every node", async () => {
    const { kubectl, machines } = cluster();
    await expectService(kubectl, await probesNow(), Object.values(machines));
  });

  it("answers on a node port from outside, at each worker's floating address", async () => {
    const workers = Object.values(cluster().outputs.inventory).filter(({ role }) => role === "worker");
    await expectNodePort(
      await probesNow(),
      workers.map(({ floatingAddress }) => floatingAddress),
    );
  });

  it("names services and pods by DNS: A, SRV and reverse, from every node", async () => {
    await expectNames(cluster().kubectl, await probesNow());
  });
}
