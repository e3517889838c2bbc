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
cordoned=$(kube get node "$name" -o 'jsonpath={.spec.unschedulable}') || fail "the API does not answer"
if ! said=$(/usr/local/lib/openstack-kubernetes/drain-node.sh "$name" 2>&1); then
  # A node that stays takes pods again, but for one that somebody else cordoned.
  [ -n "$cordoned" ] || kube uncordon "$name" >>"$log" || said+="; it stays cordoned, so uncordon it"
  fail "$said"
fi
[ -z "$said" ] || echo "$said"
kube delete node "$name" --ignore-not-found >>"$log" || fail "its Node object could not be deleted"
