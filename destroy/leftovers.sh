#!/bin/sh
# A part of `pulumi destroy` (components/destroy-leftovers.ts), for the stack that is named by STACK: takes away what a
# run that was killed had just asked OpenStack for.
set -eu
cd "$(dirname "$0")/.."
# Most stacks have none of it, and then no packages have to be there. Where the state cannot be read, pulumi says why.
pulumi stack export --non-interactive --stack "$STACK" </dev/null | grep '"type": "creating"' >/dev/null || exit 0
exec scripts/with-dependencies node destroy/leftovers.ts
