#!/bin/sh
# preload.sh - libpprof-preload.so in programs that know nothing of it: they
# behave as if it were not there, and their profiles are true.
# shellcheck disable=SC2181,SC2094 # the status is of a pipe; two files
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
preload=$top_builddir/.libs/libpprof-preload.so
subject=$top_builddir/tests/preload_subject
libs=/usr/lib/x86_64-linux-gnu
[ -f "$preload" ] || skip_all "no libpprof-preload.so in this build"
cd "$tmp" || exit 99

# with ALLOCATOR COMMAND...: the command, preloaded over that allocator
with() {
	with_below=$1
	shift
	# Not timeout itself, which would be the first of the family.
	timeout 200 env LD_PRELOAD="$preload${with_below:+ $with_below}" "$@"
}

# ---- what it shows ---------------------------------------------------------
nm -D --defined-only "$preload" | awk '{ print $3 }' | sort >symbols
sed -n '/^global:/,/^local:/p' "$top_srcdir/src/http/preload.map" |
	tr -d '\t ' | tr ';' '\n' | grep -v ':' | grep . >allowed
bad=
while read -r name; do
	case $name in
	pprof_*) ;;
	*) grep -qx -- "$name" allowed || bad="$bad $name" ;;
	esac
done <symbols
[ -z "$bad" ]
ok $? "it exports the names that it stands in for, and pprof_*$bad"
bad=
while read -r name; do
	[ "$name" = "pprof_*" ] || grep -qx -- "$name" symbols ||
		bad="$bad $name"
done <allowed
[ -z "$bad" ]
ok $? "all of them are there$bad"
! ldd "$preload" | grep -q libunwind
ok $? "no libunwind comes with it"

# What the profile at rate 1 says of each of malloc's family: 300 blocks of
# 4096 bytes, of which 100 are left.
family() {
	PPROF_MEM_RATE=1 PPROF_HEAP=family.gz with "$1" "$subject" family ||
		return 1
	for figures in "alloc_objects=-flat 300" "alloc_space=-unit=kb 1200kB" \
		"inuse_objects=-flat 100" "inuse_space=-unit=kb 400kB"; do
		index=${figures%%=*}
		unit=${figures% *}
		"$top_builddir/proflab-pprof" -top -nodecount=0 \
			-nodefraction=0 "${unit#*=}" -sample_index="$index" \
			-show='^by_' -show_from='^by_' family.gz 2>/dev/null |
			awk -v want="${figures#* }" '$6 ~ /^by_/ {
				if ($1 != want) print "#", $6, $1; else n++
			} END { exit n != 9 }' || return 1
	done
}

# ---- as if it were not there -----------------------------------------------
for below in "" libjemalloc.so.2 libtcmalloc_minimal.so.4 libtcmalloc.so.4; do
	if [ -n "$below" ] && [ ! -f "$libs/$below" ]; then
		skip "over $below" "it is not installed"
		continue
	fi
	# tests/preload_subject.c says why.
	survive=survive
	[ "$below" != libtcmalloc.so.4 ] || survive="survive-apart"
	for rate in 1 524288; do
		for mode in $survive cancel; do
			PPROF_MEM_RATE=$rate with "${below:+$libs/$below}" \
				"$subject" "$mode" >out 2>err
			[ $? -eq 0 ] && [ ! -s err ]
			ok $? "$mode at rate $rate over ${below:-glibc}"
		done
		PPROF_MEM_RATE=$rate with "${below:+$libs/$below}" \
			"$top_builddir/tests/preload_throw" >out 2>&1
		ok $? "C++: throw, new and delete at rate $rate over ${below:-glibc}"
	done
	family "${below:+$libs/$below}" >out 2>&1
	ok $? "each of the family is counted, over ${below:-glibc}"
	[ ! -s out ] || diag "$(cat out)"
done
for rate in 1 4096 524288; do
	PPROF_MEM_RATE=$rate check "errno, results, alignments at rate $rate" \
		with "" "$subject" errno
	PPROF_MEM_RATE=$rate check "a program's own operator new at rate $rate" \
		with "" "$top_builddir/tests/preload_replaced"
done

# Whose unwinder: nobody but we may be bound to ours, and we to nobody's.
LD_DEBUG=bindings LD_DEBUG_OUTPUT=$tmp/bind with "" \
	"$top_builddir/tests/preload_throw" >out 2>&1
cat "$tmp"/bind.* >bindings
grep 'symbol `_Unwind_RaiseException' bindings |
	grep -q 'libstdc++.* to .*libgcc_s'
