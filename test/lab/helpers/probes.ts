import type { V1DaemonSet, V1Pod, V1PodList, V1Service } from "@kubernetes/client-node";
import { registry } from "../../../lab/paths.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerTime, patience } from "./patience.ts";

const namespace = "probes";
const labels = { app: "who" };
const port = 8080;
export const nodePort = 31000;
/** Path that answers with the address the request came from, and the name of the pod that answers. */
export const whoPath = "/cgi-bin/who";

/** A probe on one node: it serves `who`, and asks others from there. */
export interface Probe {
  node: string;
  name: string;
  address: string;
  started: string;
}

/** Who asked, and who answered. */
export interface Answer {
  from: string;
  by: string;
}

const daemonSet: V1DaemonSet = {
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "who", namespace },
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        tolerations: [{ operator: "Exists" }],
        containers: [
          {
            name: "who",
            image: `${registry}/lab/tools:1`,
            command: ["httpd", "-f", "-p", String(port), "-h", "/www"],
            ports: [{ name: "http", containerPort: port }],
            readinessProbe: {
              httpGet: { path: whoPath, port: port },
              periodSeconds: 2,
              timeoutSeconds: answerTime,
            },
            volumeMounts: [{ name: "scripts", mountPath: "/www/cgi-bin" }],
          },
        ],
        volumes: [{ name: "scripts", configMap: { name: "who", defaultMode: 0o755 } }],
      },
    },
  },
};

const service = (name: string, spec: V1Service["spec"]): V1Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace },
  spec: {
    selector: labels,
    ports: [{ name: "http", port: 80, targetPort: "http" }],
    ...spec,
  },
});

/** A pod on each node, a service with a node port for them and one without an address. */
const objects = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "who", namespace },
    data: {
      // Standard error is the pod's log.
      who: [
        "#!/bin/sh",
        'echo "asked by $REMOTE_ADDR" >&2',
        'printf "Content-Type: text/plain\\r\\n\\r\\n%s %s\\n" "$REMOTE_ADDR" "$(hostname)"',
        "",
      ].join("\n"),
    },
  },
  daemonSet,
  service("who", {
    type: "NodePort",
    ports: [{ name: "http", port: 80, targetPort: "http", nodePort }],
  }),
  service("who-headless", { clusterIP: "None" }),
];

/** DNS name of a service of the probes. */
export const serviceName = (name: "who" | "who-headless", domain = "cluster.local"): string =>
  `${name}.${namespace}.svc.${domain}`;

/** Starts the probes, and waits until there is a ready one on each node. */
export async function startProbes(kubectl: Kubectl): Promise<void> {
  await kubectl.apply(objects);
  const wait = `--timeout=${110 * patience}s`;
  await kubectl.run(["rollout", "status", "daemonset/who", `--namespace=${namespace}`, wait]);
}

/** The probes by node; an error while one is not ready. */
export async function probes(kubectl: Kubectl, nodes: readonly string[]): Promise<Probe[]> {
  const { items } = await kubectl.get<V1PodList>("pods", `--namespace=${namespace}`, "--selector=app=who");
  return nodes.map((node) => {
    const pod = items.find(({ spec }) => spec?.nodeName === node);
    if (pod === undefined || !isReady(pod)) throw new Error(`the probe on ${node} is not ready`);
    const started = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
    return { node, name: pod.metadata!.name!, address: pod.status!.podIP!, started: String(started) };
  });
}

/** Is every container of this pod ready? */
export function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Runs a shell script in a probe. */
export const inProbe = (kubectl: Kubectl, probe: Probe, script: string): Promise<string> =>
  kubectl.sh(namespace, probe.name, script);

/** Has a probe send an address three echo requests; fails where no answer comes. */
export const ping = (kubectl: Kubectl, probe: Probe, address: string): Promise<string> =>
  inProbe(kubectl, probe, `ping -c 3 -W 3 ${address}`);

/** What a probe has logged. */
export const logsOf = (kubectl: Kubectl, probe: Probe): Promise<string> =>
  kubectl.run(["logs", `--namespace=${namespace}`, probe.name]);

/** Reads the answers of `who`, one a line. */
export function answers(text: string): Answer[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [from = "", by = ""] = line.split(" ");
      // BusyBox writes IPv4 addresses as IPv6 sockets see them.
      return { from: from.replace(/^\[::ffff:(.*)\]$/, "$1"), by };
    });
}

/** Asks each of these addresses once from a probe. */
export async function ask(kubectl: Kubectl, probe: Probe, targets: readonly string[]): Promise<Answer[]> {
  const script = targets
    .map((target) => `wget -q -T ${answerTime} -O - http://${target}${whoPath}`)
    .join("\n");
  return answers(await inProbe(kubectl, probe, script));
}

/** What each probe's request to each probe of another node looked like over there: `by` saw `from`. */
export async function askEachOther(kubectl: Kubectl, all: readonly Probe[]): Promise<Answer[]> {
  const rounds = all.map((probe) => {
    const others = all.filter((other) => other !== probe);
    return ask(
      kubectl,
      probe,
      others.map(({ address }) => `${address}:${port}`),
    );
  });
  return (await Promise.all(rounds)).flat();
}

/** What `askEachOther` must give where no one rewrites addresses. */
export function withOwnAddresses(all: readonly Probe[]): Answer[] {
  return all.flatMap((probe) =>
    all.filter((other) => other !== probe).map((other) => ({ from: probe.address, by: other.name })),
  );
}
