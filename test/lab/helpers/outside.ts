import { controlAddress } from "../../../lab/paths.ts";
import type { Kubectl } from "./kubectl.ts";
import { answerTime } from "./patience.ts";
import { inProbe, type Probe } from "./probes.ts";
import { startInLab, type LabProgram } from "./programs.ts";

// What there is on the external network, outside of every cluster.

const port = 18090;
/** Address of the server outside the cluster. */
const outside = `http://${controlAddress}:${port}/`;

const server = `
import { createServer } from "node:http";
createServer((request, response) => response.end(request.socket.remoteAddress + "\\n"))
  .listen(${port}, "${controlAddress}", () => console.log("ready"));`;

const node = (program: string): Promise<LabProgram> =>
  startInLab(["node", "--input-type=module", "--eval", program], /^ready$/);

/** Runs a step while a server on the external network tells whoever asks it the address it sees. */
async function withServerOutside<T>(step: () => Promise<T>): Promise<T> {
  const program = await node(server);
  try {
    return await step();
  } finally {
    await program.stop();
  }
}

/** The address that each probe has for a server outside the cluster. */
export async function seenOutside(kubectl: Kubectl, all: readonly Probe[]): Promise<string[]> {
  const seen = await withServerOutside(() =>
    Promise.all(all.map((probe) => inProbe(kubectl, probe, `wget -q -T ${answerTime} -O - ${outside}`))),
  );
  return seen.map((text) => text.trim());
}

const proxyPort = 18091;
/** Address of the proxy outside the cluster. */
export const proxyOutside = `http://${controlAddress}:${proxyPort}`;

/** Which requests by plain HTTP a proxy answers 503, as a service that is overloaded does. */
interface Refusal {
  every: number;
  /** Of those whose method and URL match. */
  of: RegExp;
}

const proxy = (refusal?: Refusal) => `
import { createServer, request as ask } from "node:http";
import { connect } from "node:net";
let count = 0;
const seen = (host) => console.log("asked for " + host);
const server = createServer((request, response) => {
  const what = request.method + " " + request.url;
  if (${refusal?.of ?? /^$/}.test(what) && ++count % ${refusal?.every ?? 1} === 0) {
    console.log("refused " + what);
    return response.writeHead(503).end("Service Unavailable");
  }
  const { hostname, port, pathname, search } = new URL(request.url);
  seen(hostname + ":" + (port || 80));
  const { method, headers } = request;
  const onward = ask({ host: hostname, port, path: pathname + search, method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.writeHead(502).end());
  request.pipe(onward);
});
server.on("connect", ({ url }, socket, head) => {
  seen(url);
  const [host, port] = url.split(":");
  const onward = connect(port, host, () => {
    socket.write("HTTP/1.1 200 Connection established\\r\\n\\r\\n");
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  for (const end of [onward, socket]) end.on("error", () => { onward.destroy(); socket.destroy(); });
});
server.listen(${proxyPort}, "${controlAddress}", () => console.log("ready"));`;

/** A forward proxy on the external network that remembers what it was asked for. */
export class Proxy {
  readonly #program: LabProgram;

  private constructor(program: LabProgram) {
    this.#program = program;
  }

  static async start(refusal?: Refusal): Promise<Proxy> {
    return new Proxy(await node(proxy(refusal)));
  }

  /** The requests that were answered 503: method and URL. */
  refused(): string[] {
    return this.#program.lines.flatMap((line) => /^refused (.*)$/.exec(line)?.[1] ?? []);
  }

  /** What it was asked for so far, host and port, each once. */
  seen(): string[] {
    const asked = this.#program.lines.flatMap((line) => /^asked for (.*)$/.exec(line)?.[1] ?? []);
    return [...new Set(asked)].sort();
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

/** Address of the name server outside the cluster; no machine has it for its own. */
export const nameServerOutside = "172.24.4.53";
/** A name that only the name server outside knows, and its address. */
export const nameOutside = { name: "www.outside.test", address: "192.0.2.80" };

/** Starts the name server outside the cluster. */
export function startNameServer(): Promise<LabProgram> {
  const options = [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--log-facility=-",
    "--log-queries",
    "--pid-file=",
    "--user=root",
    "--no-resolv",
    "--no-hosts",
    "--bind-interfaces",
    `--listen-address=${nameServerOutside}`,
    `--address=/${nameOutside.name}/${nameOutside.address}`,
  ];
  const script = `
    ip address replace ${nameServerOutside}/24 dev br-ex
    trap 'kill $!; ip address del ${nameServerOutside}/24 dev br-ex' TERM
    dnsmasq "$@" & wait`;
  return startInLab(["sh", "-c", script, "sh", ...options], /started, version/);
}
