// What no installer on this OpenStack can go below: the same guests by bare API calls until SSH answers, and one
// node's installation alone. Run inside the lab; what to measure arrives on standard input.
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { sshCommand } from "../client/machines.ts";
import { OpenStack, type Call } from "../client/openstack.ts";

interface Guest {
  name: string;
  flavor: string;
  address: string;
  userData: string;
}

export interface LimitRequest {
  image: string;
  externalNetwork: string;
  nodeNetwork: string;
  guests: Guest[];
  /** What the program runs on the first guest. Without it only the guests are made. */
  installation?: {
    user: string;
    privateKey: string;
    hostKey: string;
    command: string;
    input: string;
    /** For the keys' files. */
    folder: string;
  };
}

/** Seconds. */
export interface Limit {
  /** Until SSH answers on every guest. */
  guests: number;
  /** Until the first one also lets the program's key in; for information. */
  login?: number;
  /** One node's installation, on an otherwise idle machine. */
  installation?: number;
}

interface Id {
  id: string;
}

const seconds = (since: number): number => (performance.now() - since) / 1000;

async function answersSsh(host: string): Promise<boolean> {
  const socket = connect({ host, port: 22, timeout: 1000 });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("data", (greeting) => resolve(greeting.toString().startsWith("SSH-2.0")));
      for (const trouble of ["error", "timeout", "close"]) socket.once(trouble, () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}

async function until(limit: number, done: () => Promise<boolean>, what: string): Promise<void> {
  const start = performance.now();
  while (!(await done())) {
    if (seconds(start) > limit) throw new Error(`${what} took more than ${limit} s`);
    await delay(100);
  }
}

/** A network with guests, made with as few calls in a row as OpenStack allows. */
class BareGuests {
  readonly #cloud: OpenStack;
  /** How to take away what was made, last first. */
  readonly #undo: (() => Promise<unknown>)[] = [];
  readonly servers: string[] = [];
  readonly addresses: string[] = [];

  constructor(cloud: OpenStack) {
    this.#cloud = cloud;
  }

  async #make(service: Call["service"], path: string, kind: string, body: object): Promise<Id> {
    const answer = await this.#cloud.call<Record<string, Id>>({
      service,
      method: "POST",
      path,
      body: { [kind]: body },
    });
    const made = answer[kind]!;
    this.#undo.unshift(() =>
      this.#cloud.call({ service, method: "DELETE", path: `${path}/${made.id}`, orGone: true }),
    );
    return made;
  }

  async #idOf(service: Call["service"], path: string, list: string, name: string): Promise<string> {
    const answer = await this.#cloud.call<Record<string, (Id & { name: string })[]>>({ service, path });
    const found = answer[list]!.find((item) => item.name === name);
    if (found === undefined) throw new Error(`there is no ${name} among the ${list}`);
    return found.id;
  }

  async boot({ image, externalNetwork, nodeNetwork, guests }: LimitRequest): Promise<void> {
    const name = "bare";
    const [imageId, externalId, { flavors }, network, group] = await Promise.all([
      this.#idOf("image", "/v2/images", "images", image),
      this.#idOf("network", "/v2.0/networks", "networks", externalNetwork),
      this.#cloud.call<{ flavors: (Id & { name: string })[] }>({ service: "compute", path: "/flavors" }),
      this.#make("network", "/v2.0/networks", "network", { name }),
      this.#make("network", "/v2.0/security-groups", "security_group", { name }),
    ]);
    const [subnet, router] = await Promise.all([
      this.#make("network", "/v2.0/subnets", "subnet", {
        network_id: network.id,
        cidr: nodeNetwork,
        ip_version: 4,
      }),
      this.#make("network", "/v2.0/routers", "router", {
        name,
        external_gateway_info: { network_id: externalId },
      }),
      this.#make("network", "/v2.0/security-group-rules", "security_group_rule", {
        security_group_id: group.id,
        direction: "ingress",
        protocol: "tcp",
        port_range_min: 22,
        port_range_max: 22,
      }),
    ]);
    const leadingOut = this.#joinRouter(router.id, subnet.id);
    await Promise.all(
      guests.map(async (guest, index) => {
        const port = await this.#make("network", "/v2.0/ports", "port", {
          network_id: network.id,
          fixed_ips: [{ subnet_id: subnet.id, ip_address: guest.address }],
          security_groups: [group.id],
        });
        const server = this.#make("compute", "/servers", "server", {
          name: guest.name,
          imageRef: imageId,
          flavorRef: flavors.find((flavor) => flavor.name === guest.flavor)!.id,
          networks: [{ port: port.id }],
          user_data: Buffer.from(guest.userData).toString("base64"),
        });
        await leadingOut;
        const floating = (await this.#make("network", "/v2.0/floatingips", "floatingip", {
          floating_network_id: externalId,
          port_id: port.id,
        })) as Id & { floating_ip_address: string };
        this.servers[index] = (await server).id;
        this.addresses[index] = floating.floating_ip_address;
        await until(300, () => answersSsh(floating.floating_ip_address), `${guest.name}'s SSH`);
      }),
    );
  }

  async #joinRouter(router: string, subnet: string): Promise<void> {
    const change = (action: string): Promise<unknown> =>
      this.#cloud.call({
        service: "network",
        method: "PUT",
        path: `/v2.0/routers/${router}/${action}`,
        body: { subnet_id: subnet },
      });
    await change("add_router_interface");
    this.#undo.unshift(() => change("remove_router_interface"));
  }

  /** Deletes some of the servers, and waits until they are gone. */
  async deleteServers(ids: readonly string[]): Promise<void> {
    const gone = ids.map(async (id) => {
      const path = `/servers/${id}`;
      await this.#cloud.call({ service: "compute", method: "DELETE", path, orGone: true });
      const isGone = async (): Promise<boolean> => {
        const { servers } = await this.#cloud.call<{ servers: Id[] }>({
          service: "compute",
          path: "/servers",
        });
        return servers.every((server) => server.id !== id);
      };
      await until(120, isGone, "deleting a server");
    });
    await Promise.all(gone);
  }

  async remove(): Promise<void> {
    await this.deleteServers(this.servers);
    for (const undo of this.#undo) await undo();
  }
}

