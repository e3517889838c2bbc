#!/usr/bin/env bash
# Waits until the cluster works, and says by name what does not. Standard input: a line per node with its
# name, role, pod network, the pod network's first address and a digest of its files, which only its sender needs.
# Argument: for how many seconds to wait, 900 by default.
set -euo pipefail

# shellcheck source=/dev/null
. /etc/openstack-kubernetes/node.env
log=/var/log/openstack-kubernetes.log
nodes=$(cat)
count=$(wc -l <<<"$nodes")
end=$((SECONDS + ${1:-900}))

kube() { kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 15s "$@" 2>>"$log"; }

fail() {
  echo "cluster not ready: $*" >&2
  exit 1
}

# wait_for MESSAGE COMMAND…: repeats a command until it succeeds, or fails with the message.
wait_for() {
  local message=$1
  shift
  until "$@" >>"$log"; do
    [ "$SECONDS" -lt "$end" ] || fail "$message"
    sleep 0.5
  done
}

registered() { kube get node "$1" -o name; }
is_ready() { [ "$(kube get node "$1" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]; }
# A pod with an address of the source network gets an answer from the far node's bridge: the route, the
# allowed address pairs and the security groups of both nodes work, or flannel on both.
reaches() { ping -q -c 1 -W 2 -I "$POD_GATEWAY" "$1"; }

# The resolver's own query, with the cluster's DNS in place of the machine's.
resolves() {
  # shellcheck disable=SC2016 # the inner bash expands it
  unshare --mount bash -c '
    mount --bind /etc/openstack-kubernetes/cluster-resolv.conf /etc/resolv.conf
    timeout 10 getent -s dns ahostsv4 "$1"' resolves "kubernetes.default.svc.$CLUSTER_DOMAIN"
}

# The cache on each node, where the settings have one.
cache_runs() {
  local ready
  ready=$(kube -n kube-system get daemonset node-local-dns --ignore-not-found -o 'jsonpath={.status.numberReady}') &&
    [ "${ready:-$count}" -ge "$count" ]
}

# give_pod_network NODE POD-NETWORK
give_pod_network() {
  local there
  there=$(kube get node "$1" -o 'jsonpath={.spec.podCIDR}') || return 1
  [ "$there" != "$2" ] || return 0
  [ -z "$there" ] || fail "node $1 has another pod network than $2, which Kubernetes never changes; replace the node"
  kube patch node "$1" --type merge -p "{\"spec\":{\"podCIDR\":\"$2\",\"podCIDRs\":[\"$2\"]}}"
}

check_node() {
  local name=$1 role=$2 pod_network=$3 gateway=$4
  local routes="check the router's route to $pod_network and the port's allowed address pair"
  [ -z "${FLANNEL_BACKEND:-}" ] || routes="see 'journalctl -u flanneld' on $name and $NODE_NAME"
  wait_for "node $name did not register; see 'journalctl -u kubelet' on $name" registered "$name"
  wait_for "node $name could not be given its pod network $pod_network; see $log on $NODE_NAME" \
    give_pod_network "$name" "$pod_network"
  # A kubelet may not give itself a role label (NodeRestriction).
  wait_for "node $name could not be labelled with its role $role" \
    kube label --overwrite node "$name" "node-role.kubernetes.io/$role="
  wait_for "node $name is not Ready; see 'journalctl -u kubelet' on $name" is_ready "$name"
  [ "$name" != "$NODE_NAME" ] || return 0
  wait_for "pods do not reach node $name: $routes" reaches "$gateway"
}

# Eight nodes at a time, so that a large cluster neither takes long nor fills this machine with kubectl; every
# node that is not ready is named.
checks=()
failed=0
while read -r name role pod_network gateway _; do
  check_node "$name" "$role" "$pod_network" "$gateway" &
  checks+=($!)
  [ "${#checks[@]}" -ge 8 ] || continue
  wait "${checks[0]}" || failed=1
  checks=("${checks[@]:1}")
done <<<"$nodes"
for check in "${checks[@]}"; do wait "$check" || failed=1; done
[ "$failed" -eq 0 ] || exit 1

wait_for "the cluster's DNS does not answer; see 'kubectl -n kube-system get pods -l k8s-app=kube-dns'" resolves
wait_for "the DNS cache does not run on every node; see 'kubectl -n kube-system get pods -o wide -l k8s-app=node-local-dns'" cache_runs
echo "$count nodes ready"
