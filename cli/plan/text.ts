import type { CertificateOverview } from "./certificates.ts";
import type { Overview } from "./overview.ts";
import type { QuotaName } from "../../model/quotas.ts";
import { secretValue } from "./stacks.ts";
import { table } from "./table.ts";

const quotaNames: Record<QuotaName, string> = {
  servers: "servers",
  serverGroups: "server groups",
  serverGroupMembers: "server group members",
  ports: "ports",
  floatingAddresses: "floating addresses",
  routes: "routes of a router",
  securityGroups: "security groups",
  securityGroupRules: "security group rules",
  networks: "networks",
  subnets: "subnets",
  routers: "routers",
};

/** A plan for people. */
export function text(overview: Overview): string {
  const { secretSettings } = overview;
  const sections = [
    ["Networks", networks(overview)],
    ["Nodes", nodeTable(overview)],
    ["Pools", pools(overview)],
    ["Routes of the router", routes(overview)],
    ["Port rules, by group", portRules(overview)],
    ["Load balancers, each port with all workers behind it", loadBalancers(overview)],
    ["Certificates, from the moment when they are made", certificates(overview)],
    ["Files", files(overview)],
    ["Add-ons", addons(overview)],
    ["Quotas, without what the project has already", quotas(overview)],
  ].filter(([, body]) => body !== "");
  return [
    `${overview.stack}: ${summary(overview)}\n`,
    ...(secretSettings.length > 0
      ? [`secrets that only pulumi can read, ${secretValue} here: ${secretSettings.join(", ")}\n`]
      : []),
    ...sections.map(([title, body]) => `\n${title}\n${body}`),
  ].join("");
}

function summary({ cluster, nodes }: Overview): string {
  const number = Object.keys(nodes).length;
  const on = `${number} ${number === 1 ? "node" : "nodes"}`;
  switch (cluster.phase) {
    case "machines":
      return `${on}, machines alone`;
    case "docker":
      return `Docker on ${on}`;
    case "kubernetes":
      return `Kubernetes ${cluster.kubernetesVersion} on ${on}, runtime ${cluster.runtime}, API ${cluster.apiServer}`;
  }
}

function networks({ networks: { nodes, pods, services, routed, external } }: Overview): string {
  const nodeNetwork =
    "existing" in nodes
      ? `network ${nodes.existing.network}, subnet ${nodes.existing.subnet}, router ${nodes.existing.router}, there already`
      : `router ${nodes.router}, Neutron's own range ${nodes.neutronRange}`;
  return table([
    ["nodes", nodes.network, nodeNetwork],
    [
      "pods",
      pods.network,
      `a /${pods.nodePrefix} for a node that has none of its own${pods.routing === "router" ? "" : `; flannel leads there, by ${pods.routing}`}`,
    ],
    ["services", services.network, `API ${services.api}, DNS ${services.dns}`],
    ...routed.map((network) => ["routed", network, "pods reach it with their own addresses"]),
    ["external", external.gateway, "the router's gateway"],
    ["external", external.floating, "the floating addresses"],
  ]);
}

function nodeTable({ nodes }: Overview): string {
  return table([
    ["name", "role", "address", "pod network", "image", "flavor", "zone", "key pair", "groups of one's own"],
    ...Object.entries(nodes).map(([name, node]) => [
      name,
      node.role,
      node.address,
      node.podNetwork,
      node.image,
      node.flavor,
      node.availabilityZone ?? "Nova's choice",
      node.keyPair ?? "-",
      node.securityGroups.join(", ") || "-",
    ]),
  ]);
}

function pools({ pools, nodes }: Overview): string {
  if (Object.keys(pools).length === 0) return "";
  return table([
    ["name", "nodes", "slots", "zones in turn", "server group", "left out"],
    ...Object.entries(pools).map(([name, { slots, availabilityZones, serverGroup, remove }]) => [
      name,
      Object.values(nodes).filter(({ pool }) => pool === name).length,
      slots,
      availabilityZones?.join(", ") ?? "-",
      serverGroup ?? "-",
      remove.join(", ") || "-",
    ]),
  ]);
}

function routes({ nodes }: Overview): string {
  const rows = Object.entries(nodes).flatMap(([name, { route }]) =>
    route === undefined ? [] : [[route.destination, route.nextHop, name]],
  );
  return rows.length === 0 ? "" : table([["destination", "next hop", "node"], ...rows]);
}

