import { setTimeout as delay } from "node:timers/promises";
import * as openstack from "@pulumi/openstack";
import type * as pulumi from "@pulumi/pulumi";

/** Properties of a resource, as the service or the provider names them. */
export type Fields = Record<string, any>;

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).replaceAll(/\s+/g, " ");
  // "fetch failed" alone tells nothing.
  const { message, cause } = error;
  if (!(cause instanceof Error)) return message.replaceAll(/\s+/g, " ");
  const unknownAuthority = /certificate|CERT/.test(
    `${cause.message} ${(cause as NodeJS.ErrnoException).code}`,
  );
  const remedy = unknownAuthority ? "; NODE_EXTRA_CA_CERTS names a file of authorities to trust" : "";
  return `${message}: ${cause.message}${remedy}`.replaceAll(/\s+/g, " ");
}

/** Milliseconds before each further try of what OpenStack has no time for. */
const pauses = [1000, 2000, 4000, 8000];

/** A service by its type in OpenStack's catalogue. */
type Service = "compute" | "load-balancer" | "network";

/** What paths of a service begin with, where its address in the catalogue may leave it out. */
const versions: Partial<Record<Service, string>> = { network: "v2.0", "load-balancer": "v2.0" };

/** OpenStack's REST interfaces by the login of the plugin, for what no resource or function of the plugin does. */
export class OpenStackApi {
  #scope: openstack.identity.GetAuthScopeResult;
  readonly #logIn: () => Promise<openstack.identity.GetAuthScopeResult>;

  private constructor(
    scope: openstack.identity.GetAuthScopeResult,
    logIn: () => Promise<openstack.identity.GetAuthScopeResult>,
  ) {
    this.#scope = scope;
    this.#logIn = logIn;
  }

  /** @param opts a login of another provider than the program's */
  static async connect(opts?: pulumi.InvokeOptions): Promise<OpenStackApi> {
    const logIn = () => openstack.identity.getAuthScope({ name: "scope", setTokenId: true }, opts);
    return new OpenStackApi(await logIn(), logIn);
  }

  /** The project that the login is for. */
  get projectId(): string {
    return this.#scope.projectId;
  }

  /** Whether the cloud has a service, as far as its catalogue says. */
  has(service: Service): boolean {
    return this.#endpoint(service) !== undefined;
  }

  #endpoint(service: Service) {
    const { region, serviceCatalogs } = this.#scope;
    return serviceCatalogs
      .find(({ type }) => type === service)
      ?.endpoints.find((one) => one.interface === "public" && (region === "" || one.region === region));
  }

  #address(service: Service): string {
    const endpoint = this.#endpoint(service);
    if (endpoint === undefined) throw new Error(`OpenStack's catalogue has no public ${service} service`);
    const address = endpoint.url.replace(/\/$/, "");
    const version = versions[service];
    return version === undefined || address.endsWith(`/${version}`) ? address : `${address}/${version}`;
  }

  /** The answer of a call; undefined where the resource is gone, or cannot go because it is in use. */
  async call(
    service: Service,
    path: string,
    method: "GET" | "PUT" | "DELETE" = "GET",
    body?: object,
  ): Promise<Fields | undefined> {
    const ask = () =>
      fetch(`${this.#address(service)}/${path}`, {
        method,
        headers: { "X-Auth-Token": this.#scope.tokenId, "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      });
    let response = await ask();
    if (response.status === 401) {
      // A run may last longer than a token. The plugin has a new one by then.
      this.#scope = await this.#logIn();
      response = await ask();
    }
    for (const pause of pauses) {
      if (![429, 502, 503, 504].includes(response.status)) break;
      await delay(pause);
      response = await ask();
    }
    const answer = await response.text();
    if (response.ok) return answer === "" ? {} : (JSON.parse(answer) as Fields);
    if (response.status === 404 || response.status === 409) return undefined;
    throw new Error(`OpenStack answers ${response.status} to ${method} ${path}: ${answer}`);
  }

  /** A service's resources of a kind that have all of these fields; of several values one of them. */
  async list(
    path: string,
    fields: Record<string, string | string[]>,
    service: Service = "network",
  ): Promise<Fields[]> {
    const missing = Object.keys(fields).filter((key) => !fields[key]?.length);
    // Without it the list would have other people's resources.
    if (missing.length > 0) throw new Error(`${path} cannot be told apart without ${missing.join(", ")}`);
    const kind = path
      .replace(/\/detail$/, "")
      .split("/")
      .at(-1)!
      .replaceAll("-", "_");
    const found: Fields[] = [];
    // A cloud may hand out long lists in parts, each with the address of the next.
    const pairs = Object.entries(fields).flatMap(([key, values]) =>
      [values].flat().map((value) => [key, value]),
    );
    let query: string | undefined = `?${new URLSearchParams(pairs).toString()}`;
    while (query !== undefined) {
      const answer: Fields = (await this.call(service, `${path}${query}`)) ?? {};
      found.push(...((answer[kind] ?? []) as Fields[]));
      const next = ((answer[`${kind}_links`] ?? []) as Fields[]).find(({ rel }) => rel === "next");
      query = next && new URL(next.href as string).search;
    }
    return found;
  }
}
