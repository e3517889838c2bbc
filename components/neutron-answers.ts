import type { SecurityRule } from "../model/security-rules.ts";
import type { Fields } from "./openstack-api.ts";

// Parts of what Neutron answers (https://docs.openstack.org/api-ref/network/v2/), by the model's names.

/** The addresses of ports, each with whose it is. */
export function addressesOf(ports: Fields[]) {
  return ports.flatMap(({ id, device_id, description, fixed_ips }) =>
    (fixed_ips as Fields[]).map(({ ip_address, subnet_id }) => ({
      address: ip_address as string,
      subnet: subnet_id as string,
      id: id as string,
      device: device_id as string,
      description: description as string,
    })),
  );
}

/** A router's routes. */
export function routesOf({ routes }: Fields) {
  return ((routes ?? []) as Fields[]).map(({ destination, nexthop }) => ({
    destination: destination as string,
    nextHop: nexthop as string,
  }));
}

/** What a rule of a security group lets in. */
export function securityRuleOf(rule: Fields): Omit<SecurityRule, "name"> {
  const { protocol, port_range_min: min, port_range_max: max, remote_ip_prefix } = rule;
  return {
    protocol: protocol ?? undefined,
    ports: min === null ? undefined : { min, max },
    remoteIpPrefix: remote_ip_prefix ?? "",
  };
}
