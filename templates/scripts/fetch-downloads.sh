#!/usr/bin/env bash
# Fetches what a list of downloads names and this machine does not have, checks it, and leaves installing it to
# converge.sh. What was fetched before is checked again, since a power failure may have left only its beginning. A proxy is
# in the environment, by converge.sh and update.sh.
# Argument: the list; its lines: SHA-256, address, and either a program's path or a folder and the members to unpack there.
set -euo pipefail
umask 022

state=/var/lib/openstack-kubernetes

# in_place SUM TARGET MEMBERS: whether this is installed. The mark alone would outlive a file that was lost.
in_place() {
  local member
  [ "$(cat "$state/installed/${2//\//-}" 2>/dev/null)" = "$1" ] || return 1
  for member in ${3//,/ }; do [ -s "$2/$member" ] || return 1; done
  [ -s "$2" ]
}

right() { echo "$1  $2" | sha256sum --check --status; }

file=
trap 'rm -f "$file"' EXIT
mkdir -p $state/fetched $state/installed
while read -r sum url target members; do
  fetched=$state/fetched/$sum
  if in_place "$sum" "$target" "$members"; then
    rm -f "$fetched"
    continue
  fi
  if [ -e "$fetched" ] && right "$sum" "$fetched"; then continue; fi
  file=$(mktemp $state/fetched/.XXXXXX)
  curl -sS -L --fail --retry 8 --retry-all-errors --retry-max-time 600 --connect-timeout 15 -o "$file" "$url"
  if ! right "$sum" "$file"; then
    echo "checksum of $url differs: expected $sum, got $(sha256sum <"$file" | cut -d ' ' -f 1)"
    exit 1
  fi
  mv "$file" "$fetched"
done <"$1"
