import { overlap, parseNetwork } from "./addresses.ts";

/** A route of a router, as OpenStack knows it. */
export interface Route {
  destination: string;
  nextHop: string;
}

/** Begins a warning of a run that tells of a difference between a stack and OpenStack; `npm run check` looks for it. */
export const driftMark = "drift: ";

/** Those of a stack's routes, by node, that its router no longer has. */
export function lostRoutes(routes: Record<string, Route>, there: readonly Route[]): Record<string, Route> {
  const lost = Object.entries(routes).filter(([, route]) => !there.some((one) => same(one, route)));
  return Object.fromEntries(lost);
}

/** Routes into the pod network that none of the stack's machines stands behind, by their next hops. */
export function strayRoutes(
  podNetwork: string,
  there: readonly Route[],
  ownAddresses: readonly string[],
): Route[] {
  const pods = parseNetwork(podNetwork);
  return there.filter(
    ({ destination, nextHop }) =>
      !destination.includes(":") &&
      overlap(parseNetwork(destination), pods) &&
      !ownAddresses.includes(nextHop),
  );
}

function same(a: Route, b: Route): boolean {
  return a.destination === b.destination && a.nextHop === b.nextHop;
}
