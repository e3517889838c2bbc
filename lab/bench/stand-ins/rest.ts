import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Variable with the address of the interfaces, for the plugin that tells the program. */
export const cloudVariable = "BENCH_CLOUD";

/** What OpenStack's REST interfaces answer of an empty project without quotas; any list is empty. */
function answerTo(path: string): object {
  if (path === "/limits") return { limits: { absolute: {} } };
  return path.endsWith("/details.json") ? { quota: {} } : {};
}

/** The REST interfaces that the program asks by itself: quotas, and what a killed run has left. */
export class Rest {
  readonly #server: Server;
  readonly address: string;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Rest> {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(answerTo(pathname)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Rest(server);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
