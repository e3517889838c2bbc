import type { Settings } from "./settings.ts";

/** How packets between pods of different nodes travel, and what that asks of OpenStack and of the nodes. */
export interface Routing {
  /** Neutron's router has a route to each node's pod network; else flannel gives the nodes theirs. */
  byRouter: boolean;
  /** Flannel's backend. */
  flannel?: "vxlan" | "host-gw";
  /** Packets cross the nodes' ports with the pods' own addresses, which Neutron drops without being told of them. */
  podsOnPorts: boolean;
  /** Bytes that a packet grows by between nodes. */
  overhead: number;
}

/** VXLAN over IPv4: 14 for the inner Ethernet header, 8 for VXLAN's, 8 for UDP's and 20 for IP's (RFC 7348, section 5). */
const vxlanOverhead = 50;

const backends: Record<NonNullable<Routing["flannel"]>, Routing> = {
  vxlan: { byRouter: false, flannel: "vxlan", podsOnPorts: false, overhead: vxlanOverhead },
  "host-gw": { byRouter: false, flannel: "host-gw", podsOnPorts: true, overhead: 0 },
};

/** The routing that the settings ask for. */
export function routingOf({ routing, flannel }: Settings["network"]): Routing {
  if (routing === "router") return { byRouter: true, podsOnPorts: true, overhead: 0 };
  return backends[flannel.backend ?? "vxlan"];
}
