import { vi } from "vitest";

/** Where Nova and Neutron tell the project's quotas. */
export const limitsPath = "/compute/limits";
export const quotasPath = "/network/v2.0/quotas/own-project/details.json";
/** Where Neutron tells which nodes the stack of the tests has. */
export const ownPortsPath =
  "/network/v2.0/ports?description=Kubernetes+cluster+demo+of+openstack-kubernetes/test";

/** Where Nova tells which servers of the project are in ERROR. */
export const failedServersPath = "/compute/servers/detail?status=ERROR";

/** What every run asks of OpenStack, whatever the settings: quotas, and what the stack has. */
export const everyRunAsks = [limitsPath, failedServersPath, ownPortsPath, quotasPath];

/** A server in ERROR, as Nova tells of it; by default it is of the stack of the tests, and was never built. */
export const failedServer = (name: string, { stack = "openstack-kubernetes/test", launched = "" } = {}) => ({
  id: `failed ${name}`,
  name,
  metadata: { cluster: "demo", role: "worker", stack },
  "OS-SRV-USG:launched_at": launched || null,
});

/** In-process stand-in for OpenStack's REST interfaces: answers by path, and what was asked of it. */
export class FakeOpenStack {
  /**
   * By path, without the address; what is deleted or changed is gone, what is not here is not found. At first there are
   * the project's quotas, without limits.
   */
  readonly answers: Record<string, object> = {
    [limitsPath]: { limits: { absolute: {} } },
    [quotasPath]: { quota: {} },
  };
  /** What happens when something is deleted or changed, by its path. */
  readonly afterwards: Record<string, () => void> = {};
  /** Answers of a status without content that come first, by path. */
  readonly refusals: Record<string, number[]> = {};
  /** Paths that the user may not ask. */
  readonly forbidden = new Set<string>();
  readonly asked: string[] = [];

  /** The answer to `getAuthScope`: where the services are. */
  readonly scope = {
    tokenId: "token",
    region: "RegionOne",
    projectId: "own-project",
    serviceCatalogs: ["network", "compute", "load-balancer"].map((type) => ({
      type,
      endpoints: [{ interface: "public", region: "RegionOne", url: `http://cloud.invalid/${type}` }],
    })),
  };

  /** Answers the program's `fetch` until vitest unstubs it. */
  constructor() {
    vi.stubGlobal("fetch", async (url: string, { method }: { method: string }) => {
      const { pathname, search } = new URL(url);
      const path = decodeURIComponent(pathname + search);
      this.asked.push(`${method} ${path}`);
      const refused = this.refusals[path]?.shift();
      if (refused !== undefined) return new Response("", { status: refused });
      if (this.forbidden.has(path)) return new Response("not allowed", { status: 403 });
      if (method !== "GET") {
        delete this.answers[path];
        this.afterwards[path]?.();
        return new Response(null, { status: 204 });
      }
      return this.answers[path] ? Response.json(this.answers[path]) : new Response("", { status: 404 });
    });
  }
}
