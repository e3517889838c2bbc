#!/usr/bin/env bash
# Brings this machine to what its files say, by the steps of its phase and role: pod network, packages, downloads,
# container runtime, kubelet, kube-proxy, flannel where it routes and, on a control-plane node, the API. Safe to run at
# any time; only what changed is restarted.
set -euo pipefail
shopt -s nullglob
umask 022

log=/var/log/openstack-kubernetes.log
state=/var/lib/openstack-kubernetes
etc=/etc/openstack-kubernetes
lib=/usr/local/lib/openstack-kubernetes
# When each step of the last run began, and what it restarted; that of a run at work ends in .new.
record=$state/converged
sshd_settings=/etc/ssh/sshd_config.d/50-openstack-kubernetes.conf
# shellcheck source=/dev/null
. $etc/node.env
if [ -e $etc/proxy.env ]; then
  set -a
  # shellcheck source=/dev/null
  . $etc/proxy.env
  set +a
fi

exec 3>&2 >>"$log" 2>&1
exec 9>/run/openstack-kubernetes.lock
flock 9
mkdir -p $state
: >$record.new

step=start
trap 'failed $?' EXIT
failed() {
  [ "$1" -ne 0 ] || return 0
  {
    echo "$NODE_NAME: $step failed; the end of $log there:"
    tail -n 20 "$log"
  } >&3
}

begin() {
  step=${1//_/ }
  echo "$(date -u +%FT%TZ) $step"
  echo "$EPOCHREALTIME $step" >>$record.new
}

# until_done SECONDS COMMAND…: repeats a command until it succeeds.
until_done() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "gave up waiting for: $*"
      return 1
    fi
    sleep 0.2
  done
}