ok $? "a throw goes from libstdc++ to libgcc_s"
! grep 'symbol `_Unwind\|symbol `backtrace' bindings | grep -q 'libpprof'
ok $? "no _Unwind_ and no backtrace is bound to or from libpprof-preload.so"
rm -f "$tmp"/bind.*
LD_DEBUG=bindings LD_DEBUG_OUTPUT=$tmp/bind with "" "$subject" cancel >out 2>&1
cat "$tmp"/bind.* >bindings
grep -q 'libgcc_s' bindings &&
	! grep 'symbol `_Unwind' bindings | grep -qv 'to [^ ]*libgcc_s'
ok $? "pthread_cancel's unwinder is libgcc_s alone"

# ---- the profiles of programs that end -------------------------------------
pprof=$top_builddir/proflab-pprof
# share FILE SAMPLE-INDEX NAME: the percentage under NAME, cumulated
share() {
	"$pprof" -top -cum -nodecount=5000 -nodefraction=0 -sample_index="$2" "$1" 2>>err |
		awk -v name="$3" '{
			f = $6
			for (i = 7; i <= NF; i++) f = f " " $i
			if (f == name || f == name " (inline)") {
				sub("%", "", $5); print $5; exit
			}
		}'
}
# at_least FILE SAMPLE-INDEX NAME PERCENT
at_least() {
	got=$(share "$1" "$2" "$3")
	[ -n "$got" ] && awk -v a="$got" -v b="$4" 'BEGIN { exit !(a >= b) }'
	at_least_rc=$?
	ok $at_least_rc "$1: $3 has $4 % of $2 or more (${got:-none})"
	[ $at_least_rc -eq 0 ] ||
		diag "$("$pprof" -top -cum -sample_index="$2" "$1" 2>&1 | head -n 20)"
}

