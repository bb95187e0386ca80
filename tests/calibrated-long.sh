#!/bin/sh
# calibrated-long.sh - the thresholds of the course still lie between what the
# two variants of the workloads measure here (exercises/lib/calibrate).
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
PROFLAB_BUILD=$top_builddir
PROFLAB_STATE=$tmp/calibrate
export PROFLAB_BUILD PROFLAB_STATE
: "${CALIBRATE_ROUNDS:=1}"
export CALIBRATE_ROUNDS
calibrate=$top_srcdir/exercises/lib/calibrate

for part in $(sed -n 's/^\([a-z]*\)|.*/\1/p' "$top_srcdir/exercises/lib/workloads") \
	$(cd "$top_srcdir/exercises" && ls -d [1-9]-*); do
	if [ -d "$top_srcdir/exercises/$part" ] &&
		[ ! -f "$top_srcdir/exercises/$part/findings" ]; then
		continue
	fi
	check "$part: the thresholds are where the variants have them" \
		"$calibrate" check "$part"
done

# And it would say so if they were not: a limit below the mended variant, one
# above the faulty one.
LAB_COSTS=$tmp/costs
export LAB_COSTS
for limit in 1 1e12; do
	awk -v limit="$limit" '$1 == "cpu" && $2 == "cpu" { $6 = limit } { print }' \
		"$top_srcdir/exercises/lib/costs" >"$LAB_COSTS"
	! "$calibrate" check cpu >"$tmp/out" 2>&1
	ok $? "a limit of $limit ns for /cpu is found out"
	check "and named" grep -q '^FAIL  cpu: make calibrate' "$tmp/out"
done
done_testing
