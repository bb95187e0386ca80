#!/bin/sh
# fuzz-profile.sh - replay the corpus of the profile decoder's fuzz target.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
corpus=$top_srcdir/tests/corpus/profile
n=$(find "$corpus" -type f | wc -l)
[ "$n" -ge 20 ]
ok $? "the corpus is there ($n inputs)"
if "$top_builddir/tests/fuzz_profile" -help=1 2>&1 |
	grep -q libFuzzer; then
	check "replayed by libFuzzer" "$top_builddir/tests/fuzz_profile" \
		-runs=0 "$corpus"
else
	check "replayed" "$top_builddir/tests/fuzz_profile" "$corpus"
fi
done_testing
