import { nodeLocalDnsPorts } from "./addons/node-local-dns.ts";
import { dockerPort } from "./files/docker.ts";
import { kubeletPort } from "./files/kubelet.ts";
import type { Known } from "./known-settings.ts";
import { nodePorts } from "./setting-types.ts";
import { keyOf } from "./settings.ts";

/**
 * Who listens on a port of a node, beside the API server and the kubelet. Kubernetes' own are its defaults
 * (https://kubernetes.io/docs/reference/networking/ports-and-protocols/).
 */
const listeners: Record<number, string> = {
  22: "sshd",
  53: "systemd-resolved",
  [dockerPort]: "Docker Engine",
  2379: "etcd",
  2380: "etcd",
  2381: "etcd",
  10248: "the kubelet's health check",
  10249: "kube-proxy",
  10256: "kube-proxy",
  10257: "kube-controller-manager",
  10259: "kube-scheduler",
};

/** What is wrong with the ports that the settings choose. */
export function portProblems({ cluster: { apiPort }, kubelet, dns }: Known): string[] {
  const problems: string[] = [];
  const { port = kubeletPort } = kubelet;
  const report = (path: string[], text: string) => problems.push(`${keyOf(path)}: ${text}`);
  const check = (path: string[], chosen: number) => {
    if (listeners[chosen] !== undefined) report(path, `${chosen} is the port of ${listeners[chosen]}`);
    if (chosen >= nodePorts.min && chosen <= nodePorts.max)
      report(path, `${chosen} is one of the node ports, ${nodePorts.min} to ${nodePorts.max}`);
  };
  if (apiPort !== undefined) check(["cluster", "apiPort"], apiPort);
  // The kubelet tells the API server its port, so that nothing else need know it.
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535)
    report(["kubelet", "port"], `must be a port, 1 to 65535, not ${JSON.stringify(port)}`);
  else check(["kubelet", "port"], port);
  // The API server listens on every address, the cache's too.
  if (dns.nodeLocalCache && Object.values(nodeLocalDnsPorts).some((taken) => taken === apiPort))
    report(["cluster", "apiPort"], `${apiPort} is a port of the nodes' DNS caches`);
  if (port === apiPort) report(["cluster", "apiPort"], `${apiPort} is the port of the kubelet`);
  return problems;
}
