# Stages the files that standard input has (model/bundle.ts, pack) for install-files.sh: keys and certificates, which only
# root may read, as "secrets", all others as "files".
set -euo pipefail
umask 077

state=/var/lib/openstack-kubernetes
stage=$state/stage

fail() {
  echo "$(hostname): installing its files failed: $*" >&2
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
mkdir -p "$stage/secrets" "$stage/files"
trap 'rm -rf "$stage"' EXIT

base64 -d | gunzip | awk -v stage="$stage" '
  /^==> / {
    folder = stage "/" ($2 == "0600" ? "secrets" : "files")
    out = folder "/" ++n[folder]
    print $2, $3 > (folder "/list")
    printf "" > out
    next
  }
  { print > out }' ||
  fail "what arrived on standard input is not a whole bundle"
[ -s "$stage/files/list" ] || fail "no files arrived on standard input"
touch "$stage/secrets/list"

for name in secrets files; do
  rm -rf "$state/staged.$name"
  mv "$stage/$name" "$state/staged.$name"
done
# After the lock the folders are another run's.
trap - EXIT
rmdir "$stage"
flock -u 9