function portRules({ securityGroups }: Overview): string {
  return table([
    ["group", "protocol", "ports", "from", "rule"],
    ...Object.entries(securityGroups).flatMap(([group, rules]) =>
      Object.entries(rules).map(([name, { protocol = "any", ports, remoteIpPrefix }]) => [
        group,
        protocol,
        ports === undefined ? "any" : ports.min === ports.max ? ports.min : `${ports.min}-${ports.max}`,
        remoteIpPrefix,
        name,
      ]),
    ),
  ]);
}

function loadBalancers({ loadBalancers }: Overview): string {
  const rows = Object.entries(loadBalancers).flatMap(([name, { listeners }]) =>
    Object.entries(listeners).map(([listener, { protocol, port, allowedCidrs, members, healthCheck }]) => [
      name,
      listener,
      `${protocol} ${port}`,
      allowedCidrs.join(", "),
      Object.values(members).join(", "),
      `${healthCheck.type}${healthCheck.path === undefined ? "" : ` ${healthCheck.path}`}, ` +
        `every ${healthCheck.delay} s`,
    ]),
  );
  if (rows.length === 0) return "";
  return table([["name", "listener", "port", "from", "leads to", "health check"], ...rows]);
}

function certificates({ certificates, nodes }: Overview): string {
  const ofNodes = Object.entries(nodes).flatMap(([node, { certificates }]) =>
    Object.entries(certificates).map(([name, certificate]) => [`${name} of ${node}`, certificate] as const),
  );
  const all = [...Object.entries(certificates), ...ofNodes];
  if (all.length === 0) return "";
  return table([
    ["name", "kind", "lasts", "signed by", "common name, organization: names and addresses"],
    ...all.map(([name, certificate]) => [
      name,
      certificate.kind,
      duration(certificate.hours),
      certificate.kind === "authority" ? "itself" : certificate.signedBy,
      subject(certificate),
    ]),
  ]);
}

function subject({
  commonName,
  organization,
  dnsNames,
  ipAddresses,
  floatingAddressOf,
}: CertificateOverview): string {
  const names = [...dnsNames, ...ipAddresses];
  if (floatingAddressOf !== undefined) names.push(`floating address of ${floatingAddressOf}`);
  const holder = [commonName, ...(organization === undefined ? [] : [organization])].join(", ");
  return names.length === 0 ? holder : `${holder}: ${names.join(", ")}`;
}

/** `10 years`, `30 days` or `12 hours`. */
function duration(hours: number): string {
  const [number, unit] =
    hours % 8760 === 0 ? [hours / 8760, "year"] : hours % 24 === 0 ? [hours / 24, "day"] : [hours, "hour"];
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

/** Every file of every node; what is the same on several nodes comes once, below their names. */
function files({ nodes }: Overview): string {
  const holders = new Map<string, string[]>();
  const hold = (line: string, node: string) => {
    const names = holders.get(line);
    if (names === undefined) holders.set(line, [node]);
    else names.push(node);
  };
  for (const [name, node] of Object.entries(nodes)) {
    for (const [path, { mode, size, sha256 }] of Object.entries(node.files)) {
      hold([mode, size, sha256.slice(0, 12), path].join("\t"), name);
    }
    for (const path of node.keys) hold(["0600", "-", "secret", path].join("\t"), name);
  }
  const groups = new Map<string, string[][]>();
  for (const [line, names] of holders) {
    const group = names.join(", ");
    const rows = groups.get(group);
    if (rows === undefined) groups.set(group, [line.split("\t")]);
    else rows.push(line.split("\t"));
  }
  return [...groups]
    .map(([names, rows]) => {
      rows.sort((a, b) => (a[3]! < b[3]! ? -1 : 1));
      return `  ${names}\n${table(rows, "    ")}`;
    })
    .join("");
}

function addons({ addons }: Overview): string {
  return table(Object.entries(addons).map(([name, objects]) => [name, Object.keys(objects).join(", ")]));
}

function quotas({ quotas, flavors }: Overview): string {
  const machines = Object.entries(flavors).map(([flavor, number]) => `${number} × ${flavor}`);
  return table([
    ["quota", "needed", "usual default", ""],
    ...Object.entries(quotas).map(([name, { needed, usualDefault, exceeded }]) => [
      quotaNames[name as QuotaName],
      needed,
      usualDefault,
      exceeded ? "! more than the usual default" : "",
    ]),
    ["cores, memory", "?", "20, 50 GiB", `${machines.join(", ")}; what a flavor has only the cloud knows`],
  ]);
}
