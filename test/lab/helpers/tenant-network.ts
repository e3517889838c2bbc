import { openStack, type Call } from "../../../lab/client/openstack.ts";
import { controlAddress } from "../../../lab/paths.ts";
import { eventually } from "./eventually.ts";

type Fields = Record<string, unknown>;

interface Subnet {
  network: string;
  subnet: string;
}

/**
 * What a project has before a cluster comes: a router that leads out, two networks with a subnet each behind it, a
 * route of somebody else's, a security group and a key pair; all but the networks of one name.
 */
export class TenantNetwork {
  readonly name: string;
  /** The network for the nodes and the one beside it, by id; their names end in `-nodes` and `-far`. */
  readonly nodes: Subnet = { network: "", subnet: "" };
  readonly far: Subnet = { network: "", subnet: "" };
  router = "";
  securityGroup = "";
  /** Key that Nova has made. */
  privateKey = "";
  /** Calls that take away what was made, last first. */
  readonly #undo: Call[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** @param open networks that the security group lets in, whatever they send */
  async make(args: { nodes: string; far: string; externalNetwork: string; open: string[] }): Promise<void> {
    const { name } = this;
    const external = `/v2.0/networks?name=${args.externalNetwork}`;
    const [{ networks }] = await openStack<[{ networks: { id: string }[] }]>({
      service: "network",
      path: external,
    });
    this.router = await this.#add("router", { name, external_gateway_info: { network_id: networks[0]!.id } });
    for (const part of ["nodes", "far"] as const) {
      const network = await this.#add("network", { name: `${name}-${part}` });
      const subnet = await this.#add("subnet", {
        name: `${name}-${part}`,
        network_id: network,
        cidr: args[part],
        ip_version: 4,
        dns_nameservers: [controlAddress],
      });
      Object.assign(this[part], { network, subnet });
      await this.#change("add_router_interface", "remove_router_interface", { subnet_id: subnet });
    }
    const address = args.nodes.replace(/\.0\/\d+$/, ".250");
    await this.#change("add_extraroutes", "remove_extraroutes", {
      router: { routes: [{ destination: "10.77.0.0/16", nexthop: address }] },
    });
    this.securityGroup = await this.#add("security_group", { name });
    for (const remote_ip_prefix of args.open) {
      const rule = { security_group_id: this.securityGroup, direction: "ingress", remote_ip_prefix };
      await this.#add("security_group_rule", rule);
    }
    const [{ keypair }] = await openStack<[{ keypair: { private_key: string } }]>({
      service: "compute",
      method: "POST",
      path: "/os-keypairs",
      body: { keypair: { name } },
    });
    this.privateKey = keypair.private_key;
    this.#undo.unshift({ service: "compute", method: "DELETE", path: `/os-keypairs/${name}`, orGone: true });
    await eventually(60, () => this.#served());
  }

  /** Networks, subnets and router as Neutron has them, without what says how often they were changed. */
  async asItIs(): Promise<Fields[]> {
    const paths = [
      `routers/${this.router}`,
      ...[this.nodes, this.far].flatMap(({ network, subnet }) => [
        `networks/${network}`,
        `subnets/${subnet}`,
      ]),
    ];
    const answers = await openStack<Record<string, Fields>[]>(
      ...paths.map((path): Call => ({ service: "network", path: `/v2.0/${path}` })),
    );
    return answers.map((answer) => {
      const { revision_number: _number, updated_at: _time, ...fields } = Object.values(answer)[0]!;
      return fields;
    });
  }

  /** Takes everything away again. */
  async remove(): Promise<void> {
    for (const call of this.#undo.splice(0)) await openStack(call);
  }

  /** Fails while a subnet's DHCP has no port, which comes some time after the subnet. */
  async #served(): Promise<void> {
    for (const { network } of [this.nodes, this.far]) {
      const path = `/v2.0/ports?network_id=${network}&device_owner=network:dhcp`;
      const [{ ports }] = await openStack<[{ ports: object[] }]>({ service: "network", path });
      if (ports.length === 0) throw new Error(`the network ${network} has no port for DHCP`);
    }
  }

  async #add(kind: string, body: Fields): Promise<string> {
    const path = `/v2.0/${kind.replaceAll("_", "-")}s`;
    const [answer] = await openStack<[Record<string, { id: string }>]>({
      service: "network",
      method: "POST",
      path,
      body: { [kind]: body },
    });
    const { id } = answer[kind]!;
    this.#undo.unshift({ service: "network", method: "DELETE", path: `${path}/${id}`, orGone: true });
    return id;
  }

  async #change(action: string, inverse: string, body: Fields): Promise<void> {
    const call = (name: string): Call => ({
      service: "network",
      method: "PUT",
      path: `/v2.0/routers/${this.router}/${name}`,
      body,
    });
    await openStack(call(action));
    this.#undo.unshift(call(inverse));
  }
}
