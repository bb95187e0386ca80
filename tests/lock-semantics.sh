#!/bin/sh
# lock-semantics.sh - every lock function answers the same with the profiler as
# without: lock_semantics prints all answers, alone, with the shims linked in,
# and with the preload library, while the profiles are off, sampled, and full.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
alone=$top_builddir/tests/lock_semantics
linked=$top_builddir/tests/lock_semantics_linked
preload=$top_builddir/.libs/libpprof-preload.so

"$alone" >"$tmp/alone" 2>"$tmp/err"
ok $? "alone, it runs ($(wc -l <"$tmp/alone") answers)"
for name in EDEADLK EOWNERDEAD ENOTRECOVERABLE ETIMEDOUT EBUSY EINVAL EPERM \
	EAGAIN EOVERFLOW PTHREAD_CANCELED; do
	# Both by a result, or by errno; and one that is no number.
	[ $name != PTHREAD_CANCELED ] || name=", cancelled, in the wait"
	grep -q "$name" "$tmp/alone"
	ok $? "there is an answer '$name'"
done

# ---- the list is complete ----------------------------------------------------
# doc/locks.md names what is hooked, and what is not: together all of libc's
# that lock, wait, join, or unlock; the first are those of the preload library.
names='^_*(pthread|sem|mtx|cnd|thrd|call)_'
page=$top_srcdir/doc/locks.md
# named_below HEADING
named_below() {
	sed -n "/^| $1 /,/^\$/p" "$page" | grep -o '`[a-z_0-9]*`' | tr -d '`' |
		sort
}
named_below kind >"$tmp/hooked"
named_below 'not hooked' >"$tmp/left"
libc=$(ldd "$alone" | sed -n 's/.*libc\.so\.6 => \([^ ]*\) .*/\1/p')
nm -D --defined-only "$libc" | sed 's/.* //; s/@.*//' | sort -u |
	grep -E "$names" |
	grep -E '(lock|wait|join|_once|prioceiling)' |
	grep -vE 'attr|_(init|destroy)$|getprioceiling|clockid' \
		>"$tmp/libc"
sort "$tmp/hooked" "$tmp/left" >"$tmp/named"
diff "$tmp/libc" "$tmp/named" >"$tmp/diff"
ok $? "doc/locks.md names each of libc's $(grep -c . "$tmp/libc") functions"
[ ! -s "$tmp/diff" ] || diag "$(cat "$tmp/diff")"
if [ -f "$preload" ]; then
	nm -D --defined-only "$preload" | sed 's/.* //' |
		grep -E "$names" | grep -v '_create$' | sort >"$tmp/ours"
	diff "$tmp/hooked" "$tmp/ours" >"$tmp/diff"
	ok $? "those that it calls hooked are"
	[ ! -s "$tmp/diff" ] || diag "$(cat "$tmp/diff")"
fi

# begin NAME BLOCK-RATE MUTEX-FRACTION COMMAND...
begin() {
	begin_name=$1
	(
		PPROF_BLOCK_RATE=$2 PPROF_MUTEX_FRACTION=$3
		export PPROF_BLOCK_RATE PPROF_MUTEX_FRACTION
		shift 3
		"$@" >"$tmp/out.$begin_name" 2>"$tmp/err.$begin_name"
		echo $? >"$tmp/rc.$begin_name"
	) &
	own $!
}

# same NAME: its answers are those of the program alone.
same() {
	[ "$(cat "$tmp/rc.$1")" = 0 ] &&
		diff "$tmp/alone" "$tmp/out.$1" >"$tmp/diff"
	same_rc=$?
	ok $same_rc "$1"
	[ $same_rc -eq 0 ] ||
		diag "$(head -n 20 "$tmp/diff" "$tmp/err.$1"; tail -n 2 "$tmp/out.$1")"
}

# They mostly wait: so, side by side.
with_preload=false
if [ -f "$preload" ]; then
	with_preload=true
fi
for rates in "off 0 0" "sampled 100000 10" "full 1 1"; do
	# shellcheck disable=SC2086 # they are words
	set -- $rates
	begin "linked-$1" "$2" "$3" env SHOW_PROFILES=1 "$linked"
	if $with_preload; then
		begin "preloaded-$1" "$2" "$3" \
			env LD_PRELOAD="$preload" "$alone"
	fi
done
# shellcheck disable=SC2086 # they are words
wait $pids
for name in off sampled full; do
	same "linked-$name"
	if $with_preload; then
		same "preloaded-$name"
	fi
done

# The hooks were there, and saw it.
err=$tmp/err.linked-full
for name in pthread_mutex_lock pthread_mutex_clocklock mtx_lock \
	pthread_rwlock_clockwrlock pthread_cond_clockwait cnd_timedwait \
	sem_clockwait pthread_clockjoin_np thrd_join pthread_spin_lock \
	pthread_barrier_wait; do
	grep -q "^#.*$name+" "$err"
	ok $? "$name is in the block profile"
done
sed -n '/^--- mutex/,$p' "$err" >"$tmp/mutex"
for name in pthread_mutex_unlock mtx_unlock pthread_cond_timedwait \
	pthread_rwlock_unlock pthread_spin_unlock; do
	grep -q "^#.*$name+" "$tmp/mutex"
	ok $? "$name is in the mutex profile"
done
grep -q "mutex profile is off" "$tmp/err.linked-off"
ok $? "off, nothing is seen"
done_testing
