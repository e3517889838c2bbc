#!/usr/bin/env bash
# Puts the staged files of a bundle into place, each by rename, and takes away those that an earlier bundle of the same
# name had. Argument: the bundle's name.
set -euo pipefail
umask 077

name=$1
state=/var/lib/openstack-kubernetes
staged=$state/staged.$name
list=$state/files.$name

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
  if [ -f "$list" ]; then
    comm -13 "$staged/paths" "$list" | while read -r path; do rm -f "$path"; done
  fi
  mv "$staged/paths" "$list"
  rm -rf "$staged"
fi
flock -u 9
