#!/usr/bin/env bash
# Moves a node's pods away, as their disruption budgets allow; where forced, also against these. Argument: the node's name.
# Does nothing for a dead node, which would never confirm that a pod ended, nor for one that is alone.
set -euo pipefail

name=$1
log=/var/log/openstack-kubernetes.log
# shellcheck source=/dev/null
. /etc/openstack-kubernetes/rollout.env

kube() { kubectl --kubeconfig /etc/kubernetes/super-admin.conf "$@" 2>>"$log"; }

fail() {
  echo "$*" >&2
  exit 1
}

ready=$(kube --request-timeout 30s get node "$name" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') ||
  fail "the API does not answer"
if [ "$ready" != True ]; then
  echo "node $name does not answer, so its pods are not moved"
  exit 0
fi
nodes=$(kube --request-timeout 30s get nodes -o name) || fail "the API does not answer"
[ "$(wc -l <<<"$nodes")" -gt 1 ] || exit 0

# Before all know of an API that was away (rollout.sh), a kube-proxy may go on sending to pods that are gone.
known=$(cat /run/openstack-kubernetes.api-known 2>/dev/null || echo 0)
[ "$EPOCHSECONDS" -ge "$known" ] || sleep $((known - EPOCHSECONDS))

force=()
[ "$FORCE_DRAIN" != true ] || force=(--disable-eviction)
output=$(kubectl --kubeconfig /etc/kubernetes/super-admin.conf drain "$name" --ignore-daemonsets --delete-emptydir-data --force \
  --timeout "${DRAIN_SECONDS}s" "${force[@]}" 2>&1) && drained=true || drained=false
echo "$output" >>"$log"
[ "$drained" = false ] || exit 0
fail "its pods did not leave within $DRAIN_SECONDS s: $(grep -i '^error' <<<"$output" | tail -n 1); make room for them, or set openstack-kubernetes:rollout.forceDrain"
