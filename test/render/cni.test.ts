import { describe, expect, it } from "vitest";
import * as z from "zod";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import jsonSchema from "./cni-conflist.schema.json" with { type: "json" };

const schema = z.fromJSONSchema(jsonSchema as Parameters<typeof z.fromJSONSchema>[0]);

/** The CNI list of a node as the machine has it, its MTU put in. */
function conflist(changes: Record<string, unknown> = {}): string {
  const path = "/etc/openstack-kubernetes/with-mtu/etc/cni/net.d/10-cbr0.conflist";
  return planOf(changes).workers[0]!.files[path]!.content.replaceAll("@MTU@", "1450");
}

describe("the JSON schema of a CNI list", () => {
  it.each<[title: string, changes: Record<string, unknown>]>([
    ["the router's routes", {}],
    ["flannel", { network: { ...stackSettings.network, routing: "flannel" } }],
    ["Docker", { runtime: "docker" }],
    ["a small pod network", { cluster: { ...stackSettings.cluster, nodePodPrefix: 27 } }],
  ])("is kept with %s", (_title, changes) => {
    expect(schema.safeParse(JSON.parse(conflist(changes))).error).toBeUndefined();
  });

  it.each<[title: string, from: string, to: string]>([
    ["a key that the bridge does not have", '"hairpinMode"', '"hairpin"'],
    ["an MTU as text", "1450", '"1450"'],
    ["a plugin that is not installed", '"portmap"', '"firewall"'],
    ["a range that begins nowhere", '"rangeStart": "10.', '"rangeStart": "10.10.'],
    ["another list of addresses", '"host-local"', '"dhcp"'],
  ])("refuses %s", (_title, from, to) => {
    const text = conflist();
    expect(text).toContain(from);
    expect(schema.safeParse(JSON.parse(text.replace(from, to))).success).toBe(false);
  });
});
