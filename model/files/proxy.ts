import { environmentFile, file, type Files } from "../bundle.ts";
import type { Settings } from "../settings.ts";

/** The proxy's variables for converge.sh and for who logs in; curl and apt read small letters. */
export function proxyFiles(settings: Settings): Files {
  const values = variables(settings).flatMap(([name, value]) => [
    [name, value],
    [name.toLowerCase(), value],
  ]);
  return values.length === 0
    ? {}
    : { "/etc/openstack-kubernetes/proxy.env": environmentFile(Object.fromEntries(values)) };
}

/** The proxy's variables for a service of systemd. */
export function proxyDropIn(settings: Settings, service: "containerd" | "docker" | "kubelet"): Files {
  const lines = variables(settings).map(([name, value]) => `Environment="${name}=${value}"\n`);
  return lines.length === 0
    ? {}
    : { [`/etc/systemd/system/${service}.service.d/proxy.conf`]: file(`[Service]\n${lines.join("")}`) };
}

function variables(settings: Settings): [name: string, value: string][] {
  const { http, https } = settings.proxy;
  const proxies = Object.entries({ HTTP_PROXY: http, HTTPS_PROXY: https }).flatMap(
    ([name, address]): [string, string][] => (address === undefined ? [] : [[name, address]]),
  );
  return proxies.length === 0 ? [] : [...proxies, ["NO_PROXY", direct(settings).join(",")]];
}

/**
 * What is reached without the proxy, as Go reads it: networks count for addresses, a dot in front for all names of a
 * domain (https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config). Names of nodes are not here, since a node more
 * would restart the services of all others; node-names.sh adds them for who logs in.
 */
function direct({ cluster, network, proxy }: Settings): string[] {
  return [
    "localhost",
    "127.0.0.0/8",
    // Nova's metadata service.
    "169.254.169.254",
    network.nodeNetwork,
    cluster.podNetwork,
    cluster.serviceNetwork,
    ...network.routedNetworks,
    ".svc",
    `.${cluster.domain}`,
    ...proxy.noProxy,
  ];
}
