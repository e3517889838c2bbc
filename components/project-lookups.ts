import { existingNetworkProblems, type ExistingNetwork } from "../model/existing-network.ts";
import type { ClusterPlan } from "../model/plan.ts";
import { references } from "../model/references.ts";
import { keyOf } from "../model/settings.ts";
import { clusterDescription } from "./ownership.ts";
import { addressesOf, routesOf } from "./neutron-answers.ts";
import { OpenStackApi, type Fields } from "./openstack-api.ts";
import { serversWithKeyPair } from "./servers.ts";

/** Ids of what a stack takes from its project. */
export interface ProjectIds {
  /** By name. */
  securityGroupIds: Record<string, string>;
  /** Network, subnet and router that are there already; absent where the program makes its own. */
  existingNetwork?: { networkId: string; subnetId: string; routerId: string };
}

/** What a look-up in the project has found. */
export interface ProjectFound extends ProjectIds {
  /** What the network is like that is there already. */
  surroundings?: ExistingNetwork;
}

/** Finds one resource of the network service, or says that there is none or more than one. */
type Find = (
  keys: string[],
  kind: string,
  path: string,
  fields: Record<string, string>,
) => Promise<Fields | undefined>;

export interface ProjectLookup {
  plan: ClusterPlan;
  /** Asked for what is named only. */
  connection: Promise<OpenStackApi>;
  /** Id of the external network, where that is known. */
  externalNetworkId: Promise<string | undefined>;
  /** Takes every name that is not there, and what keeps the cluster out of an existing network. */
  report: (problem: string) => void;
  /** Takes what is not there and not needed now. */
  warn: (warning: string) => void;
}

/**
 * Looks up what the settings name of the project's own. No function of the plugin tells a router's routes or whose an
 * address is, so all of it goes by OpenStack's REST interfaces.
 */
export async function lookUpInProject({
  plan,
  connection,
  externalNetworkId,
  report,
  warn,
}: ProjectLookup): Promise<ProjectFound> {
  const { settings } = plan;
  const groups = references(settings, "securityGroups");
  const keyPairs = references(settings, "keyPair");
  const zones = references(settings, "availabilityZone");
  if (groups.size + keyPairs.size + zones.size === 0 && settings.network.existing === undefined)
    return { securityGroupIds: {} };

  const api = await connection;
  const missing = (keys: string[], kind: string, name: string) =>
    report(`${keys.join(", ")}: this OpenStack project sees no ${kind} named ${name}`);
  const find: Find = async (keys, kind, path, fields) => {
    const found = await api.list(path, fields);
    // An administrator sees every project's.
    const own = found.filter(({ project_id }) => project_id === api.projectId);
    const [one, ...others] = own.length > 0 ? own : found;
    const name = (fields.name ?? fields.id)!;
    if (one === undefined) missing(keys, kind, name);
    else if (others.length > 0) report(`${keys.join(", ")}: more than one ${kind} is named ${name}`);
    return others.length > 0 ? undefined : one;
  };

  const checkKeyPairs = [...keyPairs].map(async ([name, keys]) => {
    const found = await api.call("compute", `os-keypairs/${encodeURIComponent(name)}`);
    if (found !== undefined) return;
    // A colleague's login has other ones. A machine that was made with it does not need it any more.
    const made = await serversWithKeyPair(api, settings.cluster.name, name);
    const needed = plan.nodes.some((node) => node.keyPair === name && !made.includes(node.name));
    const text = `${keys.join(", ")}: this login has no key pair named ${name}; Nova keeps those of each user apart`;
    (needed ? report : warn)(text);
  });
  const checkZones = async () => {
    const found = zones.size > 0 ? await api.call("compute", "os-availability-zone") : undefined;
    const there = ((found?.availabilityZoneInfo ?? []) as Fields[]).map(({ zoneName }) => zoneName as string);
    // An administrator may name a host of the zone behind a colon.
    for (const [name, keys] of zones)
      if (!there.includes(name.split(":")[0]!)) missing(keys, "availability zone", name);
  };
  const findGroups = [...groups].map(async ([name, keys]) => {
    const found = await find(keys, "security group", "security-groups", { name });
    return [name, (found?.id ?? "") as string] as const;
  });
  const [network, found] = await Promise.all([
    lookUpNetwork(plan, api, find, externalNetworkId, report),
    Promise.all(findGroups),
    Promise.all(checkKeyPairs),
    checkZones(),
  ]);
  return { securityGroupIds: Object.fromEntries(found), ...network };
}

async function lookUpNetwork(
  plan: ClusterPlan,
  api: OpenStackApi,
  find: Find,
  externalNetworkId: Promise<string | undefined>,
  report: (problem: string) => void,
): Promise<Pick<ProjectFound, "existingNetwork" | "surroundings">> {
  const { existing } = plan.settings.network;
  if (existing === undefined) return {};
  const one = (kind: keyof typeof existing, more: Record<string, string> = {}) =>
    find([keyOf(["network", "existing", kind])], kind, `${kind}s`, { ...nameOrId(existing[kind]), ...more });
  const findRouter = async () => {
    const router = await one("router");
    const interfaces = router && (await api.list("ports", { device_id: router.id }));
    const ids = [...new Set(addressesOf(interfaces ?? []).map(({ subnet }) => subnet))];
    return { router, subnets: ids.length > 0 ? await api.list("subnets", { id: ids }) : [] };
  };
  const findSubnet = async () => {
    const network = await one("network");
    const subnet = network && (await one("subnet", { network_id: network.id }));
    if (!network || !subnet) return undefined;
    const ports = await api.list("ports", { network_id: network.id, fixed_ips: `subnet_id=${subnet.id}` });
    return { network, subnet, ports };
  };
  const [{ router, subnets }, found] = await Promise.all([findRouter(), findSubnet()]);
  if (!router || !found) return {};
  const { network, subnet, ports } = found;
  const description = clusterDescription(plan.settings.cluster.name);
  const surroundings = existingNetwork({ subnet, router, subnets, ports, description });
  existingNetworkProblems(plan, surroundings, await externalNetworkId).forEach(report);
  return {
    existingNetwork: { networkId: network.id, subnetId: subnet.id, routerId: router.id },
    surroundings,
  };
}

/** Neutron's ids are UUIDs. */
function nameOrId(text: string): Record<string, string> {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text) ? { id: text } : { name: text };
}

/** What Neutron answers (https://docs.openstack.org/api-ref/network/v2/). */
interface Answers {
  subnet: Fields;
  router: Fields;
  /** Those behind the router. */
  subnets: Fields[];
  /** Those in the subnet. */
  ports: Fields[];
  /** Of this stack's ports. */
  description: string;
}

function existingNetwork({ subnet, router, subnets, ports, description }: Answers): ExistingNetwork {
  const gateways = [router.external_gateway_info, ...((router.external_gateways ?? []) as Fields[])];
  return {
    subnet: {
      name: subnet.name,
      cidr: subnet.cidr,
      gateway: subnet.gateway_ip ?? undefined,
      dhcp: subnet.enable_dhcp,
    },
    router: {
      id: router.id,
      name: router.name,
      leadsTo: gateways.flatMap((gateway: Fields | null) => gateway?.network_id ?? []),
      routes: routesOf(router),
      otherSubnets: subnets
        .filter(({ id, ip_version }) => id !== subnet.id && ip_version === 4)
        .map(({ id, name, cidr }) => ({ name: name || id, cidr })),
    },
    ports: addressesOf(ports).map(({ address, id, device, description: ofPort }) => ({
      address,
      id,
      device,
      ofThisStack: ofPort === description,
    })),
  };
}
