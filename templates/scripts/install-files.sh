#!/usr/bin/env bash
# Puts staged files into place, each by rename: keys and certificates ("secrets") or all others ("files"), after which
# goes what earlier ones had and neither has now. Argument: which of the two.
set -euo pipefail
umask 077

name=$1
state=/var/lib/openstack-kubernetes
staged=$state/staged.$name
list=$state/files.$name
# Paths that may be no more in use. Files on a node at work name keys of before until they are replaced themselves.
earlier=$state/earlier-files

exec 9>/run/openstack-kubernetes.files.lock
flock 9
if [ -d "$staged" ]; then
  n=0
  while read -r mode path; do
    n=$((n + 1))
    if cmp -s "$staged/$n" "$path" && [ "0$(stat -c %a "$path")" = "$mode" ]; then continue; fi
    (umask 022 && mkdir -p "${path%/*}")
    install -m "$mode" "$staged/$n" "${path%/*}/.${path##*/}.new"
    mv -f "${path%/*}/.${path##*/}.new" "$path"
  done <"$staged/list"

  cut -d ' ' -f 2 "$staged/list" | sort >"$staged/paths"
  [ ! -f "$list" ] || cat "$list" >>"$earlier"
  mv "$staged/paths" "$list"
  if [ "$name" = files ] && [ -f "$earlier" ]; then
    sort -u "$earlier" | comm -23 - <(sort -u $state/files.*) | while read -r path; do rm -f "$path"; done
    rm "$earlier"
  fi
  rm -rf "$staged"
fi
flock -u 9