# Files below with-mtu/ are copied to the same path below / with the MTU of the node's interface, which only
# the node knows, less the bytes that a packet grows by on its way to another node.
write_files_with_mtu() {
  local interface mtu source target
  interface=$(ip -o -4 address show to "$NODE_ADDRESS" | awk '{ print $2; exit }')
  if [ -z "$interface" ]; then
    echo "no interface has the address $NODE_ADDRESS"
    return 1
  fi
  mtu=$(($(cat "/sys/class/net/$interface/mtu") - ${ROUTING_OVERHEAD:-0}))
  find "$etc/with-mtu" -type f | while read -r source; do
    target=${source#"$etc/with-mtu"}
    mkdir -p "${target%/*}"
    sed "s/@MTU@/$mtu/g" "$source" >"${target%/*}/.${target##*/}.new"
    mv -f "${target%/*}/.${target##*/}.new" "$target"
  done
}

bridge_ready() { ip -o -4 address show dev cbr0 2>/dev/null | grep -qF " $POD_GATEWAY/"; }

bring_up_bridge() {
  systemctl enable --now systemd-networkd
  networkctl reload
  until_done 60 bridge_ready
  # A bridge that was there before keeps its MTU.
  ip link set dev cbr0 mtu "$(sed -n 's/^MTUBytes=//p' /etc/systemd/network/70-cbr0.netdev)"
}

runtime_units=(containerd.service docker.service docker.socket)

# wait_for_lock FILE: waits for another's lock, such as that of the distribution's own timers after a boot, since neither
# "dpkg --configure" nor "apt-get update" does. After the limit these fail and say who has it.
wait_for_lock() {
  [ -e "$1" ] || return 0
  timeout 600 python3 -c 'import fcntl, sys; fcntl.lockf(open(sys.argv[1], "a"), fcntl.LOCK_EX)' "$1" ||
    echo "waited for $1 in vain: end what has it, or wait for it, then run pulumi up again"
}

install_packages() {
  local wanted missing=()
  while read -r wanted; do
    dpkg-query -W -f '${db:Status-Status}' "$wanted" 2>/dev/null | grep -qx installed || missing+=("$wanted")
  done <$etc/packages
  [ "${#missing[@]}" -gt 0 ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5
    -o Dpkg::Options::=--force-confold -o APT::Install-Recommends=false)
  wait_for_lock /var/lib/dpkg/lock-frontend
  # An installation that was cut off leaves packages half configured.
  dpkg --configure -a --force-confold
  wait_for_lock /var/lib/apt/lists/lock
  "${apt[@]}" update
  # Packages start their services; of a first installation they would start twice.
  systemctl -q is-active docker.service || systemctl -q --runtime mask "${runtime_units[@]}"
  "${apt[@]}" install "${missing[@]}"
}

# Lines of the list: SHA-256, address, and either a program's path or a folder and the members to unpack there. What is
# fetched was checked just before (fetch-downloads.sh), and what is not is in place.
install_downloads() {
  local sum target members installed file
  [ -e $etc/downloads ] || return 0
  while read -r sum _ target members; do
    installed=$state/installed/${target//\//-}
    file=$state/fetched/$sum
    [ -e "$file" ] || continue
    mkdir -p "${target%/*}"
    if [ -n "$members" ]; then
      unpack "$file" "$target" "$members"
    else
      install -m 0755 "$file" "$target.new"
      mv -f "$target.new" "$target"
    fi
    echo "$sum" >"$installed"
    rm -f "$file"
  done <$etc/downloads
}

unpack() {
  local archive=$1 folder=$2 unpacked member
  unpacked=$(mktemp -d "$state/fetched/.XXXXXX")
  tar -C "$unpacked" -xzf "$archive"
  mkdir -p "$folder"
  for member in ${3//,/ }; do
    install -m 0755 "$(find "$unpacked" -type f -name "$member" | head -n 1)" "$folder/$member.new"
    mv -f "$folder/$member.new" "$folder/$member"
  done
  rm -rf "$unpacked"
}

# restart_if_changed UNIT FILE…: restarts a unit that is down or whose files are not those of its last start.
restart_if_changed() {
  local unit=$1 sum applied=$state/applied/$1
  shift
  mkdir -p $state/applied
  sum=$(cat -- "$@" | sha256sum)
  systemctl -q is-enabled "$unit" || systemctl enable "$unit"
  if systemctl -q is-active "$unit" && [ "$(cat "$applied" 2>/dev/null)" = "$sum" ]; then return 0; fi
  systemctl restart "$unit"
  echo "$EPOCHREALTIME + $unit" >>$record.new
  echo "$sum" >"$applied"
}

write_kubelet_drop_in() {
  local resolv=/etc/resolv.conf instance
  # CoreDNS would forward to itself through the stub of systemd-resolved.
  [ ! -e /run/systemd/resolve/resolv.conf ] || ! systemctl -q is-active systemd-resolved || resolv=/run/systemd/resolve/resolv.conf
  instance=$(cat /var/lib/cloud/data/instance-id)
  mkdir -p /etc/kubernetes/kubelet.conf.d
  cat >/etc/kubernetes/kubelet.conf.d/10-machine.conf <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
providerID: openstack:///$instance
resolvConf: $resolv
YAML
}

# end_if_older PROGRAM FILE…: ends the program of a static pod that began before one of its files was written, and the
# kubelet starts it anew. Certificates of their own such programs read again by themselves, but not these files.
end_if_older() {
  local pattern="^$1 .*=$CERTIFICATE_FOLDER/" written
  shift
  written=$(stat -c %Y -- "$@" | sort -n | tail -n 1)
  older pkill || return 0
  # With watches open an API server would take no connection for a minute before it ends.
  until_done 5 none_older || older pkill --signal KILL || true
  until_done 60 none_older
}
older() { "$@" --older "$(($(date +%s) - written))" --full "$pattern"; }
none_older() { ! older pgrep; }

# Ends flannel and takes away what it leaves: its device, and its routes into the network that it was for.
end_flannel() {
  # After a reboot there is no such service any more.
  systemctl stop flanneld.service || true
  rm -f /etc/systemd/system/multi-user.target.wants/flanneld.service
  ip link delete dev flannel.1 || true
  ip -4 route flush root "$1" proto boot
  rm $state/flannel
}

kubectl_admin() { kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 10s "$@"; }
# By curl, whose start costs a slow machine little.
api_live() {
  curl -s --fail --max-time 10 --noproxy '*' -o /dev/null --cacert "$CERTIFICATE_FOLDER/ca.crt" \
    --cert "$CERTIFICATE_FOLDER/super-admin.crt" --key "$CERTIFICATE_FOLDER/super-admin.key" "$API_SERVER/livez"
}
# The kubelet takes a moment to see that a static pod's manifest is new: what runs has to be younger.
runs_manifest() {
  local age written
  age=$(ps -o etimes= -C "$1" | sort -n | head -n 1)
  written=$(stat -c %Y "/etc/kubernetes/manifests/$1.yaml")
  [ -n "$age" ] && [ "$age" -le $(($(date +%s) - written)) ]
}
api_current() { runs_manifest etcd && runs_manifest kube-apiserver && api_live; }
apply_bootstrap() { kubectl_admin apply --server-side --force-conflicts -f /etc/kubernetes/bootstrap; }

# The steps that a list may have, each by its name there.

step_pod_network() {
  write_files_with_mtu
  bring_up_bridge
}

step_packages_and_downloads() {
  local downloads fetched=0
  # Without the lock and the caller's connection, which a download that outlives a failure would hold.
  { [ ! -e $etc/downloads ] || $lib/fetch-downloads.sh $etc/downloads; } 3>&- 9>&- >/run/openstack-kubernetes.downloads 2>&1 &
  downloads=$!
  install_packages
  # What a failed download says comes last in the log, not before pages of the package manager's.
  wait "$downloads" || fetched=$?
  cat /run/openstack-kubernetes.downloads
  [ "$fetched" -eq 0 ]
  install_downloads
}

step_pod_network_rules() {
  systemctl -q --runtime --no-reload unmask "${runtime_units[@]}"
  systemctl daemon-reload
  restart_if_changed pod-network.service $etc/sysctl.conf $etc/pod-network.nft $lib/pod-network.sh
}

step_containerd() {
  restart_if_changed containerd.service /etc/containerd/config.toml /etc/systemd/system/containerd.service.d/*
}

step_docker() {
  restart_if_changed docker.service /etc/docker/daemon.json /etc/docker/tls/* /etc/systemd/system/docker.service.d/*
}

step_clock() { restart_if_changed systemd-timesyncd.service /etc/systemd/timesyncd.conf.d/*; }

step_cri_dockerd() {
  restart_if_changed cri-dockerd.service /etc/systemd/system/cri-dockerd.service $etc/downloads $etc/node.env
}

# What it registers its node with is for its next start.
step_kubelet() {
  # Without the folder of static pods a kubelet says so once a second.
  mkdir -p /etc/kubernetes/manifests
  write_kubelet_drop_in
  # By these the kubelet registers its Node; for one that is there rollout.sh changes them.
  [ -e $state/registered.env ] || cp $etc/registration.env $state/registered.env
  restart_if_changed kubelet.service $etc/node.env $etc/downloads /etc/systemd/system/kubelet.service \
    /etc/systemd/system/kubelet.service.d/* /etc/kubernetes/kubelet.yaml /etc/kubernetes/kubelet.conf \
    /etc/kubernetes/kubelet.conf.d/10-machine.conf "$CERTIFICATE_FOLDER"/ca.crt "$CERTIFICATE_FOLDER"/kubelet.*
}

step_kube_proxy() {
  restart_if_changed kube-proxy.service $etc/downloads /etc/systemd/system/kube-proxy.service \
    /etc/kubernetes/kube-proxy.yaml /etc/kubernetes/kube-proxy.conf \
    "$CERTIFICATE_FOLDER"/ca.crt "$CERTIFICATE_FOLDER"/kube-proxy.*
}

step_pod_routes() {
  # The file says what flannel was last started with: its backend and its network.
  if [ -e $state/flannel ] && [ "$(cat $state/flannel)" != "${FLANNEL_BACKEND:-} ${FLANNEL_NETWORK:-}" ]; then
    end_flannel "$(cut -d ' ' -f 2 $state/flannel)"
  fi
  [ -n "${FLANNEL_BACKEND:-}" ] || return 0
  echo "$FLANNEL_BACKEND $FLANNEL_NETWORK" >$state/flannel
  restart_if_changed flanneld.service $etc/node.env $etc/downloads $etc/flannel.json /etc/systemd/system/flanneld.service \
    /etc/kubernetes/kubelet.conf "$CERTIFICATE_FOLDER"/ca.crt "$CERTIFICATE_FOLDER"/kubelet.*
}

step_kubernetes_api() {
  local pki=$CERTIFICATE_FOLDER
  end_if_older etcd "$pki/etcd/ca.crt"
  end_if_older kube-apiserver "$pki/ca.crt" "$pki/etcd/ca.crt" "$pki/sa.key" "$pki/sa.pub"
  end_if_older kube-controller-manager "$pki/ca.crt" "$pki/sa.key"
  end_if_older kube-scheduler "$pki/ca.crt"
  # On an emulated machine a busy API server takes more than ten minutes to come up.
  until_done 900 api_current
  until_done 60 apply_bootstrap
}

step_etcd_snapshots() {
  restart_if_changed etcd-snapshot.timer /etc/systemd/system/etcd-snapshot.timer /etc/systemd/system/etcd-snapshot.timer.d/*
}

step_node_names() {
  # The timer asks the API, which may be some time in coming.
  if [ -e /etc/systemd/system/node-names.timer ]; then
    systemctl enable --now node-names.timer
  else
    $lib/node-names.sh
  fi
}

# What lets a control-plane node have staged files put to use here (update.sh).
step_updates() {
  local sum
  sum=$(sha256sum <$sshd_settings)
  if [ "$(cat $state/applied/ssh 2>/dev/null)" = "$sum" ]; then return 0; fi
  systemctl try-reload-or-restart ssh.service
  echo "$sum" >$state/applied/ssh
}

# What the API answers to this machine's kubelet.
ask_api() {
  local api
  api=$(awk '$1 == "server:" { print $2 }' /etc/kubernetes/kubelet.conf)
  curl -s --fail --noproxy '*' --max-time 10 --cacert "$CERTIFICATE_FOLDER/ca.crt" --cert "$CERTIFICATE_FOLDER/kubelet.crt" \
    --key "$CERTIFICATE_FOLDER/kubelet.key" "$api$1"
}
node_ready() {
  ask_api "/api/v1/nodes/$NODE_NAME" | python3 -c '
import json, sys
conditions = json.load(sys.stdin)["status"]["conditions"]
sys.exit(all(c["status"] != "True" for c in conditions if c["type"] == "Ready"))'
}

# A node that comes to a cluster at work is there once it is Ready, and the next may go; in a cluster that comes up as a
# whole the API is not there yet, and ready.sh waits for all nodes.
step_node_ready() {
  ask_api /livez >/dev/null || return 0
  until_done 300 node_ready
}

mapfile -t steps <$etc/steps
for name in "${steps[@]}"; do
  begin "$name"
  "step_$name"
done
$lib/keys-digest.sh >$state/applied/keys
rm -f $state/unfinished
begin "converged"
mv $record.new $record
