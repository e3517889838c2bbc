# Stages the files of a bundle (model/bundle.ts) from standard input for install-files.sh. Argument: the bundle's name.
set -euo pipefail
umask 077

name=$1
state=/var/lib/openstack-kubernetes
stage=$state/stage.$name

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

awk -v folder="$stage" '
  /^==> / { n++; out = folder "/" n; print $2, $3 > (folder "/list"); printf "" > out; next }
  { print > out }' ||
  fail "the bundle could not be read"
[ -s "$stage/list" ] || fail "nothing arrived on standard input"

rm -rf "$state/staged.$name"
mv "$stage" "$state/staged.$name"
# After the lock the folder is another run's.
trap - EXIT
flock -u 9
