#!/bin/sh
# recognize.sh - recognize.c's four ways, each in processes of its own,
# interleaved; the median of BENCH_RUNS (15).
set -u
: "${top_builddir:=.}"
: "${BENCH_RUNS:=15}"
make -s -C "$top_builddir" bench/recognize || exit
program=$top_builddir/bench/recognize
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
run=0
while [ "$run" -lt "$BENCH_RUNS" ]; do
	run=$((run + 1))
	for way in 0 1 2 3; do
		"$program" $way >>"$tmp/all"
	done
done
echo "ns a malloc+free pair, by size; churn: 128 B, half a million live"
echo "              16        64      1024      4096     65536    200000     churn"
for way in none pages aligned range; do
	printf '%-8s' $way
	for column in 2 3 4 5 6 7 8; do
		awk -v w=$way -v c=$column '$1 == w { print $c }' "$tmp/all" |
			sort -n | awk '{ v[NR] = $1 } END {
				printf " %9.2f", v[int((NR + 1) / 2)] }'
	done
	echo
done
for way in 1 2 3; do
	"$program" $way million
done
