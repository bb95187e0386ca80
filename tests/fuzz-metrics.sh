#!/bin/sh
# fuzz-metrics.sh - replay the corpus of the /metrics reader's fuzz target.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
corpus=$top_srcdir/tests/corpus/metrics
n=$(find "$corpus" -type f | wc -l)
[ "$n" -ge 20 ]
ok $? "the corpus is there ($n inputs)"
if "$top_builddir/tests/fuzz_metrics" -help=1 2>&1 |
	grep -q libFuzzer; then
	check "replayed by libFuzzer" "$top_builddir/tests/fuzz_metrics" \
		-runs=0 "$corpus"
else
	check "replayed" "$top_builddir/tests/fuzz_metrics" "$corpus"
fi
done_testing
