import * as z from "zod";
import { distinct, label, network, nodePorts, port } from "./setting-types.ts";

/** The networks that reach a port when the settings name none. */
export const anyone = ["0.0.0.0/0"];

/** Octavia's own limit (https://docs.openstack.org/api-ref/load-balancer/v2/#create-health-monitor). */
const retries = z.int().min(1).max(10);

const healthCheck = z
  .strictObject({
    type: z
      .enum(["TCP", "HTTP", "UDP-CONNECT"])
      .optional()
      .describe(
        "a connection, a request by GET that is to be answered with 200, or a UDP packet that is not to be refused; " +
          "without it UDP-CONNECT for protocol UDP, else TCP",
      ),
    path: z
      .string()
      .regex(/^\/[^\s#]*$/, "must be the path of a URL, such as /healthz")
      .optional()
      .describe("path of the request, for type HTTP alone; without it `/`"),
    delay: z.int().min(1).max(3600).default(5).describe("seconds between two checks of a worker"),
    timeout: z
      .int()
      .min(1)
      .max(3600)
      .default(3)
      .describe("seconds that a worker has to answer; at most `delay`"),
    maxRetries: retries
      .default(3)
      .describe("how many checks in a row take a worker out when they fail, or back in when they succeed"),
  })
  .prefault({})
  .describe("how Octavia finds out which workers answer; one that does not gets no connections");

/** A port of a load balancer, and where it leads. */
export const listenerSettings = z.strictObject({
  protocol: z
    .enum(["TCP", "UDP", "HTTP"])
    .default("TCP")
    .describe(
      "what is passed on: connections, UDP packets, or requests, each with the client in X-Forwarded-For",
    ),
  port: port.describe("port of the load balancer's address"),
  nodePort: z
    .int()
    .min(nodePorts.min)
    .max(nodePorts.max)
    .describe("port of the workers, a NodePort of a service"),
  method: z
    .enum(["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT"])
    .default("ROUND_ROBIN")
    .describe("how a worker is chosen; Octavia's provider `ovn` knows SOURCE_IP_PORT alone"),
  allowedCidrs: distinct(network)
    .min(1, "must name a network; without the setting all are allowed")
    .default(anyone)
    .describe("networks that may reach the port"),
  healthCheck,
});

/** Settings of the load balancers in front of the workers. */
export const loadBalancerSettings = z
  .record(
    label,
    z.strictObject({
      floatingAddress: z
        .boolean()
        .default(true)
        .describe("whether it has an address of the external network beside that of the node network"),
      provider: z
        .string()
        .min(1)
        .optional()
        .describe("Octavia's provider, such as `amphora` or `ovn`; without it the cloud's default"),
      listeners: z
        .record(label, listenerSettings.describe("a port and where it leads"))
        .refine((listeners) => Object.keys(listeners).length > 0, "must have at least one")
        .describe("its ports, by name"),
    }),
  )
  .default({})
  .describe(
    "Octavia's load balancers, by name, each with all workers behind it; they come with phase kubernetes",
  );
