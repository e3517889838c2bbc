import type { V1Deployment } from "@kubernetes/client-node";
import { registry } from "../../../lab/paths.ts";
import { askedBy, type Asked } from "./asking.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerTime } from "./patience.ts";

const namespace = "replicas";
const name = "page";
const labels = { app: name };
const nodePort = 31001;

const deployment: V1Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 10,
        // One on each worker where there is more than one.
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: "kubernetes.io/hostname",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: labels },
          },
        ],
        containers: [
          {
            name,
            image: `${registry}/lab/tools:1`,
            command: ["httpd", "-f", "-p", "8080", "-h", "/www"],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            // Whoever still has the pod among a service's has some seconds to learn that it goes.
            lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } },
            volumeMounts: [{ name: "www", mountPath: "/www" }],
          },
        ],
        volumes: [{ name: "www", configMap: { name } }],
      },
    },
  },
};

const objects = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: { "index.html": "here\n" } },
  deployment,
  {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name, namespace },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { type: "NodePort", selector: labels, ports: [{ port: 80, targetPort: 8080, nodePort }] },
  },
];

/** Runs two pods behind a service, of which one may be away at a time, and waits until both are ready. */
export async function startReplicas(kubectl: Kubectl): Promise<void> {
  await kubectl.apply(objects);
  await replicasReady(kubectl);
}

export async function replicasReady(kubectl: Kubectl): Promise<void> {
  await kubectl.run([
    "rollout",
    "status",
    `deployment/${name}`,
    `--namespace=${namespace}`,
    "--timeout=110s",
  ]);
}

/** How many of the two may be away, so that a drain has to wait while it is none. */
export async function mayBeAway(kubectl: Kubectl, maxUnavailable: number): Promise<void> {
  const patch = JSON.stringify({ spec: { maxUnavailable } });
  await kubectl.run(["patch", "pdb", name, `--namespace=${namespace}`, "--type=merge", `--patch=${patch}`]);
}

const asker = (url: string) => `
setInterval(async () => {
  const asked = new Date().toISOString();
  try {
    const response = await fetch(${JSON.stringify(url)}, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(${answerTime * 1000}),
    });
    const here = response.ok && (await response.text()) === "here\\n";
    console.log(here ? "answered" : "failed, asked at " + asked + ": " + response.status);
  } catch (error) {
    console.log("failed, asked at " + asked + ": " + error.message + " " + (error.cause?.message ?? ""));
  }
}, 100);`;

/** Asks the service ten times a second by a node's port, each time by a connection of its own, while a step goes on. */
export const askedDuring = <T>(address: string, step: () => Promise<T>): Promise<Asked<T>> =>
  askedBy(["node", "--input-type=module", "--eval", asker(`http://${address}:${nodePort}/`)], step);
