# Says what on this machine is not as the stack has left it. Standard input: `file MODE SHA256 PATH` and `unit NAME`, a
# line each. Prints a line for each difference, its kind first, and on a control-plane node `node NAME STATUS` for each
# Node object, where STATUS is that of its condition Ready.
set -euo pipefail

check_file() {
  local mode=$1 sum=$2 path=$3
  if [ ! -e "$path" ]; then
    echo "missing $path"
  elif [ "$(sha256sum <"$path" | cut -d ' ' -f 1)" != "$sum" ]; then
    echo "changed $path"
  elif [ "0$(stat -c %a "$path")" != "$mode" ]; then
    echo "mode $path"
  fi
}

check_unit() {
  systemctl -q is-active "$1" || echo "stopped $1"
  if [[ $1 == *.timer ]] && systemctl -q is-failed "${1%.timer}.service"; then echo "failed ${1%.timer}.service"; fi
}

while read -r kind rest; do
  # shellcheck disable=SC2086 # no part of a line has blanks
  "check_$kind" $rest
done

# Files that converge.sh makes of those below with-mtu/.
made=/etc/openstack-kubernetes/with-mtu
mtu=$(cat /sys/class/net/cbr0/mtu 2>/dev/null || true)
find $made -type f 2>/dev/null | while read -r source; do
  sed "s/@MTU@/$mtu/g" "$source" | cmp -s - "${source#"$made"}" || echo "changed ${source#"$made"}"
done

[ -e /etc/kubernetes/super-admin.conf ] || exit 0
kubectl --kubeconfig /etc/kubernetes/super-admin.conf --request-timeout 15s get nodes -o \
  'jsonpath={range .items[*]}node {.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}' \
  2>/dev/null || echo "silent API"
