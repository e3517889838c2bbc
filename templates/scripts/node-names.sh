#!/usr/bin/env bash
# Keeps the names of all nodes in /etc/hosts and, where there is a proxy, the proxy in /etc/environment, with the nodes
# among what is called without it. Every machine asks the API for the names, so that a node more changes no file that
# is sent to another.
set -euo pipefail
umask 022

proxy=/etc/openstack-kubernetes/proxy.env
begin="# openstack-kubernetes begins"
end="# openstack-kubernetes ends"
# shellcheck source=/dev/null
. /etc/openstack-kubernetes/node.env
certificate=$CERTIFICATE_FOLDER/kube-proxy

# A line per node, its address and its name. kube-proxy may list nodes, a kubelet may not. What a node says of itself
# is no more than an address.
names_of_api() {
  local api
  api=$(awk '$1 == "server:" { print $2 }' /etc/kubernetes/kube-proxy.conf)
  curl -sS --fail --noproxy '*' --max-time 10 --cacert "$CERTIFICATE_FOLDER/ca.crt" --cert "$certificate.crt" --key "$certificate.key" \
    -H "Accept: application/json;as=Table;v=v1;g=meta.k8s.io" \
    "$api/api/v1/nodes?resourceVersion=0&includeObject=None" |
    python3 -c '
import ipaddress, json, sys
table = json.load(sys.stdin)
columns = [column["name"] for column in table["columnDefinitions"]]
for row in table["rows"]:
    node = dict(zip(columns, row["cells"]))
    try:
        print(ipaddress.ip_address(node["Internal-IP"]), node["Name"])
    except ValueError:
        pass'
}

# The lines of a file that are ours (1) or not (0), without the marks.
lines_of() {
  awk -v ours="$1" -v inside=0 -v begin="$begin" -v end="$end" '
    $0 == begin { inside = 1; next }
    $0 == end { inside = 0; next }
    inside == ours' "$2"
}

# write_block FILE: standard input is what is ours of a file; where that is nothing, the marks go too.
write_block() {
  local file=$1 new=$1.openstack-kubernetes block
  block=$(cat)
  {
    lines_of 0 "$file"
    [ -z "$block" ] || printf '%s\n' "$begin" "$block" "$end"
  } >"$new"
  if cmp -s "$new" "$file"; then rm "$new"; else mv "$new" "$file"; fi
}

exec 9>/run/openstack-kubernetes.names.lock
flock 9
# While the API does not answer, the names are those of its last answer.
if [ -e "$certificate.crt" ] && names=$(names_of_api); then write_block /etc/hosts <<<"$names"; fi

if [ -e $proxy ]; then
  touch /etc/environment
  names=$(lines_of 1 /etc/hosts | awk '{ printf ",%s", $2 }')
  sed "/^no_proxy=/Is/\$/$names/" $proxy | write_block /etc/environment
elif [ -e /etc/environment ]; then
  write_block /etc/environment </dev/null
fi
