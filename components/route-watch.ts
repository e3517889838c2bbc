import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../model/plan.ts";
import { driftMark, lostRoutes, strayRoutes, type Route } from "../model/route-drift.ts";
import { clusterDescription } from "./ownership.ts";
import { addressesOf, routesOf } from "./neutron-answers.ts";
import { OpenStackApi } from "./openstack-api.ts";
import type { PodRoutes } from "./pod-routes.ts";

/** A router as OpenStack has it. */
interface Router {
  api: OpenStackApi;
  id: string;
  routes: Route[];
}

/**
 * Looks at what a stack's router really has. The plugin's route does not notice in a refresh that it is gone, and fails
 * when it is to be deleted. So a preview tells of lost routes, and an update puts them back. Routes into the pod network
 * that are nobody's are told in a preview and left alone.
 */
export function watchRoutes(plan: ClusterPlan, { routerId, routes }: PodRoutes): void {
  const preview = pulumi.runtime.isDryRun();
  let asked: Promise<Router | undefined> | undefined;
  const routerOf = (id: string) => (asked ??= findRouter(id));
  const nodes = plan.nodes.map((node) => ({
    name: node.name,
    made: routes[node.name]!.id,
    route: { destination: node.podNetwork, nextHop: node.address },
  }));
  // A preview does not know the routes that it would make, so each is looked for by itself; an update in the end knows all.
  for (const group of preview ? nodes.map((node) => [node]) : [nodes]) {
    pulumi.all([routerId, ...group.map(({ made }) => made)]).apply(async ([id]) => {
      const router = await routerOf(id!);
      const expected = Object.fromEntries(group.map(({ name, route }) => [name, route]));
      const lost = router ? lostRoutes(expected, router.routes) : {};
      if (router && !preview && Object.keys(lost).length > 0) await putBack(router, Object.values(lost));
      for (const [name, { destination }] of Object.entries(lost)) {
        const what = `${name}: the router has lost the route to ${destination}`;
        await pulumi.log.warn(
          preview ? `${driftMark}${what}; pulumi up puts it back` : `${what}; it is back`,
        );
      }
    });
  }
  if (preview)
    pulumi.output(routerId).apply(async (id) => {
      const router = await routerOf(id);
      if (router) await tellStrays(router, plan);
    });
}

/** None where the router is gone, which the engine finds out by itself. */
async function findRouter(id: string): Promise<Router | undefined> {
  const api = await OpenStackApi.connect();
  const answer = await api.call("network", `routers/${id}`);
  return answer && { api, id, routes: routesOf(answer.router) };
}

/** https://docs.openstack.org/api-ref/network/v2/#add-extra-routes-to-router */
async function putBack({ api, id }: Router, lost: Route[]): Promise<void> {
  const routes = lost.map(({ destination, nextHop }) => ({ destination, nexthop: nextHop }));
  const answer = await api.call("network", `routers/${id}/add_extraroutes`, "PUT", { router: { routes } });
  if (answer === undefined) throw new Error(`the router ${id} does not take its lost routes back`);
}

async function tellStrays(
  { api, id, routes }: Router,
  { nodes, settings: { cluster } }: ClusterPlan,
): Promise<void> {
  if (routes.length === 0) return;
  const ports = await api.list("ports", { description: clusterDescription(cluster.name) });
  // Nodes that are about to go have ports still.
  const addresses = [...nodes, ...addressesOf(ports)].map(({ address }) => address);
  for (const { destination, nextHop } of strayRoutes(cluster.podNetwork, routes, addresses))
    await pulumi.log.warn(
      `${driftMark}the router has a route to ${destination} by way of ${nextHop}, which is no node's: ` +
        `openstack router remove route --route destination=${destination},gateway=${nextHop} ${id}`,
    );
}
