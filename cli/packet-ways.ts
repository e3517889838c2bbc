import { addressAt, parseNetwork } from "../model/addresses.ts";
import type { ClusterPlan, NodePlan } from "../model/plan.ts";

/** Longer lines would leave their station's frame. */
export const longestNote = 18;

// Any port of the range for node ports, and any that a pod listens on.
const nodePort = 31000;
const podPort = 8080;

/** What a packet passes on its way. */
export interface Station {
  /** The machine it is in, or the router or network that it is. */
  place: string;
  kind: "pod" | "outside" | "router" | "node";
  name: string;
  /** Its address, or what stands for it. */
  address: string;
  /** What happens to the packet here, a line each of `longestNote` characters at most. */
  notes: string[];
}

/** A part of the way on which the packet's addresses stay the same. */
export interface Stretch {
  /** Its first and last station, counted from the left and 0; an answer goes from right to left. */
  begin: number;
  end: number;
  /** The packet's addresses, with ports where these matter. */
  source: string;
  destination: string;
}

/** The way of a packet and of its answer. */
export interface Way {
  title: string;
  stations: Station[];
  request: Stretch[];
  answer: Stretch[];
}

/** The ways of docs/network.md in a cluster, by the name of their picture. */
export function packetWays(cluster: ClusterPlan): Record<string, Way> {
  const [near, far] = cluster.workers as [NodePlan, NodePlan];
  return {
    "pod-to-pod": podToPod(cluster, near, far),
    "pod-to-internet": podToInternet(cluster, near),
    "outside-to-node-port": outsideToNodePort(cluster, near, far),
  };
}

/** The pod network's first address behind the bridge's: what host-local gives to a node's first pod. */
const firstPod = ({ podNetwork }: NodePlan) => addressAt(parseNetwork(podNetwork), 2);

const pod = (node: NodePlan, ...notes: string[]): Station => ({
  place: node.name,
  kind: "pod",
  name: "pod",
  address: firstPod(node),
  notes,
});
const bridge = (node: NodePlan, ...notes: string[]): Station => ({
  place: node.name,
  kind: "node",
  name: "cbr0",
  address: node.podGateway,
  notes,
});
const machine = (node: NodePlan, name: string, ...notes: string[]): Station => ({
  place: node.name,
  kind: "node",
  name,
  address: node.address,
  notes,
});
const router = ({ settings }: ClusterPlan, ...notes: string[]): Station => ({
  place: "Neutron",
  kind: "router",
  name: "router",
  address: addressAt(parseNetwork(settings.network.nodeNetwork), 1),
  notes,
});
const outside = (name: string, ...notes: string[]): Station => ({
  place: "external network",
  kind: "outside",
  name,
  address: "any address",
  notes,
});
const routeTo = ({ podNetwork, address }: NodePlan) => ["route", podNetwork, `via ${address}`];

function podToPod(cluster: ClusterPlan, near: NodePlan, far: NodePlan): Way {
  const [source, destination] = [firstPod(near), firstPod(far)];
  return {
    title: "A packet from a pod to a pod on another node",
    stations: [
      pod(near, "default route", `via ${near.podGateway}`),
      bridge(near, "node forwards,", "no masquerade", "inside the cluster"),
      machine(near, "interface", "address pair", near.podNetwork, "lets it out"),
      router(cluster, ...routeTo(far)),
      machine(far, "interface", "group rule pods", cluster.settings.cluster.podNetwork, "lets it in"),
      bridge(far, "node forwards", "to its bridge"),
      pod(far, "sees the sender's", "own address"),
    ],
    request: [{ begin: 0, end: 6, source, destination }],
    answer: [{ begin: 6, end: 0, source: destination, destination: source }],
  };
}

function podToInternet(cluster: ClusterPlan, node: NodePlan): Way {
  const podAddress = firstPod(node);
  return {
    title: "A packet from a pod to the internet",
    stations: [
      pod(node, "default route", `via ${node.podGateway}`),
      bridge(node, "node forwards"),
      machine(node, "interface", "masquerade: from", "the node's address"),
      router(cluster, "source becomes", "floating address"),
      outside("server", "sees the node's", "floating address"),
    ],
    request: [
      { begin: 0, end: 2, source: podAddress, destination: "server" },
      { begin: 2, end: 3, source: node.address, destination: "server" },
      { begin: 3, end: 4, source: "floating address", destination: "server" },
    ],
    answer: [
      { begin: 4, end: 3, source: "server", destination: "floating address" },
      { begin: 3, end: 2, source: "server", destination: node.address },
      { begin: 2, end: 0, source: "server", destination: podAddress },
    ],
  };
}

function outsideToNodePort(cluster: ClusterPlan, near: NodePlan, far: NodePlan): Way {
  const floating = `floating:${nodePort}`;
  const onNode = `${near.address}:${nodePort}`;
  const onPod = `${firstPod(far)}:${podPort}`;
  return {
    title: "A packet from outside to a node port, the pod on another node",
    stations: [
      outside("client", `calls ${near.name}'s`, "floating address,", `port ${nodePort}`),
      router(cluster, "translates to", `${near.name}'s address`),
      machine(near, "kube-proxy", "group lets it in;", "picks a pod of", "the service and", "masquerades"),
      router(cluster, ...routeTo(far)),
      machine(far, "interface", "group rule nodes", cluster.settings.network.nodeNetwork, "lets it in"),
      bridge(far, "node forwards", "to its bridge"),
      pod(far, `sees ${near.name}`),
    ],
    request: [
      { begin: 0, end: 1, source: "client", destination: floating },
      { begin: 1, end: 2, source: "client", destination: onNode },
      { begin: 2, end: 6, source: near.address, destination: onPod },
    ],
    answer: [
      {
        begin: 6,
        end: 2,
        source: onPod,
        destination: `${near.address}, on ${far.name}'s own subnet: not by the router`,
      },
      { begin: 2, end: 1, source: onNode, destination: "client" },
      { begin: 1, end: 0, source: floating, destination: "client" },
    ],
  };
}
