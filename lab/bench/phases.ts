import type { EngineRun } from "../client/stack.ts";

/** A part of a run of `pulumi up`, in seconds since its start. */
export interface Phase {
  name: string;
  begin: number;
  end: number;
  /** What it adds to the phases before it; over all phases the sum is the whole run. */
  adds: number;
}

interface Resource {
  type: string;
  name: string;
}

/** Phases by the resources whose making they are, in the order in which they end. */
const kinds: readonly [string, (resource: Resource) => boolean][] = [
  ["keys and certificates", ({ type }) => type.startsWith("tls:")],
  ["network", ({ type }) => type.startsWith("openstack:networking/")],
  ["instances", ({ type }) => type === "openstack:compute/instance:Instance"],
  ["converge, workers", ({ name }) => /-workers-.*-converge$/.test(name)],
  ["converge, control plane", ({ name }) => /-control-plane-.*-converge$/.test(name)],
  ["CoreDNS", ({ type }) => type.startsWith("kubernetes:")],
  ["ready", ({ name }) => name.endsWith("-ready")],
];

/** Splits a run of `pulumi up` that made a cluster into its phases. */
export function phasesOf({ events, seconds }: Pick<EngineRun, "events" | "seconds">): Phase[] {
  const begins = new Map<string, number>();
  const made: (Resource & { begin: number; end: number })[] = [];
  for (const { at, resourcePreEvent, resOutputsEvent } of events) {
    if (resourcePreEvent) begins.set(resourcePreEvent.metadata.urn, at);
    if (!resOutputsEvent) continue;
    const { urn, type } = resOutputsEvent.metadata;
    if (!/^(openstack|tls|command|kubernetes):/.test(type)) continue;
    made.push({ type, name: urn.split("::").at(-1)!, begin: begins.get(urn) ?? at, end: at });
  }
  const spans = kinds.flatMap(([name, is]) => {
    const own = made.filter(is);
    if (own.length === 0) return [];
    return [{ name, begin: Math.min(...own.map((r) => r.begin)), end: Math.max(...own.map((r) => r.end)) }];
  });
  const first = Math.min(...made.map(({ begin }) => begin));
  const last = Math.max(...made.map(({ end }) => end));
  let reached = 0;
  return [
    { name: "engine, program and look-ups", begin: 0, end: first },
    ...spans,
    { name: "end of the run", begin: last, end: seconds },
  ].map((span) => {
    const adds = Math.max(0, span.end - reached);
    reached += adds;
    return { ...span, adds };
  });
}