PPROF_MEM_RATE=1 PPROF_HEAP=survive.%p.gz with "" "$subject" survive >out
set -- survive.*.gz
[ $# -eq 1 ] && [ -s "$1" ]
ok $? "PPROF_HEAP=...%p... of a program whose children _exit: one file"
mv "$1" survive.gz
for f in allocate_before_main allocate_in_destructor; do
	got=$(share survive.gz alloc_objects $f)
	[ -n "$got" ]
	ok $? "$f is in the profile"
done

if command -v xz >/dev/null; then
	cat "$preload" "$libs"/libc.so.6 "$libs"/libc.so.6 | head -c 4500000 >in
	PPROF_CPU=xz-cpu.gz PPROF_HEAP=xz-heap.gz PPROF_MEM_RATE=65536 \
		PPROF_BUDGET=5% with "" xz -T1 -2 -c in >in.xz && xz -dc in.xz | cmp - in
	ok $? "xz compresses as ever"
	at_least xz-cpu.gz cpu lzma_code 80
	"$pprof" -comments xz-cpu.gz | grep -q '^overhead budget: 5% '
	ok $? "PPROF_BUDGET is in the profile's comments"
	at_least xz-heap.gz alloc_space lzma_stream_encoder 80
else
	skip "xz" "it is not installed"
fi

if command -v sqlite3 >/dev/null; then
	cat >query.sql <<-SQL
		create table t(a integer, b text);
		with recursive c(x) as
			(select 1 union all select x+1 from c where x<300000)
			insert into t select x, hex(x*7919%100003) from c;
		select b, count(*) from t group by b order by 2 desc, 1 limit 1;
		select count(*) from t a where b like '%3%';
	SQL
	sqlite3 :memory: <query.sql >expected
	PPROF_CPU=sqlite-cpu.gz PPROF_HEAP=sqlite-heap.gz \
		with "" sqlite3 :memory: <query.sql >out && cmp expected out
	ok $? "sqlite3 answers as ever"
	at_least sqlite-cpu.gz cpu sqlite3_step 80
	at_least sqlite-heap.gz alloc_space sqlite3_step 50
else
	skip "sqlite3" "it is not installed"
fi

python=/usr/bin/python3
if [ -x $python ]; then
	cat >work.py <<-PY
		d = {}
		for i in range(400000): d[str(i)] = i
		b = bytearray(200000000)
		print(len(d))
	PY
	PPROF_CPU=python-cpu.gz PPROF_HEAP=python-heap.gz \
		with "" $python work.py >out && [ "$(cat out)" = 400000 ]
	ok $? "python3 counts as ever"
	at_least python-cpu.gz cpu PyEval_EvalCode 70
	# 200 MB of a known size, in a program whose other memory is known
	# less well (its small objects live in arenas from mmap).
	at_least python-heap.gz alloc_space PyByteArray_Resize 65
else
	skip "python3" "it is not installed"
fi

# ---- serving ---------------------------------------------------------------
# fetch URL FILE [MORE]
fetch() {
	fetch_url=$1
	fetch_to=$2
	shift 2
	curl -sS --fail --max-time 30 -o "$fetch_to" "$@" "$fetch_url"
}
if ! command -v curl >/dev/null; then
	skip "serving" "curl is not installed"
	done_testing
fi

socket=$tmp/sock
mkfifo hold
PPROF_ADDR=unix:$socket with "" "$subject" serve <hold 2>err &
pid=$!
own $pid
exec 3>hold
wait_for 20 test -S "$socket"
check "unix:PATH serves heap" fetch http://x/debug/pprof/heap heap.gz \
	--unix-socket "$socket"
check "its answer is a profile" "$pprof" -raw heap.gz
check "and CPU" fetch "http://x/debug/pprof/profile?seconds=1" cpu.gz \
	--unix-socket "$socket"
exec 3>&-
wait $pid
ok $? "the program ends as ever"
[ ! -e "$socket" ] && [ ! -s err ]
ok $? "and leaves no socket behind, and no word"

# A family: the first binds; the others are silent.  What a child executes
# inherits no descriptor.
port_of() {
	sed -n "s/.*127.0.0.1:\([0-9]*\).*/\1/p" "$1"
}
cat >family.sh <<'SH'
ls -l /proc/self/fd >fds
"$1" cancel >out2
"$1" cancel >>out2
cat hold >/dev/null
SH
PPROF_ADDR=unix:$tmp/family with "" sh family.sh "$subject" 2>err &
pid=$!
own $pid
exec 3>hold
wait_for 20 test -S "$tmp/family"
check "a family: the first serves" fetch \
	http://x/debug/pprof/cmdline cmdline --unix-socket "$tmp/family"
tr '\0' ' ' <cmdline | grep -q family.sh
ok $? "it is the shell"
exec 3>&-
wait $pid
[ "$(cat out2)" = "cancelled
cancelled" ] && [ ! -s err ]
ok $? "the others work, and say nothing"
grep -q '/proc/' fds && ! grep -q socket fds
ok $? "no descriptor is passed on to them"

PPROF_ADDR=unix:$tmp/%p.sock with "" "$subject" serve <hold 2>err &
pid=$!
own $pid
exec 3>hold
wait_for 20 sh -c "ls $tmp/*.sock"
exec 3>&-
wait $pid
[ ! -s err ]
ok $? "%p stands for the pid"

echo secret >token
PPROF_ADDR=unix:$tmp/asks PPROF_TOKEN_FILE=$tmp/token \
	with "" "$subject" serve <hold 2>err &
pid=$!
own $pid
exec 3>hold
wait_for 20 test -S "$tmp/asks"
! fetch http://x/debug/pprof/cmdline cmdline --unix-socket "$tmp/asks"
ok $? "PPROF_TOKEN_FILE: a token is asked for"
check "and taken" fetch http://x/debug/pprof/cmdline cmdline \
	--unix-socket "$tmp/asks" -H "Authorization: Bearer secret"
exec 3>&-
wait $pid

# All descriptors are closed, ours with them: at the start, when what we start
# is still starting, and while it serves.
for mode in closefrom close-each; do
	rm -f out # what the last one said
	PPROF_ADDR=unix:$tmp/$mode PPROF_CPU=$mode.gz \
		with "" "$subject" $mode <hold >out 2>err &
	pid=$!
	own $pid
	exec 3>hold
	wait_for 20 grep -q closed out
	check "$mode: it serves all the same" fetch \
		http://x/debug/pprof/heap heap.gz --unix-socket "$tmp/$mode"
	exec 3>&-
	wait $pid
	[ $? -eq 0 ] && [ ! -s err ] && [ ! -e "$tmp/$mode" ]
	ok $? "$mode: the program ends as ever, its files as it wrote them"
	[ ! -s err ] || diag "$(cat err)"
	check "$mode: and has written its profile" "$pprof" -raw $mode.gz
done

# A program that chooses the numbers of its descriptors.
cat >numbers.sh <<'SH'
exec 3>3.out 4>4.out 5>5.out 6>6.out 7>7.out 8>8.out 9>9.out
for i in 3 4 5 6 7 8 9; do echo mine >&$i; done
echo chosen
cat hold >/dev/null
SH
PPROF_ADDR=unix:$tmp/numbers with "" sh numbers.sh >out 2>err &
pid=$!
own $pid
exec 3>hold
wait_for 20 grep -q chosen out
check "descriptors 3 to 9 are its own: it serves" fetch \
	http://x/debug/pprof/heap heap.gz --unix-socket "$tmp/numbers"
exec 3>&-
wait $pid
[ $? -eq 0 ] && [ ! -s err ] && [ "$(cat ./*.out | uniq -c | tr -d ' ')" = 7mine ]
ok $? "and it ends as ever, its files as it wrote them"

# On one CPU our threads have hardly begun by then.
cpu=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)
for round in 1 2 3; do
	PPROF_ADDR=unix:$tmp/one taskset -c "$cpu" timeout 60 \
		env LD_PRELOAD="$preload" "$subject" closefrom \
		</dev/null >out 2>err
	[ $? -eq 0 ] && [ ! -s err ] && [ ! -e "$tmp/one" ]
	ok $? "closefrom on one CPU, time $round: it ends as ever"
done

# Its SIGPROF is its own, though it asks for it when we sample already.
PPROF_CPU=sigprof.gz with "" "$subject" sigprof >out 2>err
[ $? -eq 0 ] && [ ! -s err ]
ok $? "the program's SIGPROF: $(cat out)"
at_least sigprof.gz cpu burn_under_own_timer 90

# A first thread that ends before the others: the process ends with the last of
# its own, and ours do not keep it.
PPROF_ADDR=unix:$tmp/leave PPROF_CPU=leave-cpu.gz PPROF_HEAP=leave.gz \
	with "" "$subject" leave >out 2>err
[ $? -eq 0 ] && [ "$(cat out)" = ended ] && [ ! -s err ]
ok $? "pthread_exit in main: it ends with its last thread"
at_least leave-cpu.gz cpu work_a_while 90
check "and has written its heap" "$pprof" -raw leave.gz

# Daemons.
for mode in daemon daemon2 daemon-thread; do
	PPROF_ADDR=unix:$tmp/d PPROF_HEAP=$mode.gz PPROF_CPU=$mode-cpu.gz \
		with "" "$subject" $mode <hold >out 2>err &
	first=$!
	exec 3>hold
	wait $first
	wait_for 20 grep -q pid out
	pid=$(sed -n 's/pid //p' out)
	own "$pid"
	wait_for 20 fetch http://x/debug/pprof/cmdline cmdline \
		--unix-socket "$tmp/d"
	check "$mode: the daemon serves after its parent has gone" \
		fetch http://x/debug/pprof/heap heap.gz --unix-socket "$tmp/d"
	"$pprof" -top -sample_index=alloc_objects heap.gz >out 2>&1
	ok $? "$mode: and its answer is a profile"
	fetch "http://x/debug/pprof/threads?debug=2" threads \
		--unix-socket "$tmp/d" && grep -q '^wait_for_input' threads
	ok $? "$mode: and its thread is told"
	exec 3>&-
	wait_for 20 test -s $mode.gz
	ok $? "$mode: it writes its profile when it ends"
	[ ! -s err ] || diag "$(cat err)"
	rm -f "$tmp/d"
done

# What is wrong is said, and the program runs.
PPROF_ADDR=nonsense PPROF_MEM_RATE=many PPROF_BUDGET=little \
	with "" "$subject" cancel >out 2>err
grep -q 'PPROF_ADDR=nonsense: must be HOST:PORT' err &&
	grep -q PPROF_MEM_RATE err &&
	grep -q 'PPROF_BUDGET is "little": must be a percentage' err &&
	grep -q cancelled out
ok $? "what is wrong with a variable is said on standard error"
PPROF_SIGNAL=USR PPROF_UNWINDER=none with "" "$subject" cancel >out 2>err
grep -q 'PPROF_SIGNAL=USR: must be' err &&
	grep -q 'PPROF_UNWINDER=none: must be auto, rules' err &&
	grep -q cancelled out
ok $? "a name that is none, too, and what is allowed"

# ---- redis, under load -----------------------------------------------------
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null
then
	PPROF_ADDR=unix:$tmp/redis.pprof with "" redis-server --port 0 \
		--unixsocket "$tmp/redis.sock" --save "" --dir "$tmp" \
		--daemonize no >redis.log 2>&1 &
	own $!
	wait_for 20 redis-cli -s "$tmp/redis.sock" ping
	redis-benchmark -s "$tmp/redis.sock" -t set -n 100000000 -r 100000 \
		-d 2000 -P 8 -q >/dev/null 2>&1 &
	bench=$!
	own $bench
	check "redis: a capture under load" fetch \
		"http://x/debug/pprof/profile?seconds=2" redis-cpu.gz \
		--unix-socket "$tmp/redis.pprof"
	fetch http://x/debug/pprof/heap redis-heap.gz \
		--unix-socket "$tmp/redis.pprof"
	redis-cli -s "$tmp/redis.sock" info memory >memory
	kill $bench
	# Debian strips redis-server: its own functions are the mapping's.
	at_least redis-cpu.gz cpu "[redis-check-rdb]" 20
	redis-cli -s "$tmp/redis.sock" shutdown nosave >/dev/null 2>&1
else
	skip "redis" "redis-server or redis-benchmark is not installed"
fi
done_testing
