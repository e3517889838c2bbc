import { file, type Files } from "../bundle.ts";
import type { ClusterBase, NodeBase } from "../plan.ts";
import { template } from "../templates.ts";
import { dockerRange } from "./pod-network.ts";

/** Port of Docker Engine over TLS. */
export const dockerPort = 2376;

/** Docker Engine on cbr0, over TLS with client certificates. */
export function dockerFiles({ settings }: ClusterBase, node: NodeBase): Files {
  const daemon = {
    bridge: "cbr0",
    "fixed-cidr": dockerRange(node.podNetwork),
    // The pod network has rules of its own; Docker's would drop routed pod traffic.
    iptables: false,
    ip6tables: false,
    "ip-masq": false,
    hosts: ["fd://", `tcp://${node.address}:${dockerPort}`],
    tlsverify: true,
    tlscacert: "/etc/docker/tls/ca.pem",
    tlscert: "/etc/docker/tls/server-cert.pem",
    tlskey: "/etc/docker/tls/server-key.pem",
    "exec-opts": ["native.cgroupdriver=systemd"],
    "log-driver": "json-file",
    "log-opts": { "max-size": "10m", "max-file": "3" },
    "live-restore": true,
    ...(settings.images.plainHttp ? { "insecure-registries": [settings.images.registry.split("/")[0]] } : {}),
  };
  return {
    "/etc/docker/daemon.json": file(`${JSON.stringify(daemon, null, 2)}\n`),
    "/etc/systemd/system/docker.service.d/openstack-kubernetes.conf": file(template("units/docker.conf")),
    "/etc/openstack-kubernetes/with-mtu/etc/systemd/system/docker.service.d/mtu.conf": file(
      "[Service]\nEnvironment=CONTAINER_MTU=@MTU@\n",
    ),
  };
}
