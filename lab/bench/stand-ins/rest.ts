import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Variable with the address of the interfaces, for the plugin that tells the program. */
export const cloudVariable = "BENCH_CLOUD";

/** The REST interfaces that the program asks by itself, of a project without quotas. */
export class Rest {
  readonly #server: Server;
  /** Names of the ports that machines have, by which the program knows the nodes that are there. */
  ports: string[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(this.#answer(new URL(request.url ?? "/", "http://localhost"))));
    });
  }

  static async start(): Promise<Rest> {
    const rest = new Rest();
    await new Promise<void>((resolve) => rest.#server.listen(0, "127.0.0.1", resolve));
    return rest;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All lists but that of the stack's ports are empty. */
  #answer({ pathname, searchParams }: URL): object {
    if (pathname === "/limits") return { limits: { absolute: {} } };
    if (pathname.endsWith("/details.json")) return { quota: {} };
    if (!pathname.endsWith("/ports") || !searchParams.has("description")) return {};
    return { ports: this.ports.map((name) => ({ id: name, name, device_id: "machine", fixed_ips: [] })) };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
