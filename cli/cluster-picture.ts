import { addressAt, parseNetwork } from "../model/addresses.ts";
import type { ClusterPlan, NodePlan } from "../model/plan.ts";
import { escape, style } from "./picture.ts";

// Lengths are in the picture's own units, which are pixels at its natural size.
const margin = 24;
const gap = 16;
const card = { width: 208, height: 104, header: 28 };
const route = { width: 280, height: 20 };
/** Characters that fit into a node's header, and beside the remark of a network. */
const room = { node: 22, network: 36 };
/** Nodes side by side that the texts of networks and router need room for. */
const fewestColumns = 3;

const ownStyle = `
    .end { text-anchor: end }
    .title { font-size: 20px; font-weight: 600 }
    .line { stroke: #818b98; stroke-width: 1.5 }
    .control-plane { fill: #8250df }
    .worker { fill: #0969da }
    .on { fill: #ffffff; font-weight: 600 }`;

/** An SVG of a cluster: the external network, the router with its routes if it has any, the nodes with their pod networks. */
export function clusterPicture({ settings, routing, nodes }: ClusterPlan): string {
  const { cluster, network } = settings;
  const columns = Math.min(nodes.length, Math.max(4, Math.ceil(Math.sqrt(nodes.length * 0.7))));
  const rows = Math.ceil(nodes.length / columns);
  const inner = Math.max(columns, fewestColumns) * (card.width + gap) + gap;
  const routed = routing.byRouter ? nodes : [];
  const routeColumns = Math.min(nodes.length, Math.floor((inner - 2 * gap) / route.width));
  const routeRows = Math.ceil(routed.length / routeColumns);

  const external = { y: margin + 40, height: 40 };
  const router = { y: external.y + external.height + 40, height: 48 + routeRows * route.height };
  const machines = { y: router.y + router.height + 40, height: 44 + rows * (card.height + gap) };
  const width = inner + 2 * margin;
  const height = machines.y + machines.height + 2 * margin;
  const middle = width / 2;
  const [left, right] = [margin + gap, width - margin - gap];
  const firstCard = margin + (inner - columns * (card.width + gap) + gap) / 2;

  const parts = [
    text("title start", margin, margin + 16, `Kubernetes cluster ${short(cluster.name, room.network)}`),
    box("outside", margin, external.y, inner, external.height),
    text(
      "name start",
      left,
      external.y + 25,
      `external network ${short(network.externalNetwork, room.network)}`,
    ),
    text("quiet end", right, external.y + 25, "a floating address for each node"),
    line(middle, external.y + external.height, router.y),
    text("quiet start", middle + 10, external.y + external.height + 25, "gateway"),
    box("router", margin, router.y, inner, router.height),
    text(
      "name start",
      left,
      router.y + 25,
      `router ${short(network.existing?.router ?? cluster.name, room.network)}`,
    ),
    text(
      "quiet end",
      right,
      router.y + 25,
      routing.byRouter ? "routes: pod network → node" : "no routes: flannel leads to pods",
    ),
    ...routed.map(({ podNetwork, address }, index) =>
      text(
        "address start",
        left + Math.floor(index / routeRows) * route.width,
        router.y + 50 + (index % routeRows) * route.height,
        `${podNetwork} → ${address}`,
      ),
    ),
    line(middle, router.y + router.height, machines.y),
    ...(network.existing === undefined
      ? [text("address start", middle + 10, router.y + router.height + 25, gateway(network.nodeNetwork))]
      : []),
    box("group", margin, machines.y, inner, machines.height),
    text("name start", left, machines.y + 28, `node network ${network.nodeNetwork}`),
    text("control-plane end", right - 76, machines.y + 28, "■ control plane"),
    text("worker end", right, machines.y + 28, "■ workers"),
    ...nodes.map((node, index) =>
      nodeCard(
        node,
        firstCard + (index % columns) * (card.width + gap),
        machines.y + 44 + Math.floor(index / columns) * (card.height + gap),
      ),
    ),
    text(
      "quiet start",
      margin,
      height - margin,
      `pods ${cluster.podNetwork}, a /${cluster.nodePodPrefix} for each node; services ${cluster.serviceNetwork}, inside the cluster alone`,
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
  <title id="title">Kubernetes cluster ${escape(cluster.name)}</title>
  <style>${style}${ownStyle}
  </style>
  <rect class="sheet" width="${width}" height="${height}" rx="8"/>
  ${parts.join("\n  ")}
</svg>
`;
}

/** The router's address in a network of the program's. */
function gateway(nodeNetwork: string): string {
  return addressAt(parseNetwork(nodeNetwork), 1);
}

function nodeCard({ name, role, address, podNetwork }: NodePlan, x: number, y: number): string {
  const [left, right] = [x + 16, x + card.width - 16];
  return [
    `<g><title>${escape(name)}</title>`,
    box("node", x, y, card.width, card.height),
    `<path class="${role}" d="M${x} ${y + card.header}v${6 - card.header}q0 -6 6 -6h${card.width - 12}q6 0 6 6v${card.header - 6}z"/>`,
    text("on start", x + 10, y + 19, short(name, room.node)),
    text("quiet start", left, y + 48, "node"),
    text("address end", right, y + 48, address),
    box("pod", x + 8, y + 60, card.width - 16, card.height - 68),
    text("quiet start", left, y + 83, "pods"),
    text("address end", right, y + 83, podNetwork),
    "</g>",
  ].join("");
}

function box(kind: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`;
}

function text(kind: string, x: number, y: number, content: string): string {
  return `<text class="${kind}" x="${x}" y="${y}">${escape(content)}</text>`;
}

/** A line down, from one network to the next. */
function line(x: number, from: number, to: number): string {
  return `<path class="line" d="M${x} ${from}V${to}"/>`;
}

function short(content: string, length: number): string {
  return content.length > length ? `${content.slice(0, length - 1)}…` : content;
}
