// The plugins of `npm run bench -- preview`: whatever a program asks for is there at once and as it asks for it. No
// cloud, no machine and no cluster is asked. The argument is the plugin's name.
import { randomUUID } from "node:crypto";
import { commandResource } from "../../plugins/command/lifecycle.ts";
import type { Resource } from "../../plugins/shared/resource.ts";
import { serve } from "../../plugins/shared/serve.ts";
import { same, type Props } from "../../plugins/shared/values.ts";
import { cloudVariable } from "./rest.ts";

/** A resource that is what its inputs say, with what a cloud would add. */
const asAsked = (added: () => Props = () => ({})): Resource => ({
  diff: (olds, news) => ({ changes: Object.keys(news).some((key) => !same(olds[key], news[key])) }),
  create: async (news) => ({ id: randomUUID(), outs: { ...news, ...added() } }),
  update: async (_id, olds, news) => ({ ...olds, ...news }),
});

let addresses = 0;
/** Addresses that nobody has (RFC 2544). */
const floatingAddress = (): Props => {
  addresses++;
  return { address: `198.18.${addresses >> 8}.${addresses & 255}` };
};

/** A command that has run and said nothing. */
const command = commandResource(["connection"], ["stdout", "stderr"], async () => ({}));

/** The resource types: any that is asked for. */
export function resourceOf(type: string): Resource {
  switch (type) {
    case "command:remote:Command":
      return command;
    case "openstack:networking/floatingIp:FloatingIp":
      return asAsked(floatingAddress);
    default:
      return asAsked();
  }
}

/** What the functions of the OpenStack plugin answer; anything is there, and any flavor is large enough. */
export function answer(token: string): Props {
  const url = process.env[cloudVariable];
  switch (token) {
    case "openstack:identity/getAuthScope:getAuthScope":
      return {
        tokenId: "token",
        region: "",
        projectId: "project",
        serviceCatalogs: ["compute", "network"].map((type) => ({
          type,
          endpoints: [{ interface: "public", region: "", url }],
        })),
      };
    case "openstack:compute/getFlavor:getFlavor":
      return { id: "flavor", vcpus: 2, ram: 4096, disk: 20 };
    default:
      return { id: "there" };
  }
}

const unchanged = { configure: () => {}, diff: async () => ({ changes: [], replaces: [] }) };

if (import.meta.main) {
  // The engine's own arguments follow.
  process.argv.splice(2, 1);
  await serve("0.0.0", async (type) => resourceOf(type), unchanged, answer);
}
