import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { V1Node } from "@kubernetes/client-node";
import { machinesOf, resourceNamed, type Machine } from "../../../lab/client/machines.ts";
import type { LabSettings, Stack } from "../../../lab/client/stack.ts";
import { buildable } from "../../../lab/mirror/mirror.ts";
import { Kubectl } from "./kubectl.ts";

interface Outputs {
  kubeconfig: string;
  endpoints: { api: string };
  inventory: Record<
    string,
    { role: string; address: string; podNetwork: string; floatingAddress: string; instanceId: string }
  >;
}

/** A cluster that came up, and how to reach all parts of it. */
export interface ReachedCluster {
  outputs: Outputs;
  kubectl: Kubectl;
  machines: Record<string, Machine>;
}

/** Names of the control plane and of a worker: two nodes are all that a packet between nodes needs. */
export const oneOfEachRole = ({ nodes }: LabSettings): [controlPlane: string, worker: string] =>
  ["control-plane", "worker"].map((role) =>
    Object.keys(nodes).find((node) => nodes[node]!.role === role)!,
  ) as [string, string];

/** These settings with one node alone, the control plane, named after its cluster: enough to go wrong. */
export function oneNodeAlone(settings: LabSettings, name: string): LabSettings {
  const { flavor = settings.machine.flavor, slot } = settings.nodes[oneOfEachRole(settings)[0]]!;
  return {
    ...settings,
    cluster: { ...settings.cluster, name },
    machine: { ...settings.machine, flavor },
    nodes: { [`${name}-1`]: { role: "control-plane", slot } },
  };
}

/** An older minor version, from which a cluster comes to the one of these settings. */
export const olderVersion = async ({ cluster }: LabSettings): Promise<string> =>
  (await buildable()).sort().find((version) => version !== cluster.kubernetesVersion)!;

/** Reaches the cluster of a stack that is up, with the nodes of these names. */
export async function reach(stack: Stack, names: readonly string[]): Promise<ReachedCluster> {
  const outputs = await stack.outputs<Outputs>();
  const kubeconfig = join(stack.folder, "kubeconfig");
  await writeFile(kubeconfig, outputs.kubeconfig, { mode: 0o600 });
  return { outputs, kubectl: new Kubectl(kubeconfig), machines: await machinesOf(stack, names) };
}

/** Id of the router that a stack has made. */
export async function routerOf(stack: Stack): Promise<string> {
  return resourceNamed(await stack.resources(), "-network-router").id!;
}

/** Does the kubelet of this node say that it is ready? */
export function isNodeReady({ status }: V1Node): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
