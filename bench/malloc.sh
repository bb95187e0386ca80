#!/bin/sh
# malloc.sh - what the heap profiler adds to a malloc and free pair, beside
# tcmalloc's own sampling and jemalloc's prof, at the same mean of 512 KiB.
#
#	BENCH_RUNS=15 sh bench/malloc.sh
#
# BENCH_SIZES="16 1024" other sizes; BENCH_PAIRS=N pairs a pass, of 9: fewer,
# where others have the machine.
#
# One process a figure, configurations interleaved, each at a new random
# address layout, which alone can move a figure by a factor; medians.
set -u
: "${top_builddir:=.}"
: "${BENCH_RUNS:=15}"
: "${BENCH_SIZES:=16 64 256 1024}" "${BENCH_PAIRS:=1000000}"
libs=/usr/lib/x86_64-linux-gnu
pair=$top_builddir/bench/malloc_pair
preload=$top_builddir/.libs/libpprof-preload.so
make -s -C "$top_builddir" bench/malloc_pair || exit
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

one() {
	case $1 in
	glibc) "$pair" "$2" "$BENCH_PAIRS" ;;
	glibc+off) PPROF_MEM_RATE=0 LD_PRELOAD=$preload "$pair" "$2" "$BENCH_PAIRS" ;;
	glibc+pprof) PPROF_MEM_RATE=524288 LD_PRELOAD=$preload "$pair" "$2" "$BENCH_PAIRS" ;;
	tcmalloc) TCMALLOC_SAMPLE_PARAMETER=0 \
		LD_PRELOAD=$libs/libtcmalloc.so.4 "$pair" "$2" "$BENCH_PAIRS" ;;
	tcmalloc+own) TCMALLOC_SAMPLE_PARAMETER=524288 \
		LD_PRELOAD=$libs/libtcmalloc.so.4 "$pair" "$2" "$BENCH_PAIRS" ;;
	tcmalloc+pprof) TCMALLOC_SAMPLE_PARAMETER=0 \
		LD_PRELOAD="$preload $libs/libtcmalloc.so.4" "$pair" "$2" "$BENCH_PAIRS" ;;
	jemalloc) LD_PRELOAD=$libs/libjemalloc.so.2 "$pair" "$2" "$BENCH_PAIRS" ;;
	jemalloc+own) MALLOC_CONF=prof:true,lg_prof_sample:19 \
		LD_PRELOAD=$libs/libjemalloc.so.2 "$pair" "$2" "$BENCH_PAIRS" ;;
	jemalloc+pprof) LD_PRELOAD="$preload $libs/libjemalloc.so.2" \
		"$pair" "$2" "$BENCH_PAIRS" ;;
	esac
}

# The median of the numbers in a file.
median() {
	sort -n "$1" | awk '{ v[NR] = $1 } END {
		n = NR; print n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }'
}

configurations="glibc glibc+off glibc+pprof tcmalloc tcmalloc+own
	tcmalloc+pprof jemalloc jemalloc+own jemalloc+pprof"
for size in $BENCH_SIZES; do
	run=0
	while [ "$run" -lt "$BENCH_RUNS" ]; do
		run=$((run + 1))
		for c in $configurations; do
			one "$c" "$size" >>"$tmp/$c.$size"
		done
	done
done
echo "ns a pair, median of $BENCH_RUNS processes; +: added to the same allocator"
printf '%-6s' size
for c in $configurations; do
	printf '%17s' "$c"
done
echo
for size in $BENCH_SIZES; do
	printf '%-6s' "$size"
	for c in $configurations; do
		m=$(median "$tmp/$c.$size")
		case $c in
		*+*) base=$(median "$tmp/${c%+*}.$size")
			printf '%17s' "$(awk -v m="$m" -v b="$base" \
				'BEGIN { printf "%.2f (%+.2f)", m, m - b }')" ;;
		*) printf '%17s' "$m" ;;
		esac
	done
	echo
done
