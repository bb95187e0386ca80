#!/bin/sh
# heap-long.sh - the sampled heap against the truth, 200 times: none of some
# 20,000 figures may be out of its six standard deviations.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${HEAP_RUNS:=200}"
failed=0
run=0
while [ $run -lt "$HEAP_RUNS" ]; do
	run=$((run + 1))
	CK_RUN_CASE=sampled "$top_builddir/tests/check_heap" >"$tmp/out" 2>&1 || {
		failed=$((failed + 1))
		diag "run $run:"
		diag "$(grep '^not ok' "$tmp/out")"
	}
done
[ $failed -eq 0 ]
ok $? "$HEAP_RUNS runs, $failed of them off"
done_testing
