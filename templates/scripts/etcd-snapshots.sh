#!/usr/bin/env bash
# Takes a snapshot of etcd, or brings etcd back to one. Arguments:
#   take                         prints the new snapshot's path; the oldest go when there are too many
#   restore FROM NAME=INSTANCE…  FROM is `latest`, this machine's newest, or `-`, one on standard input. Then all nodes
#                                of the stack: where a machine was made anew since, its old Node object goes, so that
#                                its kubelet can make its own. Returns when the API answers.
set -euo pipefail
umask 077

# shellcheck source=/dev/null
. /etc/openstack-kubernetes/node.env
# shellcheck source=/dev/null
. /etc/openstack-kubernetes/etcd.env
data=/var/lib/etcd
snapshots=/var/lib/openstack-kubernetes/etcd-snapshots
certificates=$CERTIFICATE_FOLDER/etcd
log=/var/log/openstack-kubernetes.log

# 4 is for the caller, 3 for what is wrong.
exec 4>&1 3>&2 >>"$log" 2>&1
exec 9>/run/openstack-kubernetes.etcd.lock
flock 9
echo "$(date -u +%FT%TZ) etcd: $*"
mkdir -p "$snapshots" "$data"

fail() {
  echo "$NODE_NAME: $*; see $log there" >&3
  exit 1
}

# until_done SECONDS COMMAND…: repeats a command until it succeeds.
until_done() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.5
  done
}

# in_etcd_image PROGRAM…: runs a program of etcd's image, which sees etcd's folders where the machine has them. One that
# a killed run has left goes first.
in_etcd_image() {
  local name=etcd-tool folder mounts=()
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    for folder in "$data" "$snapshots" "$certificates"; do mounts+=(--volume "$folder:$folder"); done
    docker rm --force $name || true
    docker run --rm --name $name --network host "${mounts[@]}" "$ETCD_IMAGE" "$@"
  else
    for folder in "$data" "$snapshots" "$certificates"; do
      mounts+=(--mount "type=bind,src=$folder,dst=$folder,options=rbind:rw")
    done
    ctr --namespace k8s.io tasks delete --force $name || true
    ctr --namespace k8s.io containers delete $name || true
    ctr --namespace k8s.io run --rm --net-host "${mounts[@]}" "$ETCD_IMAGE" $name "$@"
  fi
}

all_snapshots() { find "$snapshots" -name 'etcd-*.db' | sort; }

take() {
  local new=$snapshots/.new snapshot
  rm -f "$new"*
  in_etcd_image etcdctl --endpoints=https://127.0.0.1:2379 --cacert="$certificates/ca.crt" \
    --cert="$certificates/healthcheck-client.crt" --key="$certificates/healthcheck-client.key" \
    snapshot save "$new" || fail "no snapshot of etcd could be taken"
  in_etcd_image etcdutl snapshot status "$new" || fail "the snapshot of etcd is broken"
  snapshot=$snapshots/etcd-$(date -u +%Y%m%dT%H%M%SZ).db
  chmod 600 "$new"
  mv -f "$new" "$snapshot"
  all_snapshots | head -n "-$SNAPSHOTS_KEPT" | while read -r old; do rm -f "$old"; done
  echo "$snapshot" >&4
}

control_plane=(kube-apiserver kube-controller-manager kube-scheduler etcd)

# running PART: the containers of a part of the control plane; fails where the container runtime does not answer.
running() {
  if [ "$CONTAINER_RUNTIME" = docker ]; then
    docker ps --quiet --filter label=io.kubernetes.docker.type=container \
      --filter label=io.kubernetes.pod.namespace=kube-system --filter "label=io.kubernetes.container.name=$1"
  else
    local of='labels."io.kubernetes.pod.namespace"==kube-system,labels."io.kubernetes.container.name"' containers tasks
    containers=$(ctr --namespace k8s.io containers list --quiet "$of==$1") || return 1
    tasks=$(ctr --namespace k8s.io tasks list) || return 1
    comm -12 <(sort <<<"$containers") <(awk '$3 == "RUNNING" { print $1 }' <<<"$tasks" | sort)
  fi
}

signal_all() {
  local part container
  for part in "${control_plane[@]}"; do
    for container in $(running "$part"); do
      if [ "$CONTAINER_RUNTIME" = docker ]; then
        docker kill --signal "$1" "$container"
      else
        ctr --namespace k8s.io tasks kill --signal "$1" "$container"
      fi || true
    done
  done
}

all_stopped() {
  local part containers
  for part in "${control_plane[@]}"; do
    containers=$(running "$part") || return 1
    [ -z "$containers" ] || return 1
  done
  # A program may outlive its container. By the beginning of its command line, as this script's own names etcd too.
  ! pgrep --full "^(etcd|kube-apiserver) .*=$CERTIFICATE_FOLDER/"
}

# Without the kubelet nobody starts the control plane again.
stop_control_plane() {
  systemctl stop kubelet.service
  signal_all TERM
  until_done 60 all_stopped || signal_all KILL
  until_done 30 all_stopped || fail "the control plane does not stop, or $CONTAINER_RUNTIME does not answer"
}

kube() { kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 30s "$@"; }

restore() {
  local from=$1 source restored=$data/restored peer=https://$NODE_ADDRESS:2380 node name instance
  shift
  if [ "$from" = latest ]; then
    source=$(all_snapshots | tail -n 1)
    [ -n "$source" ] || fail "there is no snapshot of etcd on this machine"
  else
    source=$snapshots/.received
    trap 'rm -f "$snapshots/.received"' EXIT
    cat >"$source"
  fi
  # A snapshot that is broken stops nothing. Revisions go on beyond all that any client can have seen, so that its
  # watches begin anew (https://etcd.io/docs/v3.6/op-guide/recovery/).
  rm -rf "$restored"
  in_etcd_image etcdutl snapshot restore "$source" --data-dir "$restored" --name "$NODE_NAME" \
    --initial-cluster "$NODE_NAME=$peer" --initial-advertise-peer-urls "$peer" \
    --bump-revision 1000000000 --mark-compacted || fail "the snapshot cannot be restored"
  rm -f "$snapshots/.received"

  trap 'systemctl start kubelet.service' EXIT
  stop_control_plane
  rm -rf "$data/before-restore"
  [ ! -e "$data/member" ] || mv "$data/member" "$data/before-restore"
  mv "$restored/member" "$data/member"
  rm -rf "$restored"
  systemctl start kubelet.service
  trap - EXIT
  until_done 600 kube get --raw /readyz || fail "the API does not answer; see 'journalctl -u kubelet'"

  for node in "$@"; do
    name=${node%%=*}
    instance=$(kube get node "$name" --ignore-not-found -o 'jsonpath={.spec.providerID}')
    case $instance in
      "" | "openstack:///${node#*=}") ;;
      *) kube delete node "$name" ;;
    esac
  done
  kube get nodes -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}' | while read -r name; do
    [[ " $* " == *" $name="* ]] || echo "$name" >&4
  done
}

case $1 in
  take) take ;;
  restore) restore "${@:2}" ;;
esac
