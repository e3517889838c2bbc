#!/usr/bin/env bash
# Takes a node out of the cluster: its pods move, then its Node object goes. Argument: the node's name.
set -euo pipefail

name=$1
log=/var/log/openstack-kubernetes.log

kube() { kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 30s "$@" 2>>"$log"; }

fail() {
  echo "removing node $name: $*; see $log on $(hostname)" >&2
  exit 1
}

found=$(kube get node "$name" --ignore-not-found -o name) || fail "the API does not answer"
[ -n "$found" ] || exit 0
# A dead machine never confirms that its pods ended, so draining it may fail and removing it may not.
kubectl --kubeconfig /etc/kubernetes/super-admin.conf drain "$name" --ignore-daemonsets --delete-emptydir-data \
  --force --grace-period 30 --skip-wait-for-delete-timeout 60 --timeout 300s >>"$log" 2>&1 ||
  echo "node $name could not be drained and is removed all the same; see $log"
kube delete node "$name" --ignore-not-found >>"$log" || fail "its Node object could not be deleted"
