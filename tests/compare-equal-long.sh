#!/bin/sh
# compare-equal-long.sh - what ./proflab compare says of two servers that are
# the same one: that there is no difference; and of two that differ, which.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
PROFLAB_BUILD=$top_builddir
PROFLAB_STATE=$tmp/state
export PROFLAB_BUILD PROFLAB_STATE
server=$top_builddir/proflab-server-fixed

# compare BEFORE AFTER: "METRIC VERDICT" lines in $tmp/verdicts.
compare() {
	"$top_srcdir/exercises/lib/compare" --json --seconds 8 --rounds 4 \
		inefficient "$1" before "$2" after >"$tmp/out" 2>&1 || return 1
	sed -n 's/.*"metric": "\([a-z0-9_]*\)".*"verdict": "\([a-z ]*\)".*/\1 \2/p' \
		"$tmp/out" | sort >"$tmp/verdicts"
	[ "$(wc -l <"$tmp/verdicts")" -ge 7 ]
}

# Of two equal servers, four rounds of one are all below four of the other by
# chance once in 70 times, for each direction.  Four comparisons that say the
# same of the same one of eight metrics: below 1e-6.  Mostly one is enough.
tries=0
while [ "$tries" -lt 4 ]; do
	tries=$((tries + 1))
	compare "$server" "$server"
	got=$?
	[ "$got" -eq 0 ] || break
	grep -v ' within the noise$' "$tmp/verdicts" >"$tmp/differ"
	if [ "$tries" -eq 1 ]; then
		cp "$tmp/differ" "$tmp/always"
	else
		comm -12 "$tmp/always" "$tmp/differ" >"$tmp/both"
		mv "$tmp/both" "$tmp/always"
	fi
	[ -s "$tmp/always" ] || break
done
ok "$got" "a server is compared with itself"
[ "$got" -eq 0 ] || sed 's/^/# /' "$tmp/out"
[ "$got" -eq 0 ] && [ ! -s "$tmp/always" ]
ok $? "no metric differs beyond the noise (comparisons: $tries)"
sed 's/^/# /' "$tmp/verdicts"

check "two that differ are compared" compare \
	"$top_builddir/proflab-server" "$server"
check "the mended one allocates less" grep -qx 'bytes less' "$tmp/verdicts"
check "and calls malloc less often" grep -qx 'allocs less' "$tmp/verdicts"
sed 's/^/# /' "$tmp/verdicts"
done_testing
