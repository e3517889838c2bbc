import type { V1DaemonSet, V1PodList } from "@kubernetes/client-node";
import { inLabRun } from "../client/run.ts";
import { registry } from "../paths.ts";

const namespace = "traffic";
const ports = { iperf3: 5201, sockperf: 5202 };
/** Seconds of one measurement. */
const seconds = 3;

/** Where a program runs: in a pod's network, or in that of its machine. */
const networks = { pod: false, machine: true };
type Network = keyof typeof networks;

/** Servers of both measuring programs on each worker. */
const daemonSet = (name: Network): V1DaemonSet => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    updateStrategy: { rollingUpdate: { maxUnavailable: "100%" } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        hostNetwork: networks[name],
        terminationGracePeriodSeconds: 1,
        containers: Object.entries({
          iperf3: ["--server", `--port=${ports.iperf3}`],
          sockperf: ["server", "--tcp", "--ip", "0.0.0.0", "--port", String(ports.sockperf)],
        }).map(([program, args]) => ({
          name: program,
          image: `${registry}/lab/tools:1`,
          command: [program, ...args],
        })),
      },
    },
  },
});

/** From an address that the pod has to an address that another pod has. */
export interface Way {
  pod: string;
  from: string;
  to: string;
}

/** Pods of a cluster that send to each other: in their own network, and in their machines'. */
export class Traffic {
  readonly #kubeconfig: string;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  /** Makes the pods anew on the network as it is now. */
  async begin(): Promise<void> {
    const sets = Object.keys(networks) as Network[];
    const objects = [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }];
    const text = [...objects, ...sets.map(daemonSet)].map((object) => JSON.stringify(object)).join("\n");
    await this.#kubectl(["apply", "--filename=-"], text);
    const names = sets.map((name) => `daemonset/${name}`);
    await this.#kubectl(["rollout", "restart", ...names]);
    for (const name of names) await this.#kubectl(["rollout", "status", name, "--timeout=120s"]);
  }

  /** Name and address of the pod on a node. */
  async podOn(node: string, network: Network): Promise<{ name: string; address: string }> {
    const answer = await this.#kubectl(["get", "pods", `--selector=app=${network}`, "--output=json"]);
    const pod = (JSON.parse(answer) as V1PodList).items.find(
      ({ metadata, spec }) => spec?.nodeName === node && metadata?.deletionTimestamp === undefined,
    );
    if (pod === undefined) throw new Error(`no pod ${network} on ${node}`);
    return { name: pod.metadata!.name!, address: pod.status!.podIP! };
  }

  /** Gbit/s that arrive by one TCP connection, without its first second. */
  async throughput({ pod, from, to }: Way): Promise<number> {
    const client = `iperf3 --client ${to} --bind ${from} --port ${ports.iperf3}`;
    const answer = await this.#in(pod, `${client} --time ${seconds} --omit 1 --json`);
    const { end } = JSON.parse(answer) as { end: { sum_received: { bits_per_second: number } } };
    return end.sum_received.bits_per_second / 1e9;
  }

  /** Microseconds from a request of 14 bytes to its answer, over one TCP connection and one after the other. */
  async latency({ pod, from, to }: Way): Promise<{ p50: number; p99: number }> {
    const client = `sockperf ping-pong --tcp --ip ${to} --client_ip ${from} --port ${ports.sockperf}`;
    const answer = await this.#in(pod, `${client} --time ${seconds} --full-rtt`);
    const percentile = (which: string): number =>
      Number(new RegExp(`percentile ${which} = +([0-9.]+)`).exec(answer)![1]);
    return { p50: percentile("50.000"), p99: percentile("99.000") };
  }

  /** Addresses of those that pass a packet on, and at last of the one that gets it. */
  async hops({ pod, from, to }: Way): Promise<string[]> {
    const answer = await this.#in(pod, `traceroute -n -q 1 -w 1 -m 5 -s ${from} ${to}`);
    return [...answer.matchAll(/^ *\d+ +(\S+)/gm)].map(([, address]) => address!);
  }

  #in(pod: string, command: string): Promise<string> {
    return this.#kubectl(["exec", pod, "--", ...command.split(" ")]);
  }

  #kubectl(args: readonly string[], input?: string): Promise<string> {
    const command = ["kubectl", `--kubeconfig=${this.#kubeconfig}`, `--namespace=${namespace}`, ...args];
    return inLabRun(command, { input, limit: 150 });
  }
}
