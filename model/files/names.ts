import { nodeLocalDnsAddress } from "../addons/node-local-dns.ts";
import { file, type Files } from "../bundle.ts";
import type { Settings } from "../settings.ts";
import { template } from "../templates.ts";

/** The timer that learns the nodes' names from the API, and the address of the node's DNS cache where there is one. */
export function nameFiles({ dns }: Settings): Files {
  return {
    "/etc/systemd/system/node-names.service": file(template("units/node-names.service")),
    "/etc/systemd/system/node-names.timer": file(template("units/node-names.timer")),
    // Of the loopback device, so that every machine has it for itself.
    ...(dns.nodeLocalCache
      ? {
          "/etc/systemd/network/70-node-local-dns.network": file(
            `[Match]\nName=lo\n\n[Network]\nAddress=${nodeLocalDnsAddress}/32\n`,
          ),
        }
      : {}),
  };
}
