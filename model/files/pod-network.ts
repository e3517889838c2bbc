import { addressAt, parseNetwork, size } from "../addresses.ts";
import { file, type Files } from "../bundle.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { template } from "../templates.ts";

/** Where files wait for the MTU of the node's interface, `@MTU@`; converge.sh copies them to the path after this one. */
const withMtu = "/etc/openstack-kubernetes/with-mtu";

/** First address of a pod network that Docker's own containers get: its last quarter. Pods get the rest. */
export function dockerRange(podNetwork: string): string {
  const network = parseNetwork(podNetwork);
  return `${addressAt(network, (size(network) * 3) / 4)}/${network.prefix + 2}`;
}

/** How many addresses of a pod network its pods get: all but the network's own, the bridge's and Docker's. */
export function podAddresses(podNetwork: string): number {
  return (size(parseNetwork(podNetwork)) * 3) / 4 - 2;
}

/** The bridge cbr0, the CNI configuration on it, and the packet rules of the pod network. */
export function podNetworkFiles({ settings, routing }: ClusterBase, node: NodeBase): Files {
  const network = parseNetwork(node.podNetwork);
  return {
    [`${withMtu}/etc/systemd/network/70-cbr0.netdev`]: file(
      "[NetDev]\nName=cbr0\nKind=bridge\nMTUBytes=@MTU@\n",
    ),
    "/etc/systemd/network/70-cbr0.network": file(
      [
        "[Match]",
        "Name=cbr0",
        "",
        "[Network]",
        `Address=${node.podGateway}/${network.prefix}`,
        "LinkLocalAddressing=no",
        "IPv6AcceptRA=no",
        "ConfigureWithoutCarrier=yes",
        "",
        "[Link]",
        "RequiredForOnline=no",
        "",
      ].join("\n"),
    ),
    [`${withMtu}/etc/cni/net.d/10-cbr0.conflist`]: file(cniConfiguration(node)),
    "/etc/openstack-kubernetes/sysctl.conf": file(
      "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n",
    ),
    "/etc/openstack-kubernetes/pod-network.nft": file(
      packetRules(node.podNetwork, [
        settings.cluster.podNetwork,
        settings.cluster.serviceNetwork,
        // Only the router's routes lead from a machine that is no node back to a pod.
        ...(routing.byRouter ? [settings.network.nodeNetwork, ...settings.network.routedNetworks] : []),
      ]),
    ),
    "/etc/systemd/system/pod-network.service": file(template("units/pod-network.service")),
  };
}

/** https://www.cni.dev/plugins/current/main/bridge/ and https://www.cni.dev/plugins/current/ipam/host-local/ */
function cniConfiguration(node: NodeBase): string {
  const network = parseNetwork(node.podNetwork);
  const range = {
    subnet: node.podNetwork,
    rangeStart: addressAt(network, 2),
    rangeEnd: addressAt(network, 1 + podAddresses(node.podNetwork)),
  };
  const configuration = {
    cniVersion: "1.0.0",
    name: "cbr0",
    plugins: [
      {
        type: "bridge",
        bridge: "cbr0",
        isGateway: true,
        hairpinMode: true,
        ipMasq: false,
        mtu: "@MTU@",
        ipam: { type: "host-local", ranges: [[range]], routes: [{ dst: "0.0.0.0/0" }] },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
  // The MTU is a number once it is there.
  return `${JSON.stringify(configuration, null, 2).replace('"@MTU@"', "@MTU@")}\n`;
}

/** Masquerades what leaves the cluster, and keeps pods from the metadata service, which has the machine's user data. */
function packetRules(podNetwork: string, inside: string[]): string {
  return `#!/usr/sbin/nft -f
table ip openstack_kubernetes
delete table ip openstack_kubernetes

table ip openstack_kubernetes {
  set inside {
    type ipv4_addr
    flags interval
    elements = { ${inside.join(", ")} }
  }

  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${podNetwork} ip daddr != @inside masquerade
  }

  chain forward {
    type filter hook forward priority filter; policy accept;
    ip saddr ${podNetwork} ip daddr 169.254.169.254 reject
  }
}
`;
}
