import * as z from "zod";
import { address, distinct, network } from "./setting-types.ts";

/** A name or an id, as OpenStack's own clients take either. */
const nameOrId = z.string().min(1);

/** Settings of the machines' network. */
export const networkSettings = z.strictObject({
  externalNetwork: z
    .string()
    .min(1)
    .describe("name of the external network: the router's gateway and the floating addresses"),
  floatingPool: z
    .string()
    .min(1)
    .optional()
    .describe("name of the external network that floating addresses come from; without it `externalNetwork`"),
  nodeNetwork: network
    .default("10.0.0.0/24")
    .describe(
      "network of the machines; .1 is the router, the last quarter is Neutron's own; " +
        "with `existing` the CIDR of that subnet",
    ),
  existing: z
    .strictObject({
      network: nameOrId.describe("name or id of the network"),
      subnet: nameOrId.describe("name or id of the subnet, which is one of that network"),
      router: nameOrId.describe(
        "name or id of the router, which is the subnet's gateway and leads to `externalNetwork`; " +
          "of two stacks that share it only one may be at work at a time",
      ),
    })
    .optional()
    .describe(
      "a network of the project to be used as it is; only routes to pods come and go on its router, with flannel " +
        "nothing. Without it the program makes network, subnet and router",
    ),
  routedNetworks: distinct(network)
    .default([])
    .describe(
      "further networks that pods reach with their own addresses, not their node's, such as other subnets of the " +
        "router; with `network.routing: router` alone",
    ),
  nameServers: distinct(address)
    .default([])
    .describe("addresses of the machines' name servers; without any those of the cloud"),
  routing: z
    .enum(["router", "flannel"])
    .default("router")
    .describe(
      "what leads from one node to another's pods: a route of Neutron's router for each node, or flannel on the nodes " +
        "and nothing of Neutron's",
    ),
  flannel: z
    .strictObject({
      backend: z
        .enum(["vxlan", "host-gw"])
        .optional()
        .describe(
          "pods' packets go to other nodes inside of the nodes' own, which takes 50 bytes off the pods' MTU, or as they " +
            "are, for which each node's port has an allowed address pair; without it `vxlan`",
        ),
    })
    .prefault({})
    .describe("settings of flannel, with `network.routing: flannel` alone"),
  access: z
    .strictObject({
      ssh: distinct(network).default(["0.0.0.0/0"]).describe("networks that may reach port 22"),
      api: distinct(network).default(["0.0.0.0/0"]).describe("networks that may reach the Kubernetes API"),
      nodePorts: distinct(network).default(["0.0.0.0/0"]).describe("networks that may reach NodePorts"),
      docker: distinct(network).default([]).describe("networks that may reach Docker Engine's port 2376"),
    })
    .prefault({})
    .describe("who may reach the nodes from outside, per kind of port; each network once"),
});
