# Keeps this machine and its pods away from the API, or lets them reach it again, until the machine starts anew.
# Arguments: closed or open, the API's address and its port.
set -euo pipefail

nft delete table inet openstack-kubernetes-restore 2>/dev/null || true
[ "$1" = closed ] || exit 0
nft -f - <<RULES
table inet openstack-kubernetes-restore {
  chain output {
    type filter hook output priority filter
    ip daddr $2 tcp dport $3 reject with tcp reset
  }
  chain forward {
    type filter hook forward priority filter
    ip daddr $2 tcp dport $3 reject with tcp reset
  }
}
RULES
