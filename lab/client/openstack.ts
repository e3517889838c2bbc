// OpenStack's own REST interfaces, by the OS_ variables. As a program, inside the lab, it answers the requests that
// it reads from standard input.
import { text } from "node:stream/consumers";
import { inLabRun } from "./run.ts";

/** A call of one of OpenStack's services; the path begins after the address in the service catalogue. */
export interface Call {
  service: "compute" | "image" | "load-balancer" | "network" | "placement";
  method?: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  /** A resource that is gone is as good as an answer. */
  orGone?: boolean;
}

interface Token {
  token: {
    catalog: { type: string; endpoints: { interface: string; url: string }[] }[];
  };
}

/** A client for one project; usable where the services' addresses can be reached. */
export class OpenStack {
  readonly #token: string;
  readonly #addresses: Record<string, string>;

  private constructor(token: string, addresses: Record<string, string>) {
    this.#token = token;
    this.#addresses = addresses;
  }

  /** Logs in with the password of the OS_ variables. */
  static async connect(environment: NodeJS.ProcessEnv = process.env): Promise<OpenStack> {
    const domain = (name: string | undefined) => ({ name: name ?? "Default" });
    const user = {
      name: environment.OS_USERNAME,
      password: environment.OS_PASSWORD,
      domain: domain(environment.OS_USER_DOMAIN_NAME),
    };
    const project = {
      name: environment.OS_PROJECT_NAME,
      domain: domain(environment.OS_PROJECT_DOMAIN_NAME),
    };
    const response = await fetch(`${environment.OS_AUTH_URL}/auth/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        auth: { identity: { methods: ["password"], password: { user } }, scope: { project } },
      }),
    });
    if (!response.ok) throw new Error(`Keystone: HTTP ${response.status} ${await response.text()}`);
    const { token } = (await response.json()) as Token;
    const addresses = Object.fromEntries(
      token.catalog.map(({ type, endpoints }) => [
        type,
        endpoints.find((endpoint) => endpoint.interface === "public")?.url ?? "",
      ]),
    );
    return new OpenStack(response.headers.get("X-Subject-Token")!, addresses);
  }

  /** The answer of a call, or undefined where it has none. */
  async call<T>({ service, method = "GET", path, body, orGone = false }: Call): Promise<T> {
    const response = await fetch(`${this.#addresses[service]}${path}`, {
      method,
      headers: { "X-Auth-Token": this.#token, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.text();
    if (!response.ok && !(orGone && response.status === 404))
      throw new Error(`${method} ${service}${path}: HTTP ${response.status} ${answer}`);
    return (answer === "" ? undefined : JSON.parse(answer)) as T;
  }
}

/** Answers of calls made inside the lab, in their order. */
export async function openStack<T extends unknown[]>(...calls: Call[]): Promise<T> {
  const answers = await inLabRun(["node", import.meta.filename], { input: JSON.stringify(calls) });
  return JSON.parse(answers) as T;
}

if (import.meta.main) {
  const calls = JSON.parse(await text(process.stdin)) as Call[];
  const cloud = await OpenStack.connect();
  const answers = await Promise.all(calls.map((call) => cloud.call(call)));
  process.stdout.write(JSON.stringify(answers));
}
