#!/bin/sh
# workload_twins.sh - the faulty and the fixed workloads side by side: the same
# answers, and the cost apart by what the exercise promises.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
faulty=$top_builddir/tests/workload_report-faulty
fixed=$top_builddir/tests/workload_report-fixed

check "the faulty ones answer" sh -c '"$0" answers >"$1"' "$faulty" \
	"$tmp/faulty"
check "the fixed ones answer" sh -c '"$0" answers >"$1"' "$fixed" "$tmp/fixed"

# The sum of /cpu to 1e-9, everything else to the letter.
grep -v '^cpu ' "$tmp/faulty" >"$tmp/faulty.exact"
grep -v '^cpu ' "$tmp/fixed" >"$tmp/fixed.exact"
check "the same answers to the same requests" \
	diff "$tmp/faulty.exact" "$tmp/fixed.exact"
[ "$(wc -l <"$tmp/faulty.exact")" -eq 253 ]
ok $? "as many lines as were asked for"
grep '^cpu ' "$tmp/faulty" >"$tmp/faulty.cpu"
grep '^cpu ' "$tmp/fixed" >"$tmp/fixed.cpu"
check "the same sums, to 1e-9" awk '
	NR == FNR { sum[$2] = $3; n++; next }
	{
		apart = $3 - sum[$2]
		if (apart < 0) apart = -apart
		if (apart > 1e-9 * sum[$2]) { print $2, sum[$2], $3; bad = 1 }
		m++
	}
	END { exit bad || n != 8 || m != 8 }' "$tmp/faulty.cpu" "$tmp/fixed.cpu"

# Cost: turn and turn about, and the least of all rounds for either.
: >"$tmp/cost"
# shellcheck disable=SC2034 # it only counts
for round in 1 2; do
	for variant in faulty fixed; do
		"$top_builddir/tests/workload_report-$variant" cost 1 |
			sed "s/^/$variant /" >>"$tmp/cost"
	done
done

# apart NAME FIELD RATIO WHAT: field 3 is CPU, 4 wall, 5 bytes, 6 calls.
apart() {
	found=$(awk -v name="$1" -v field="$2" '
		$2 == name && (!($1 in least) || $field < least[$1]) {
			least[$1] = $field
		}
		END {
			if (!("faulty" in least) || !("fixed" in least)) exit 1
			fixed = least["fixed"]
			printf "%d", least["faulty"] / (fixed ? fixed : 1)
		}' "$tmp/cost")
	[ "${found:-0}" -ge "$3" ]
	ok $? "$1: $4 at least $3 times apart (${found:-nothing})"
}

apart cpu 3 5 "CPU"
apart memory 5 10 "bytes allocated"
apart memory 6 10 "allocations"
apart memory_large 5 10 "bytes allocated"
apart memory_large 6 10 "allocations"
apart inefficient 5 10 "bytes allocated"
apart inefficient 6 10 "allocations"
apart leaky 5 10 "bytes allocated, once the store is full,"
apart cache 3 3 "CPU"
apart concurrent 4 3 "time"
apart database_select 3 5 "CPU"
apart database_select 4 10 "time"
apart database_insert 4 10 "time"
apart database_update 3 5 "CPU"
apart database_update 4 10 "time"
sed 's/^/# /' "$tmp/cost"
done_testing
