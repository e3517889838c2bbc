import { cluster, type BadValues } from "../../helpers/bad-values.ts";

const noProxy =
  "must be an http or https address of a host, perhaps with a port, such as http://proxy.example.org:3128";
const credentials =
  "must not hold a user or a password, since every program on the machines can read it; " +
  "let the proxy know the machines by their addresses";
const noDirectHost =
  "must be a host's name or address, a domain such as .example.org, or a network such as 192.0.2.0/24";
const noHost = "must be a host's name or address, such as ntp.example.org";
const noAddress = "must be an IPv4 address such as 10.0.0.10";
const itself = "is CoreDNS itself, which would ask itself for ever";
const http = "http://proxy.example.org:3128";

/** Wrong values of the seed's rows 13, 14, 17, by row. */
export const surroundingsValues: BadValues = {
  // the cluster's DNS
  13: [
    [
      "a domain in capitals",
      cluster({ domain: "Cluster.Local" }),
      "cluster.domain: must be a DNS domain such as cluster.local",
    ],
    [
      "a DNS address that is none",
      cluster({ dnsAddress: "dns" }),
      "cluster.dnsAddress: must be an IPv4 address such as 10.0.0.10",
    ],
    [
      "a DNS address elsewhere",
      cluster({ dnsAddress: "10.0.0.10" }),
      "cluster.dnsAddress: must be from 10.254.0.2 to 10.254.255.254, not 10.0.0.10",
    ],
    [
      "the last service address for the DNS",
      cluster({ dnsAddress: "10.254.255.255" }),
      "cluster.dnsAddress: must be from 10.254.0.2 to 10.254.255.254, not 10.254.255.255",
    ],
    [
      "the API's address for the DNS",
      cluster({ dnsAddress: "10.254.0.1" }),
      "cluster.dnsAddress: must be from 10.254.0.2 to 10.254.255.254, not 10.254.0.1",
    ],
    ["a name for a name server", { dns: { upstream: ["dns.example.org"] } }, `dns.upstream.0: ${noAddress}`],
    [
      "a name server twice",
      { dns: { upstream: ["9.9.9.9", "9.9.9.9"] } },
      "dns.upstream: has 9.9.9.9 more than once",
    ],
    [
      "more name servers than CoreDNS takes",
      { dns: { upstream: Array.from({ length: 16 }, (_, index) => `192.0.2.${index}`) } },
      "dns.upstream: must have at most 15 entries",
    ],
    [
      "CoreDNS's own address",
      { dns: { upstream: ["9.9.9.9", "10.254.0.10"] } },
      `dns.upstream.1: 10.254.0.10 ${itself}`,
    ],
    [
      "CoreDNS's own address by setting",
      { ...cluster({ dnsAddress: "10.254.7.7" }), dns: { upstream: ["10.254.7.7"] } },
      `dns.upstream.0: 10.254.7.7 ${itself}`,
    ],
    [
      "the API on a port of the DNS caches",
      { ...cluster({ apiPort: 8080 }), dns: { nodeLocalCache: true } },
      "cluster.apiPort: 8080 is a port of the nodes' DNS caches",
    ],
    ["CoreDNS's own machine", { dns: { upstream: ["127.0.0.53"] } }, `dns.upstream.0: 127.0.0.53 ${itself}`],
  ],
  // proxies and time servers
  14: [
    ["a proxy as text", { proxy: http }, `proxy: must be a dictionary, not "${http}"`],
    ["a proxy without a scheme", { proxy: { http: "proxy:3128" } }, `proxy.http: ${noProxy}`],
    ["a SOCKS proxy", { proxy: { https: "socks5://proxy:1080" } }, `proxy.https: ${noProxy}`],
    ["a proxy with a path", { proxy: { http: `${http}/pac` } }, `proxy.http: ${noProxy}`],
    ["a proxy with a blank", { proxy: { http: "http://pro xy" } }, `proxy.http: ${noProxy}`],
    ["a proxy's port out of range", { proxy: { http: "http://proxy:70000" } }, `proxy.http: ${noProxy}`],
    ["a proxy with a command", { proxy: { http: "http://$(reboot)" } }, `proxy.http: ${noProxy}`],
    [
      "a proxy with a password",
      { proxy: { http: "http://me:secret@proxy:3128" } },
      `proxy.http: ${credentials}`,
    ],
    ["a proxy with a user", { proxy: { https: "http://me@proxy:3128" } }, `proxy.https: ${credentials}`],
    [
      "an unknown key of the proxy",
      { proxy: { ftp: http } },
      "proxy: has no setting ftp; see docs/settings.md",
    ],
    [
      "one host without proxy as text",
      { proxy: { http, noProxy: "a" } },
      'proxy.noProxy: must be a list, not "a"',
    ],
    ["every host without proxy", { proxy: { http, noProxy: ["*"] } }, `proxy.noProxy.0: ${noDirectHost}`],
    [
      "a domain with a star",
      { proxy: { http, noProxy: ["*.example.org"] } },
      `proxy.noProxy.0: ${noDirectHost}`,
    ],
    ["two hosts in one text", { proxy: { http, noProxy: ["a,b"] } }, `proxy.noProxy.0: ${noDirectHost}`],
    [
      "a network with host bits",
      { proxy: { http, noProxy: ["192.0.2.1/24"] } },
      `proxy.noProxy.0: ${noDirectHost}`,
    ],
    ["a host twice", { proxy: { http, noProxy: ["a", "a"] } }, "proxy.noProxy: has a more than once"],
    [
      "hosts without any proxy",
      { proxy: { noProxy: ["a"] } },
      "proxy.noProxy: goes around a proxy, and neither http nor https names one",
    ],
    [
      "a wrong proxy with hosts without it",
      { proxy: { http: "proxy", noProxy: ["a"] } },
      `proxy.http: ${noProxy}`,
    ],
    ["an NTP server with a scheme", { ntp: { servers: ["ntp://a"] } }, `ntp.servers.0: ${noHost}`],
    ["two NTP servers in one text", { ntp: { servers: ["a b"] } }, `ntp.servers.0: ${noHost}`],
    ["an NTP server twice", { ntp: { servers: ["a", "b", "a"] } }, "ntp.servers: has a more than once"],
    ["one NTP server as text", { ntp: { servers: "a" } }, 'ntp.servers: must be a list, not "a"'],
    ["an unknown key of the clock", { ntp: { pool: "a" } }, "ntp: has no setting pool; see docs/settings.md"],
  ],
  // phases
  17: [
    ["another phase", { phase: "pods" }, 'phase: must be one of machines, docker, kubernetes, not "pods"'],
    [
      "a phase in capitals",
      { phase: "Docker" },
      'phase: must be one of machines, docker, kubernetes, not "Docker"',
    ],
    [
      "phases in a list",
      { phase: ["docker"] },
      'phase: must be one of machines, docker, kubernetes, not ["docker"]',
    ],
  ],
};
