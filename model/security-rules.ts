import { dockerPort } from "./files/docker.ts";
import { routingOf } from "./routing.ts";
import { nodePorts } from "./setting-types.ts";
import type { Settings } from "./settings.ts";

/** An ingress rule of a security group. */
export interface SecurityRule {
  /** Names the rule among its group's; never changes while the rule means the same. */
  name: string;
  /** Any protocol when absent. */
  protocol?: "tcp" | "udp" | "icmp";
  ports?: { min: number; max: number };
  remoteIpPrefix: string;
}

export type GroupRole = "node" | "control-plane";

/**
 * Rules of the security groups: `node` for every machine, `control-plane` for the API on top. Groups open to address
 * ranges, not to other groups: under OVN a rule by remote group does not match pod addresses.
 */
export function securityRules({ cluster, network }: Settings): Record<GroupRole, SecurityRule[]> {
  const { access, nodeNetwork } = network;
  const from = (
    name: string,
    prefixes: string[],
    protocol: "tcp" | "udp",
    min: number,
    max = min,
  ): SecurityRule[] =>
    prefixes.map((prefix) => ({
      name: `${name}-${prefix.replaceAll(/[./]/g, "-")}`,
      protocol,
      ports: { min, max },
      remoteIpPrefix: prefix,
    }));
  return {
    node: [
      { name: "nodes", remoteIpPrefix: nodeNetwork },
      ...(routingOf(network).podsOnPorts ? [{ name: "pods", remoteIpPrefix: cluster.podNetwork }] : []),
      { name: "icmp", protocol: "icmp", remoteIpPrefix: "0.0.0.0/0" },
      ...from("ssh", access.ssh, "tcp", 22),
      ...from("docker", access.docker, "tcp", dockerPort),
      ...from("node-ports-tcp", access.nodePorts, "tcp", nodePorts.min, nodePorts.max),
      ...from("node-ports-udp", access.nodePorts, "udp", nodePorts.min, nodePorts.max),
    ],
    "control-plane": from("api", access.api, "tcp", cluster.apiPort),
  };
}
