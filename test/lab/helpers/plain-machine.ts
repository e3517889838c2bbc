import { openStack, type Call } from "../../../lab/client/openstack.ts";
import { eventually } from "./eventually.ts";
import { answerTime } from "./patience.ts";

interface Named {
  id: string;
  name: string;
}

/** Answers `/` with the asker's address, and `/ADDRESS` with what the probe at that address answers. */
const server = `#!/bin/sh
cat >/usr/local/bin/who <<'PYTHON'
import http.server, urllib.request
class Who(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        probe = self.path.strip("/")
        answer = self.client_address[0].encode()
        if probe:
            answer = urllib.request.urlopen(f"http://{probe}:8080/cgi-bin/who", timeout=${answerTime}).read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)
http.server.ThreadingHTTPServer(("", 8080), Who).serve_forever()
PYTHON
systemd-run --unit=who python3 /usr/local/bin/who
`;

/** What a machine is made of, by name. */
export interface PlainMachineArgs {
  image: string;
  flavor: string;
  network: string;
  securityGroup: string;
}

/** A machine of the project that is no node of the cluster. */
export class PlainMachine {
  readonly address: string;
  readonly #server: string;
  readonly #port: string;

  private constructor(address: string, server: string, port: string) {
    this.address = address;
    this.#server = server;
    this.#port = port;
  }

  /** Has Nova make the machine; it answers on port 8080 some time later. */
  static async boot(args: PlainMachineArgs): Promise<PlainMachine> {
    const { image, flavor, network, securityGroup } = args;
    const named = (path: string): Call => ({ service: "network", path: `/v2.0/${path}` });
    const [{ networks }, groups, { images }, { flavors }] = await openStack<
      [{ networks: Named[] }, { security_groups: Named[] }, { images: Named[] }, { flavors: Named[] }]
    >(
      named(`networks?name=${network}`),
      named(`security-groups?name=${securityGroup}`),
      { service: "image", path: `/v2/images?name=${image}` },
      { service: "compute", path: "/flavors" },
    );
    const [{ port }] = await openStack<[{ port: { id: string; fixed_ips: { ip_address: string }[] } }]>({
      service: "network",
      method: "POST",
      path: "/v2.0/ports",
      body: {
        port: {
          name: "plain",
          network_id: networks[0]!.id,
          security_groups: [groups.security_groups[0]!.id],
        },
      },
    });
    const [{ server: made }] = await openStack<[{ server: { id: string } }]>({
      service: "compute",
      method: "POST",
      path: "/servers",
      body: {
        server: {
          name: "plain",
          imageRef: images[0]!.id,
          flavorRef: flavors.find(({ name }) => name === flavor)!.id,
          networks: [{ port: port.id }],
          user_data: Buffer.from(server).toString("base64"),
        },
      },
    });
    return new PlainMachine(port.fixed_ips[0]!.ip_address, made.id, port.id);
  }

  /** Takes the machine and its port away again. */
  async remove(): Promise<void> {
    const path = `/servers/${this.#server}`;
    await openStack({ service: "compute", method: "DELETE", path, orGone: true });
    await eventually(60, async () => {
      const [{ servers }] = await openStack<[{ servers: Named[] }]>({ service: "compute", path: "/servers" });
      if (servers.some(({ id }) => id === this.#server)) throw new Error("the plain machine is still there");
    });
    const port = `/v2.0/ports/${this.#port}`;
    await openStack({ service: "network", method: "DELETE", path: port, orGone: true });
  }
}
