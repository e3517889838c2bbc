import { contains, parseNetwork } from "./addresses.ts";
import type { Known } from "./known-settings.ts";
import { dnsAddressOf } from "./plan.ts";
import { keyOf } from "./settings.ts";

const loopback = parseNetwork("127.0.0.0/8");

/** What of the cluster's DNS does not fit the rest. */
export function dnsProblems({
  cluster: { serviceNetwork, dnsAddress },
  dns: { upstream = [] },
}: Known): string[] {
  const own = serviceNetwork && dnsAddressOf({ serviceNetwork, dnsAddress });
  return upstream.flatMap((server, index) =>
    server === own || contains(loopback, server)
      ? [`${keyOf(["dns", "upstream", index])}: ${server} is CoreDNS itself, which would ask itself for ever`]
      : [],
  );
}
