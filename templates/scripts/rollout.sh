#!/usr/bin/env bash
# Has a node put its staged files to use, on a control-plane node: cordons and drains it where its pods would notice,
# applies, waits until it is Ready, uncordons it. Where nothing waits there it does nothing.
# Argument: the node's name. Standard input: model/commands.ts, rolloutInput.
set -euo pipefail
umask 077

name=$1
log=/var/log/openstack-kubernetes.log
lib=/usr/local/lib/openstack-kubernetes
mark=openstack-kubernetes/updating
# shellcheck source=/dev/null
. /etc/openstack-kubernetes/node.env
read -r address login _ _
read -r host_key

exec 9>"/run/openstack-kubernetes.rollout.$name.lock"
flock 9
hosts=$(mktemp)
trap 'rm -f "$hosts"' EXIT
echo "$address $host_key" >"$hosts"

kube() { kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 30s "$@" 2>>"$log"; }

fail() {
  echo "updating node $name: $*; the nodes after it are left as they are, and the next run goes on with it" >&2
  exit 1
}

on_node() {
  if [ "$name" = "$NODE_NAME" ]; then
    $lib/update.sh "$1"
  else
    ssh -F none -i /etc/openstack-kubernetes/update.key -o IdentitiesOnly=yes -o BatchMode=yes \
      -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$hosts" -o GlobalKnownHostsFile=none -o HostKeyAlgorithms=ssh-ed25519 \
      -o ConnectTimeout=15 -o ConnectionAttempts=4 -o ServerAliveInterval=15 -o ServerAliveCountMax=8 \
      "$login@$address" "$1" </dev/null
  fi
}

# Another one as soon as the API server was started anew.
api_server() { pgrep -ox kube-apiserver || true; }
api_answers() { kube get --raw /readyz >/dev/null; }
field() { kube get node "$name" --ignore-not-found -o "jsonpath={$1}"; }
marked() { field ".metadata.annotations.${mark//./\\.}"; }
renewed() { kube -n kube-node-lease get lease "$name" --ignore-not-found -o 'jsonpath={.spec.renewTime}'; }
lease_known() { api_answers && lease=$(renewed); }
# A kubelet that was restarted has said so when it renews its lease; what was said before is no news.
is_ready() {
  local now
  now=$(renewed) && [ -n "$now" ] && [ "$now" != "$lease" ] &&
    [ "$(field '.status.conditions[?(@.type=="Ready")].status')" = True ]
}

cordon() {
  local cordoned
  cordoned=$(field .spec.unschedulable) || return 1
  # Who cordoned it himself finds it cordoned after the update.
  [ -z "$cordoned" ] || return 0
  kube annotate node "$name" "$mark=true" --overwrite >>"$log" && kube cordon "$name" >>"$log"
}

uncordon() {
  local ours
  ours=$(marked) || return 1
  [ -z "$ours" ] || { kube uncordon "$name" && kube annotate node "$name" "$mark-"; } >>"$log"
}

# wait_for SECONDS COMMAND…: repeats a command until it succeeds.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.5
  done
}

# Changes the Node as lines say such as "label KEY=VALUE" and "no-taint KEY:EFFECT".
register() {
  local there what entry labels=() taints=()
  there=$(field 'range .spec.taints[*]}{.key}:{.effect}{"\n"}{end') || return 1
  while read -r what entry; do
    case $what in
      label) labels+=("$entry") ;;
      no-label) labels+=("$entry-") ;;
      taint) taints+=("$entry") ;;
      # To kubectl one that is not there would be a mistake.
      no-taint) if grep -qxF "$entry" <<<"$there"; then taints+=("$entry-"); fi ;;
    esac
  done
  [ "${#labels[@]}" -eq 0 ] || kube label node "$name" --overwrite "${labels[@]}" >>"$log" || return 1
  [ "${#taints[@]}" -eq 0 ] || kube taint node "$name" --overwrite "${taints[@]}" >>"$log"
}

server_before=$(api_server)
pending=$(on_node pending) || fail "it cannot be asked what waits there; see $log on $NODE_NAME"
registration=
[ -z "$pending" ] || registration=$(on_node registration) || fail "it cannot be asked about its Node; see $log on $NODE_NAME"
# A control plane whose API is dead is mended by what waits for it; for any other node the API has to be there.
if ! wait_for 60 api_answers; then
  [ "$name" = "$NODE_NAME" ] || fail "the API does not answer; see 'journalctl -u kubelet' on $NODE_NAME"
  [ -z "$pending" ] || on_node apply || fail "it failed"
  wait_for 300 api_answers || fail "the API does not answer; see 'journalctl -u kubelet' on $NODE_NAME"
  pending=
fi
if [ -n "$registration" ]; then
  register <<<"$registration" || fail "its labels and taints could not be changed; see $log on $NODE_NAME"
  # Where that is not noted, as by an update.sh of an earlier version, the next run does it again.
  on_node registered >>"$log" 2>&1 || true
fi
ours=$(marked) || fail "the API does not tell whether an update cordoned it; see $log on $NODE_NAME"
[ -n "$pending$ours" ] || exit 0

start=$SECONDS
if [ "$pending" = drain ]; then
  cordon || fail "it could not be cordoned; see $log on $NODE_NAME"
  if ! trouble=$($lib/drain-node.sh "$name" 2>&1); then
    uncordon || true
    fail "$trouble"
  fi
  [ -z "$trouble" ] || echo "$trouble"
fi
drained=$SECONDS
[ -z "$pending" ] || on_node apply || fail "it failed"
wait_for 300 lease_known || fail "the API does not answer; see 'journalctl -u kubelet' on $NODE_NAME"
wait_for 300 is_ready || fail "it is not Ready; see 'journalctl -u kubelet' on $name"
uncordon || fail "it could not be uncordoned; see $log on $NODE_NAME"
away=$((SECONDS - drained))
echo "$name: drained in $((drained - start)) s, away for $away s more"
# Who lost the API asks again after up to twice the time that it was away, and after a minute at most (client-go,
# tools/cache/reflector.go); drain-node.sh waits for that.
[ "$(api_server)" = "$server_before" ] ||
  echo $((EPOCHSECONDS + (away < 29 ? 2 * away + 2 : 60))) >/run/openstack-kubernetes.api-known
