import { afterEach, beforeAll, beforeEach, vi } from "vitest";
import type { KubeObject } from "../../../lab/plugins/kubernetes/kinds.ts";
import { Objects } from "../../../lab/plugins/kubernetes/objects.ts";
import { readSettings } from "../../../lab/plugins/kubernetes/settings.ts";
import type { Context } from "../../../lab/plugins/shared/resource.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { FakeApiServer, newCertificates } from "../fake-api-server.ts";
import type { Certificates } from "../fake-api-server.ts";
import { Driven } from "../support.ts";

// For each test a server, and resource types that write into it without taking time.

export let server: FakeApiServer;
/** The milliseconds of each pause so far. */
export const pauses: number[] = [];
let certificates: Certificates;
let meanwhile: (count: number) => unknown;

beforeAll(async () => {
  certificates = await newCertificates();
});

beforeEach(async () => {
  vi.stubEnv("KUBECONFIG", undefined);
  server = new FakeApiServer(certificates);
  await server.listen();
  pauses.length = 0;
  meanwhile = () => {};
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

/** Has something done in each pause; told is which one it is. */
export function whilePaused(act: (count: number) => unknown): void {
  meanwhile = act;
}

/** One type of a provider whose pauses take no time but are noted. */
export function driven(type: string, settings: Props = {}, more: Partial<Context> = {}): Driven {
  const given = readSettings({ kubeconfig: server.kubeconfig(), ...settings });
  const objects = new Objects(given, async (milliseconds, signal) => {
    signal?.throwIfAborted();
    pauses.push(milliseconds);
    await meanwhile(pauses.length);
    signal?.throwIfAborted();
  });
  return new Driven(async (token) => objects.resource(token), type, more);
}

export const configMaps = "/api/v1/namespaces/default/configmaps";
export const configMap = (more: Props = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "default" },
  data: { key: "1" },
  ...more,
});
export const deployment = (more: Props = {}, annotations?: Record<string, string>) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d", namespace: "default", ...(annotations ? { annotations } : {}) },
  spec: { replicas: 2, selector: { matchLabels: { a: "b" } }, ...more },
});
export const finished = { observedGeneration: 99, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

/** As the state has it after a create without a server. */
export function stateOf(inputs: KubeObject | Props): Props {
  return {
    ...inputs,
    __inputs: inputs,
    __initialApiVersion: inputs.apiVersion,
    __fieldManager: "pulumi-kubernetes-0",
  };
}
