# Puts the files of a bundle (model/bundle.ts) from standard input into place, each by rename, and takes
# away those that an earlier bundle of the same name had. Argument: the bundle's name.
set -euo pipefail
umask 077

name=$1
state=/var/lib/openstack-kubernetes
stage=$state/stage.$name
list=$state/files.$name

fail() {
  echo "$(hostname): installing the $name files failed: $*" >&2
  exit 1
}

# A machine that cloud-init still works on has no final packages, names or keys. Exit 2 means it is done,
# with warnings that are the image's own.
timeout 600 cloud-init status --wait >/dev/null 2>&1 || [ $? -eq 2 ] ||
  fail "cloud-init did not finish; see 'cloud-init status --long' there"

exec 9>/run/openstack-kubernetes.files.lock
flock 9
# A run that was killed leaves its files, keys among them.
rm -rf "$stage"
mkdir -p "$stage"
trap 'rm -rf "$stage"' EXIT

awk -v stage="$stage" '
  /^==> / { n++; out = stage "/" n; print $2, $3 > (stage "/list"); printf "" > out; next }
  { print > out }' ||
  fail "the bundle could not be read"
[ -s "$stage/list" ] || fail "nothing arrived on standard input"

n=0
while read -r mode path; do
  n=$((n + 1))
  if cmp -s "$stage/$n" "$path" && [ "0$(stat -c %a "$path")" = "$mode" ]; then continue; fi
  (umask 022 && mkdir -p "${path%/*}")
  install -m "$mode" "$stage/$n" "${path%/*}/.${path##*/}.new"
  mv -f "${path%/*}/.${path##*/}.new" "$path"
done <"$stage/list"

cut -d ' ' -f 2 "$stage/list" | sort >"$stage/paths"
if [ -f "$list" ]; then
  comm -13 "$stage/paths" "$list" | while read -r path; do rm -f "$path"; done
fi
mv "$stage/paths" "$list"
rm -rf "$stage"
# After the lock the folder is another run's.
trap - EXIT
flock -u 9
