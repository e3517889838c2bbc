import type { V1Service } from "@kubernetes/client-node";
import { expect, it } from "vitest";
import { on } from "../../../lab/client/machines.ts";
import { inLabRun } from "../../../lab/client/run.ts";
import { captured } from "./capture.ts";
import type { ReachedCluster } from "./cluster.ts";
import { seenOutside } from "./outside.ts";
import { answerTime } from "./patience.ts";
import {
  answers,
  ask,
  askEachOther,
  inProbe,
  nodePort,
  ping,
  probes,
  serviceName,
  whoPath,
  withOwnAddresses,
  type Probe,
} from "./probes.ts";

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
  const service = (name: string): Promise<V1Service> =>
    cluster().kubectl.get<V1Service>("service", name, "--namespace=probes");

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
    const all = await probesNow();
    const pods = all.map((probe) => probe.name).sort();
    const rounds = 12;
    const fromPods = await Promise.all(
      all.map((probe) => ask(kubectl, probe, Array<string>(rounds).fill(serviceName("who")))),
    );
    const byNow = [...new Set(fromPods.flat().map(({ by }) => by))].sort();
    // All of them have a share, whichever asks.
    expect(byNow).toEqual(pods);

    const address = (await service("who")).spec?.clusterIP;
    for (const machine of Object.values(machines)) {
      const loop = `for i in $(seq ${rounds}); do curl -sS -m ${answerTime} http://${address}${whoPath}; done`;
      const fromNode = answers(await on(machine, loop));
      expect(fromNode).toHaveLength(rounds);
      for (const { by } of fromNode) expect(pods).toContain(by);
    }
  });

  it("answers on a node port from outside, at each worker's floating address", async () => {
    const { outputs } = cluster();
    const pods = (await probesNow()).map((probe) => probe.name);
    for (const { role, floatingAddress } of Object.values(outputs.inventory)) {
      if (role !== "worker") continue;
      const url = `http://${floatingAddress}:${nodePort}${whoPath}`;
      const text = await inLabRun(["curl", "-sS", "-m", String(answerTime), ...Array<string>(6).fill(url)]);
      const found = answers(text);
      expect(found).toHaveLength(6);
      for (const { by } of found) expect(pods).toContain(by);
    }
  });

  it("names services and pods by DNS: A, SRV and reverse, from every node", async () => {
    const { kubectl } = cluster();
    const all = await probesNow();
    const address = (await service("who")).spec!.clusterIP!;
    const names = { who: serviceName("who"), headless: serviceName("who-headless") };
    for (const probe of all) {
      const dig = async (query: string): Promise<string[]> => {
        const text = await inProbe(kubectl, probe, `dig +short +time=3 +tries=2 ${query}`);
        return text.trim().split("\n").sort();
      };
      expect(await dig(`${names.who} A`)).toEqual([address]);
      expect(await dig(`${names.headless} A`)).toEqual(all.map((other) => other.address).sort());
      expect(await dig(`_http._tcp.${names.who} SRV`)).toEqual([`0 100 80 ${names.who}.`]);
      expect(await dig(`_http._tcp.${names.headless} SRV`)).toEqual(
        all
          .map(
            (other) =>
              `0 ${Math.floor(100 / all.length)} 8080 ${other.address.replaceAll(".", "-")}.${names.headless}.`,
          )
          .sort(),
      );
      expect(await dig(`-x ${address}`)).toEqual([`${names.who}.`]);
      // The resolver's search list makes a short name of it.
      const [answer] = await ask(kubectl, probe, ["who"]);
      expect(all.map((other) => other.name)).toContain(answer!.by);
    }
  });
}
