import * as z from "zod";
import { address, directHost, distinct, host, proxyAddress } from "./setting-types.ts";

// Settings of what surrounds the nodes: the way out, the time, names.

/** The way out of a closed network. */
export const proxySettings = z
  .strictObject({
    http: proxyAddress.optional().describe("proxy for http, such as `http://proxy.example.org:3128`"),
    https: proxyAddress.optional().describe("proxy for https"),
    noProxy: distinct(directHost)
      .default([])
      .describe(
        "what else is reached directly: names, domains such as `.example.org`, addresses and networks; " +
          "node, pod, service and routed networks, the cluster's domain, the nodes' names, localhost and the metadata service always are",
      ),
  })
  .superRefine(({ http, https, noProxy }, context) => {
    if (noProxy.length === 0 || http !== undefined || https !== undefined) return;
    const message = "goes around a proxy, and neither http nor https names one";
    context.addIssue({ code: "custom", path: ["noProxy"], message });
  })
  .prefault({})
  .describe(
    "proxy of the machines, Docker, containerd and the kubelet; it knows the machines by their addresses",
  );

/** Who tells the time. */
export const ntpSettings = z
  .strictObject({
    servers: distinct(host)
      .default([])
      .describe("NTP servers of the machines, by systemd-timesyncd; without any what the image has"),
  })
  .prefault({});

/** Names outside of the cluster. */
export const dnsSettings = z
  .strictObject({
    upstream: distinct(address)
      // https://coredns.io/plugins/forward/
      .max(15)
      .default([])
      .describe(
        "addresses of the name servers that CoreDNS asks for names outside of the cluster; " +
          "without any those of the machines",
      ),
    nodeLocalCache: z
      .boolean()
      .default(false)
      .describe(
        "a DNS cache on each node, which pods ask before CoreDNS; pods made before that keep asking CoreDNS",
      ),
  })
  .prefault({});
