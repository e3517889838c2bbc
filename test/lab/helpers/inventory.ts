import { openStack, type Call } from "../../../lab/client/openstack.ts";
import { octaviaRuns } from "../../../lab/octavia.ts";

type Item = Record<string, unknown>;

/** Every kind of resource that a stack could leave, and what the placement service has handed out. */
const ownKinds: Record<string, Call> = {
  servers: { service: "compute", path: "/servers/detail?all_tenants=1" },
  server_groups: { service: "compute", path: "/os-server-groups?all_projects=1" },
  keypairs: { service: "compute", path: "/os-keypairs" },
  flavors: { service: "compute", path: "/flavors/detail?is_public=None" },
  images: { service: "image", path: "/v2/images" },
  networks: { service: "network", path: "/v2.0/networks" },
  subnets: { service: "network", path: "/v2.0/subnets" },
  ports: { service: "network", path: "/v2.0/ports" },
  routers: { service: "network", path: "/v2.0/routers" },
  floatingips: { service: "network", path: "/v2.0/floatingips" },
  security_groups: { service: "network", path: "/v2.0/security-groups" },
  security_group_rules: { service: "network", path: "/v2.0/security-group-rules" },
};

/** The same of Octavia, where the lab has it; what it makes for itself is among the others. */
const kindsOfOctavia = Object.fromEntries(
  ["loadbalancers", "listeners", "pools", "healthmonitors"].map((kind): [string, Call] => [
    kind,
    { service: "load-balancer", path: `/v2.0/lbaas/${kind}` },
  ]),
);

/** A line for each resource that OpenStack has, sorted, so that two inventories can be compared. */
export async function inventory(): Promise<string[]> {
  const kinds = octaviaRuns() ? { ...ownKinds, ...kindsOfOctavia } : ownKinds;
  const [providers, ...answers] = await openStack<
    [{ resource_providers: Item[] }, ...Record<string, Item[]>[]]
  >({ service: "placement", path: "/resource_providers" }, ...Object.values(kinds));
  const usages = await openStack<{ usages: Record<string, number> }[]>(
    ...providers.resource_providers.map(({ uuid }): Call => ({
      service: "placement",
      path: `/resource_providers/${String(uuid)}/usages`,
    })),
  );
  const found = (kind: string): Item[] => answers[Object.keys(kinds).indexOf(kind)]?.[kind] ?? [];
  // Neutron gives every project one of its own, when somebody first asks for the project's groups.
  const given = new Set(found("security_groups").flatMap(({ id, name }) => (name === "default" ? [id] : [])));
  const lines = Object.keys(kinds).flatMap((kind) =>
    found(kind).flatMap((item) => {
      if (given.has(item.id) || given.has(item.security_group_id)) return [];
      // A key pair is wrapped once more and has no id.
      const { id = "", name = "" } = (item.keypair ?? item) as { id?: string; name?: string };
      return `${kind} ${id} ${name}`;
    }),
  );
  return [...lines, ...usages.map((usage) => `usage ${JSON.stringify(usage.usages)}`)].sort();
}

/** Names of the servers that there are now. */
export async function serverNames(): Promise<string[]> {
  const [{ servers }] = await openStack<[{ servers: { name: string }[] }]>(ownKinds.servers!);
  return servers.map(({ name }) => name);
}
