import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Variable with the address of the interfaces, for the plugin that tells the program. */
export const cloudVariable = "BENCH_CLOUD";

/** The REST interfaces that the program asks by itself, of a project without quotas. */
export class Rest {
  readonly #server: Server;
  /** Names of the ports that machines have, by which the program knows the nodes that are there. */
  ports: string[] = [];
  /** The routes of any router: those that the program has put there by itself, since the plugin's go nowhere. */
  routes: unknown[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify(this.#answer(new URL(request.url ?? "/", "http://localhost"), body)));
      });
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

  /** All lists but those of the stack's ports and routes are empty. */
  #answer({ pathname, searchParams }: URL, body: string): object {
    if (pathname.endsWith("/add_extraroutes"))
      this.routes.push(...(JSON.parse(body) as { router: { routes: unknown[] } }).router.routes);
    if (pathname.includes("/routers/")) return { router: { routes: this.routes } };
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