/** Runs a node's installation, as the program runs it, on a machine that is up. */
async function install(
  host: string,
  { command, input, folder, ...connection }: NonNullable<LimitRequest["installation"]>,
): Promise<number> {
  const [ssh, ...args] = await sshCommand(folder, "bare", { host, ...connection });
  // What the others' end costs, and cloud-init's last steps, are no part of an installation.
  await execa(ssh!, [...args, "cloud-init status --wait || [ $? -eq 2 ]"]);
  const start = performance.now();
  await execa(ssh!, [...args, command], { input });
  return seconds(start);
}

async function measure(request: LimitRequest): Promise<Limit> {
  const { installation } = request;
  const bare = new BareGuests(await OpenStack.connect());
  try {
    const start = performance.now();
    await bare.boot(request);
    const guests = seconds(start);
    if (installation === undefined) return { guests };
    const host = bare.addresses[0]!;
    const [ssh, ...args] = await sshCommand(installation.folder, "bare", { host, ...installation });
    await until(
      300,
      async () => (await execa(ssh!, [...args, "true"], { reject: false })).exitCode === 0,
      "the login",
    );
    const login = seconds(start);
    await bare.deleteServers(bare.servers.slice(1));
    return { guests, login, installation: await install(host, installation) };
  } finally {
    await bare.remove();
  }
}

if (import.meta.main) {
  const request = JSON.parse(await text(process.stdin)) as LimitRequest;
  process.stdout.write(JSON.stringify(await measure(request)));
}
