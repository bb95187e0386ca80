#!/bin/sh
# heap-long.sh - the sampled heap against the truth, 200 times, each time with
# a sixth of what check_heap allocates: no figure of some 15,000 may be less
# likely than seven standard deviations are; and neither may the mean of each
# row over all runs be out of its six, which is told 14 times as finely.  A bias
# of 5 % in the truth must be refused.
#
# Environment: HEAP_RUNS=N (200), HEAP_SCALE=N (6).
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${HEAP_RUNS:=200}" "${HEAP_SCALE:=6}"
export HEAP_SCALE

# one_in STRIDE FIRST: every STRIDE-th run
one_in() {
	run=$2
	while [ "$run" -lt "$HEAP_RUNS" ]; do
		CK_RUN_CASE=sampled "$top_builddir/tests/check_heap" \
			>"$tmp/run.$run" 2>&1 || : >"$tmp/failed.$run"
		run=$((run + $1))
	done
}

jobs=$(nproc 2>/dev/null || echo 1)
first=0
workers=
while [ "$first" -lt "$jobs" ]; do
	one_in "$jobs" "$first" &
	own $!
	workers="$workers $!"
	first=$((first + 1))
done
for pid in $workers; do
	wait "$pid"
done

failed=0
for mark in "$tmp"/failed.*; do
	[ -f "$mark" ] || continue
	failed=$((failed + 1))
	diag "$(grep '^not ok' "$tmp/run.${mark##*.}")"
done
[ $failed -eq 0 ]
ok $? "$HEAP_RUNS runs, $failed of them off"

# Each row: its runs, the mean of its deviations in units of the mean's own,
# and that of a truth that is 5 % off.
cat "$tmp"/run.* | awk '/^# z / {
	row = $3 " " $4; n[row]++; sum[row] += $5; planted[row] += $6
} END {
	for (row in n) {
		root = sqrt(n[row])
		print row, n[row], sum[row] / root, planted[row] / root
	}
}' | sort >"$tmp/rows"
rows=$(wc -l <"$tmp/rows")
[ "$rows" -ge 19 ] && awk -v runs="$HEAP_RUNS" '$3 != runs { exit 1 }' \
	"$tmp/rows"
ok $? "each of $rows rows was told by each run"
awk '$4 > 6 || $4 < -6 { bad = 1 } END { exit bad }' "$tmp/rows"
ok $? "no row is off on average"
# With more than 12 between the two, no mean agrees with both.
awk '$5 >= 12 { n++; if ($5 - $4 <= 6 || $5 + $4 <= 6) bad = 1 }
	END { exit bad || n < 15 }' "$tmp/rows"
ok $? "a bias of 5 % would be seen, up and down"
while read -r place size n mean planted; do
	diag "$place $size: $n runs, off by $mean, with 5 % by $planted"
done <"$tmp/rows"
done_testing
