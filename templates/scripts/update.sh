#!/usr/bin/env bash
# Puts this machine's staged files to use, in steps. A control-plane node's rollout.sh calls it, elsewhere by the one SSH
# key that may run nothing else. Argument:
#   fetch         fetches what the staged files need, so that the node is away for less
#   pending       says what waits: nothing, "settings", which pods do not notice, or "drain", before which they have to leave
#   registration  says which labels and taints the Node gets (label KEY=VALUE) and loses (no-label KEY) by it
#   registered    notes that the Node has them
#   apply         puts it to use
set -euo pipefail
umask 077

log=/var/log/openstack-kubernetes.log
state=/var/lib/openstack-kubernetes
lib=/usr/local/lib/openstack-kubernetes
staged=$state/staged.files
# What an update that did not come to its end was about.
unfinished=$state/unfinished
registration=/etc/openstack-kubernetes/registration.env
# What the Node has of it: files that were put to use without the control plane change no Node that is there.
registered=$state/registered.env

fail() {
  echo "$(hostname): $*; see $log there" >&2
  exit 1
}

# Where the staged content of a file is; nothing where it is not staged.
staged_file() {
  local n
  n=$(awk -v path="$1" '$2 == path { print NR; exit }' "$staged/list" 2>/dev/null)
  [ -z "$n" ] || echo "$staged/$n"
}

pull_image() {
  if systemctl -q is-active cri-dockerd.service; then
    docker image inspect "$1" >/dev/null 2>&1 || docker pull -q "$1"
  else
    [ -n "$(ctr -n k8s.io images list -q "name==$1")" ] || ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d "$1"
  fi
}

# Nothing here is needed for the update itself, so a failure costs time at most.
fetch() {
  local downloads n path
  # "ctr" fetches by itself, and so needs the proxy that containerd has.
  if [ -e /etc/openstack-kubernetes/proxy.env ]; then
    set -a
    # shellcheck source=/dev/null
    . /etc/openstack-kubernetes/proxy.env
    set +a
  fi
  downloads=$(staged_file /etc/openstack-kubernetes/downloads)
  [ -z "$downloads" ] || $lib/fetch-downloads.sh "$downloads" || echo "downloads are left for the update"
  n=0
  while read -r _ path; do
    n=$((n + 1))
    [[ $path == /etc/kubernetes/manifests/* ]] || continue
    sed -n 's/^ *\(- \)\?image: //p' "$staged/$n" | while read -r image; do
      pull_image "$image" </dev/null || echo "image $image is left for the update"
    done
  done <"$staged/list"
}

changed_paths() {
  local n=0 mode path
  [ -d "$staged" ] || return 0
  while read -r mode path; do
    n=$((n + 1))
    if ! cmp -s "$staged/$n" "$path" || [ "0$(stat -c %a "$path")" != "$mode" ]; then echo "$path"; fi
  done <"$staged/list"
  cut -d ' ' -f 2 "$staged/list" | sort | comm -13 - $state/files.files
}

pending() {
  local path waits=
  [ ! -e $unfinished ] || waits=$(cat $unfinished)
  [ "$($lib/keys-digest.sh)" = "$(cat $state/applied/keys 2>/dev/null)" ] || waits=${waits:-settings}
  while read -r path; do
    case $path in
      # What names, clock, SSH, snapshots and the Node object are set by, and scripts, of which none runs for pods.
      /etc/openstack-kubernetes/rollout.env | /etc/openstack-kubernetes/cluster-resolv.conf | /etc/openstack-kubernetes/steps) ;;
      /etc/systemd/timesyncd.conf.d/* | /etc/systemd/system/node-names.* | /etc/ssh/* | /etc/apt/*) ;;
      /etc/openstack-kubernetes/etcd.env | /etc/systemd/system/etcd-snapshot.*) ;;
      /etc/openstack-kubernetes/registration.env | /etc/kubernetes/kubelet.conf.d/20-registration.conf) ;;
      /usr/local/lib/openstack-kubernetes/* | /etc/kubernetes/bootstrap/*) ;;
      *) waits=drain ;;
    esac
    waits=${waits:-settings}
  done < <(changed_paths)
  [ ! -e $registered ] || cmp -s $registered $registration || waits=${waits:-settings}
  [ -z "$waits" ] || echo "$waits"
}

# Entries of one list of registration.env, a line each, with what makes it another entry before it: a label's key, or a
# taint's key and effect.
entries() { sed -n "s/^$1=//p" "$2" | tr , '\n' | sed -n 's/^\([^=]*\)=[^:]*\(:[^:]*\)\?$/\1\2 &/p' | sort; }

registration() {
  local next was=$registered old new list of
  next=$(staged_file $registration)
  [ -e $was ] || was=$registration
  for of in label taint; do
    list=NODE_${of^^}S
    old=$(entries "$list" $was) new=$(entries "$list" "${next:-$registration}")
    comm -13 <(cut -d ' ' -f 1 <<<"$new") <(cut -d ' ' -f 1 <<<"$old") | sed -n "s/./no-$of &/p"
    comm -13 <(cat <<<"$old") <(cat <<<"$new") | sed -n "s/^[^ ]\+ /$of /p"
  done
}

apply() {
  pending >$unfinished.new
  mv $unfinished.new $unfinished
  # Keys are in place already, but for a run that ended just before.
  $lib/install-files.sh secrets
  $lib/install-files.sh files
  $lib/converge.sh
}

registered() {
  local next
  next=$(staged_file $registration)
  cp "${next:-$registration}" $registered.new
  mv $registered.new $registered
}

case ${1:-} in
  fetch)
    exec >>"$log" 2>&1
    fetch
    ;;
  pending) pending 2>>"$log" || fail "what waits to be updated could not be told" ;;
  registration) registration 2>>"$log" || fail "what changes for its Node could not be told" ;;
  registered) registered 2>>"$log" || fail "the labels and taints of its Node could not be noted" ;;
  apply) apply ;;
  *) fail "update.sh takes fetch, pending, registration, registered or apply" ;;
esac
