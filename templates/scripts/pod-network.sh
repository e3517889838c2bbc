#!/usr/bin/env bash
# Kernel settings and packet rules of the pod network; run at boot and when they changed.
set -euo pipefail

# In a container the host has the module already, so only its settings count.
modprobe br_netfilter 2>/dev/null || [ -e /proc/sys/net/bridge ] || {
  echo "the kernel has no br_netfilter: services would not answer pods of their own node" >&2
  exit 1
}
sysctl -q -p /etc/openstack-kubernetes/sysctl.conf
nft -f /etc/openstack-kubernetes/pod-network.nft
