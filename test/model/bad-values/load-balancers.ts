import { label, type BadValues } from "../../helpers/bad-values.ts";

const http = { port: 80, nodePort: 30080 };
const web = (listeners: object, more = {}) => ({ loadBalancers: { web: { listeners, ...more } } });
const listener = (changes: object, more = {}) => web({ http: { ...http, ...changes } }, more);
const healthCheck = (changes: object) => listener({ healthCheck: changes });
const at = "loadBalancers.web.listeners.http";

/** Wrong values of the seed's row 11. */
export const loadBalancersValues: BadValues = {
  // load balancers of Octavia's
  11: [
    ["load balancers in a list", { loadBalancers: [] }, "loadBalancers: must be a dictionary, not []"],
    [
      "a name in capitals",
      { loadBalancers: { Web: { listeners: { http } } } },
      `loadBalancers.Web: ${label}`,
    ],
    [
      "an unknown setting",
      { loadBalancers: { web: { listeners: { http }, vip: "10.0.0.200" } } },
      "loadBalancers.web: has no setting vip; see docs/settings.md",
    ],
    ["no listeners", { loadBalancers: { web: {} } }, "loadBalancers.web.listeners: is missing"],
    ["no listener", web({}), "loadBalancers.web.listeners: must have at least one"],
    ["a listener's name with a dot", web({ "a.b": http }), `loadBalancers.web.listeners.a.b: ${label}`],
    [
      "a floating address by itself",
      { loadBalancers: { web: { listeners: { http }, floatingAddress: "203.0.113.7" } } },
      'loadBalancers.web.floatingAddress: must be true or false, not "203.0.113.7"',
    ],
    [
      "a provider without a name",
      { loadBalancers: { web: { listeners: { http }, provider: "" } } },
      "loadBalancers.web.provider: must not be empty",
    ],
    ["no port", web({ http: { nodePort: 30080 } }), `${at}.port: is missing`],
    ["port 0", listener({ port: 0 }), `${at}.port: must be at least 1, not 0`],
    ["a port as text", listener({ port: "80" }), `${at}.port: must be a number, not "80"`],
    ["no node port", web({ http: { port: 80 } }), `${at}.nodePort: is missing`],
    [
      "a node port below the range",
      listener({ nodePort: 29999 }),
      `${at}.nodePort: must be at least 30000, not 29999`,
    ],
    [
      "a node port above the range",
      listener({ nodePort: 32768 }),
      `${at}.nodePort: must be at most 32767, not 32768`,
    ],
    [
      "a protocol that is not passed on",
      listener({ protocol: "HTTPS" }),
      `${at}.protocol: must be one of TCP, UDP, HTTP, not "HTTPS"`,
    ],
    [
      "an unknown method",
      listener({ method: "RANDOM" }),
      `${at}.method: must be one of ROUND_ROBIN, LEAST_CONNECTIONS, SOURCE_IP, SOURCE_IP_PORT, not "RANDOM"`,
    ],
    [
      "nobody who may come",
      listener({ allowedCidrs: [] }),
      `${at}.allowedCidrs: must name a network; without the setting all are allowed`,
    ],
    [
      "a provider that lets everybody in",
      listener({ allowedCidrs: ["10.1.0.0/16"], method: "SOURCE_IP_PORT" }, { provider: "ovn" }),
      `${at}.allowedCidrs: the provider ovn lets everybody in`,
    ],
    [
      "a provider that knows one method",
      listener({}, { provider: "ovn" }),
      `${at}.method: the provider ovn knows SOURCE_IP_PORT alone`,
    ],
    [
      "a provider that knows no requests",
      listener({ protocol: "HTTP", method: "SOURCE_IP_PORT" }, { provider: "ovn" }),
      `${at}.protocol: the provider ovn passes on TCP and UDP, not HTTP`,
    ],
    [
      "a provider that checks no paths",
      listener({ method: "SOURCE_IP_PORT", healthCheck: { type: "HTTP" } }, { provider: "ovn" }),
      `${at}.healthCheck.type: the provider ovn checks by TCP or UDP-CONNECT, not by HTTP`,
    ],
    [
      "a network twice",
      listener({ allowedCidrs: ["10.1.0.0/16", "10.1.0.0/16"] }),
      `${at}.allowedCidrs: has 10.1.0.0/16 more than once`,
    ],
    [
      "a network with host bits",
      listener({ allowedCidrs: ["10.1.0.1/16"] }),
      `${at}.allowedCidrs.0: has host bits set; the network is 10.1.0.0/16`,
    ],
    [
      "an unknown health check",
      healthCheck({ type: "PING" }),
      `${at}.healthCheck.type: must be one of TCP, HTTP, UDP-CONNECT, not "PING"`,
    ],
    [
      "no health check",
      listener({ healthCheck: false }),
      `${at}.healthCheck: must be a dictionary, not false`,
    ],
    ["no retries", healthCheck({ maxRetries: 0 }), `${at}.healthCheck.maxRetries: must be at least 1, not 0`],
    [
      "eleven retries",
      healthCheck({ maxRetries: 11 }),
      `${at}.healthCheck.maxRetries: must be at most 10, not 11`,
    ],
    ["no delay", healthCheck({ delay: 0, timeout: 1 }), `${at}.healthCheck.delay: must be at least 1, not 0`],
    [
      "a path that is none",
      healthCheck({ type: "HTTP", path: "healthz" }),
      `${at}.healthCheck.path: must be the path of a URL, such as /healthz`,
    ],
  ],
};
