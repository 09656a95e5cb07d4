#!/usr/bin/env bash
# The simulator against an independent one (shared/tools/recount.py) on the benchmark networks.
. "$IOA_SUPPORT/support.sh"

[ -n "$h5python" ] || skip "$no_h5python"
[ -e "$IOA_SHARED/tools/recount.py" ] || skip "$IOA_SHARED/tools/recount.py is missing"
ls "$IOA_SHARED"/instances/*.h5 >/dev/null 2>&1 || skip "there are no networks in $IOA_SHARED/instances"
expect_exit 0 "$h5python" "$IOA_SOURCE/tests/cli/instances.py" "$IOA_PROGRAM" "$IOA_SHARED"
cat "$out"
