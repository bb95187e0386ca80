#!/bin/sh
# locks.sh - what the mutex and block profiles add to an uncontended pair of
# lock functions (and to contended ones), off, at proflab-server's rates, and
# at full.
#
#	BENCH_RUNS=15 sh bench/locks.sh
#
# One process a figure, configurations interleaved, each at a new random
# address layout; medians.
set -u
: "${top_builddir:=.}"
: "${BENCH_RUNS:=15}"
: "${BENCH_LOCKS:=mutex recursive mtx rwlock-read rwlock-write spin sem cond-signal cond-ping-pong contended}"
pair=$top_builddir/bench/lock_pair
preload=$top_builddir/.libs/libpprof-preload.so
make -s -C "$top_builddir" bench/lock_pair || exit
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

one() {
	case $1 in
	without) "$pair" "$2" ;;
	off) LD_PRELOAD=$preload "$pair" "$2" ;;
	safe) PPROF_BLOCK_RATE=10000 PPROF_MUTEX_FRACTION=10 \
		LD_PRELOAD=$preload "$pair" "$2" ;;
	full) PPROF_BLOCK_RATE=1 PPROF_MUTEX_FRACTION=1 \
		LD_PRELOAD=$preload "$pair" "$2" ;;
	esac
}

# The median of the numbers in a file.
median() {
	sort -n "$1" | awk '{ v[NR] = $1 } END {
		n = NR; print n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }'
}

for kind in $BENCH_LOCKS; do
	run=0
	while [ "$run" -lt "$BENCH_RUNS" ]; do
		run=$((run + 1))
		for c in without off safe full; do
			one $c "$kind" >>"$tmp/$c.$kind"
		done
	done
done
echo "ns a pair, median of $BENCH_RUNS processes; what is added in brackets"
printf '%-16s%10s%18s%18s%18s\n' pair without off 'safe rate' full
for kind in $BENCH_LOCKS; do
	base=$(median "$tmp/without.$kind")
	printf '%-16s%10.2f' "$kind" "$base"
	for c in off safe full; do
		printf '%18s' "$(median "$tmp/$c.$kind" | awk -v b="$base" \
			'{ printf "%.2f (%+.2f)", $1, $1 - b }')"
	done
	echo
done
