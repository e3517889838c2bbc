import type { V1Service } from "@kubernetes/client-node";
import { expect } from "vitest";
import { on, type Machine } from "../../../lab/client/machines.ts";
import { inLabRun } from "../../../lab/client/run.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerTime } from "./patience.ts";
import { answers, ask, inProbe, nodePort, serviceName, whoPath, type Probe } from "./probes.ts";

// What every cluster's service network must do, whatever its settings are.

const rounds = 12;

async function serviceAddress(kubectl: Kubectl): Promise<string> {
  const service = await kubectl.get<V1Service>("service", "who", "--namespace=probes");
  return service.spec!.clusterIP!;
}

/** The probes' service answers, from pods by name and from every machine by address, and each probe has a share. */
export async function expectService(
  kubectl: Kubectl,
  all: readonly Probe[],
  machines: readonly Machine[],
  domain?: string,
): Promise<void> {
  const pods = all.map(({ name }) => name).sort();
  const name = serviceName("who", domain);
  const fromPods = await Promise.all(
    all.map((probe) => ask(kubectl, probe, Array<string>(rounds).fill(name))),
  );
  // All of them have a share, whichever asks.
  const byNow = [...new Set(fromPods.flat().map(({ by }) => by))].sort();
  expect(byNow).toEqual(pods);

  const address = await serviceAddress(kubectl);
  for (const machine of machines) {
    const loop = `for i in $(seq ${rounds}); do curl -sS -m ${answerTime} http://${address}${whoPath}; done`;
    const fromMachine = answers(await on(machine, loop));
    expect(fromMachine).toHaveLength(rounds);
    for (const { by } of fromMachine) expect(pods).toContain(by);
  }
}

/** The probes' node port answers from outside, at each of these floating addresses. */
export async function expectNodePort(all: readonly Probe[], addresses: readonly string[]): Promise<void> {
  const pods = all.map(({ name }) => name);
  for (const address of addresses) {
    const urls = Array<string>(6).fill(`http://${address}:${nodePort}${whoPath}`);
    const found = answers(await inLabRun(["curl", "-sS", "-m", String(answerTime), ...urls]));
    expect(found).toHaveLength(urls.length);
    for (const { by } of found) expect(pods).toContain(by);
  }
}

/** Lines that `dig +short` prints in a probe, sorted. */
export async function dig(kubectl: Kubectl, probe: Probe, query: string): Promise<string[]> {
  const text = await inProbe(kubectl, probe, `dig +short +time=${answerTime} +tries=2 ${query}`);
  return text.trim().split("\n").sort();
}

/** Services and pods have names, A, SRV and reverse, in every probe. */
export async function expectNames(kubectl: Kubectl, all: readonly Probe[], domain?: string): Promise<void> {
  const address = await serviceAddress(kubectl);
  const who = serviceName("who", domain);
  const headless = serviceName("who-headless", domain);
  // CoreDNS shares a hundred out among the pods.
  const weight = Math.floor(100 / all.length);
  for (const probe of all) {
    const found = (query: string) => dig(kubectl, probe, query);
    expect(await found(`${who} A`)).toEqual([address]);
    expect(await found(`${headless} A`)).toEqual(all.map((other) => other.address).sort());
    expect(await found(`_http._tcp.${who} SRV`)).toEqual([`0 100 80 ${who}.`]);
    expect(await found(`_http._tcp.${headless} SRV`)).toEqual(
      all.map((other) => `0 ${weight} 8080 ${other.address.replaceAll(".", "-")}.${headless}.`).sort(),
    );
    expect(await found(`-x ${address}`)).toEqual([`${who}.`]);
    // The resolver's search list makes a short name of it.
    const [answer] = await ask(kubectl, probe, ["who"]);
    expect(all.map((other) => other.name)).toContain(answer!.by);
  }
}
