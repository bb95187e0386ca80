#!/bin/sh
# preload-odd-long.sh - programs that do odd things, under the preload library:
# they end as without it, say nothing more, and their CPU time is all there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
preload=$top_builddir/.libs/libpprof-preload.so
odd=$top_builddir/tests/preload_odd
[ -f "$preload" ] || skip_all "no libpprof-preload.so in this build"
cd "$tmp" || exit 99

# total FILE: the samples' CPU seconds, of all functions, losses included
total() {
	"$top_builddir/proflab-pprof" -top -unit=s "$1" 2>>err.pprof |
		sed -n 's/.* of \([0-9.]*\)s total$/\1/p'
}

for way in $("$odd" -list); do
	timeout 100 "$odd" "$way" >plain 2>&1
	ok $? "$way: alone"
	if timeout -k 5 100 env PPROF_CPU=cpu.gz PPROF_HEAP=heap.gz \
		PPROF_MEM_RATE=4096 LD_PRELOAD="$preload" "$odd" "$way" \
		>out 2>err && [ ! -s err ]; then
		ok 0 "$way: under the profiler, the same"
	else
		ok 1 "$way: under the profiler, the same"
	fi
	[ ! -s err ] || diag "$(cat err)"
	read -r rc used <out
	got=$(total cpu.gz)
	# At 100 Hz to two points a thread; and what follows its last word.
	awk -v got="${got:-0}" -v used="${used:-0}" 'BEGIN {
		d = got - used; exit !(d > -0.1 && d < 0.12 + used * 0.1) }'
	ok $? "$way: $got s sampled of $used s ($rc)"
	check "$way: its heap" "$top_builddir/proflab-pprof" -raw heap.gz
	rm -f cpu.gz heap.gz
done

# One that is bound to nothing runs as ever.
cat >static.c <<'C'
#include <stdio.h>
int main(void) { return puts("static") < 0; }
C
if ${CC:-cc} -static-pie -O2 -o static static.c 2>build.err; then
	[ "$(PPROF_CPU=cpu.gz LD_PRELOAD=$preload ./static 2>&1)" = static ]
	ok $? "a static program"
	[ ! -e cpu.gz ]
	ok $? "has no profile"
else
	skip "a static program" "it cannot be built here"
fi
# Stripped: the mapping has the time.
cp "$odd" stripped && strip stripped
env PPROF_CPU=cpu.gz LD_PRELOAD="$preload" ./stripped coroutines >out
"$top_builddir/proflab-pprof" -top cpu.gz 2>err.pprof >top
grep -q '\[stripped\]' top
ok $? "a stripped program's time is its mapping's"
done_testing
