import type { ClusterBase } from "../plan.ts";
import { corednsContainer } from "./coredns.ts";

/** Where every node's DNS cache listens: an address that no machine shares with another. */
export const nodeLocalDnsAddress = "169.254.20.10";

/** What it listens on there beside 53. */
export const nodeLocalDnsPorts = { health: 8080, ready: 8181, metrics: 9153 };

/**
 * A cache of the cluster's DNS on each node, which answers without kube-proxy. It is CoreDNS itself; the address, which
 * k8s-dns-node-cache would make, is systemd-networkd's (https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/).
 */
export function nodeLocalDns(cluster: Pick<ClusterBase, "settings" | "release" | "dnsAddress">) {
  const labels = { "k8s-app": "node-local-dns" };
  const metadata = { name: "node-local-dns", namespace: "kube-system" };
  return {
    configMap: { metadata, data: { Corefile: corefile(cluster.dnsAddress) } },
    daemonSet: {
      // The ready gate waits for it, and says what is wrong.
      metadata: { ...metadata, labels, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            priorityClassName: "system-node-critical",
            automountServiceAccountToken: false,
            hostNetwork: true,
            dnsPolicy: "Default",
            nodeSelector: { "kubernetes.io/os": "linux" },
            tolerations: [{ operator: "Exists" }],
            containers: [
              {
                name: "node-local-dns",
                ...corednsContainer(cluster, {
                  resources: { requests: { cpu: "25m", memory: "20Mi" }, limits: { memory: "170Mi" } },
                  probed: nodeLocalDnsAddress,
                  // In the machine's network Docker lets no other user bind port 53, whatever its capabilities.
                  runAsUser: 0,
                }),
              },
            ],
            volumes: [{ name: "config", configMap: { name: "node-local-dns" } }],
          },
        },
      },
    },
  };
}

/** Every name is the cluster's DNS's to answer, asked by TCP, which keeps no connection-tracking entry per query. */
function corefile(dnsAddress: string): string {
  const { health, ready, metrics } = nodeLocalDnsPorts;
  return `.:53 {
    bind ${nodeLocalDnsAddress}
    errors
    health ${nodeLocalDnsAddress}:${health}
    ready ${nodeLocalDnsAddress}:${ready}
    prometheus ${nodeLocalDnsAddress}:${metrics}
    forward . ${dnsAddress} {
        force_tcp
    }
    cache 30
    reload
}
`;
}
