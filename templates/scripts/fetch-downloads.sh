#!/usr/bin/env bash
# Fetches what a list of downloads names and this machine does not have, checks it, and leaves installing it to
# converge.sh. Argument: the list; its lines: SHA-256, address, and either a program's path or a folder and the members
# to unpack there.
set -euo pipefail
umask 022

state=/var/lib/openstack-kubernetes
proxy=/etc/openstack-kubernetes/proxy.env
if [ -e $proxy ]; then
  set -a
  # shellcheck source=/dev/null
  . $proxy
  set +a
fi

mkdir -p $state/fetched $state/installed
while read -r sum url target _; do
  if [ "$(cat "$state/installed/${target//\//-}" 2>/dev/null)" = "$sum" ] || [ -e "$state/fetched/$sum" ]; then continue; fi
  file=$(mktemp $state/fetched/.XXXXXX)
  curl -sS -L --fail --retry 8 --retry-all-errors --retry-max-time 600 --connect-timeout 15 -o "$file" "$url"
  if ! echo "$sum  $file" | sha256sum --check --status; then
    echo "checksum of $url differs: expected $sum, got $(sha256sum <"$file" | cut -d ' ' -f 1)"
    rm -f "$file"
    exit 1
  fi
  mv "$file" "$state/fetched/$sum"
done <"$1"
