#!/bin/sh
# lock-rates.sh - the mutex and block profiles are off, and say how to turn them
# on; they are switched a thousand times by POST, under load, and by the
# variables of the preload library; and no wake-up is lost meanwhile.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
preload=$top_builddir/.libs/libpprof-preload.so
wakeups=$top_builddir/tests/lock_wakeups

# ---- in the server ---------------------------------------------------------
start_server "$top_builddir/proflab-server" -mutex-profile-fraction=0 \
	-block-profile-rate=0 || exit 99
ok 0 "the server is up, its lock profiles off"
base=$server_url/debug/pprof
"$top_builddir/proflab-load" -scenario concurrent -duration 120s \
	-concurrency 2 -quiet -url "$server_url" >"$tmp/load" 2>&1 &
own $!
for kind in mutex block; do
	curl -fsS "$base/$kind?debug=1" >"$tmp/off" 2>&1
	grep -q "the $kind profile is off: .*POST $kind=1 to /debug/pprof/rates" \
		"$tmp/off"
	ok $? "the empty $kind profile says that it is off, and how to turn it on"
	curl -fsS "$base/$kind" >"$tmp/off.gz"
	"$top_builddir/proflab-pprof" -top "$tmp/off.gz" >"$tmp/out" 2>&1
	grep -q "the $kind profile is off" "$tmp/out"
	ok $? "so does the other format"
done

i=0
while [ $i -lt 1000 ]; do
	[ $i -eq 0 ] || echo next
	echo "url = $base/rates"
	echo "data = mutex=$((1 - i % 2))&block=$((i % 3))"
	echo "output = $tmp/rates"
	printf '%s\n' 'write-out = "%{http_code}\n"'
	i=$((i + 1))
done >"$tmp/config"
curl -sS -m 120 -K "$tmp/config" >"$tmp/codes" 2>"$tmp/curl.err"
[ "$(grep -c '^200$' "$tmp/codes")" -eq 1000 ]
ok $? "switched a thousand times: $(sort "$tmp/codes" | uniq -c)"
curl -fsS -d 'mutex=1&block=1' "$base/rates" >"$tmp/rates"
grep -q '"block":1,.*"mutex":1' "$tmp/rates"
ok $? "then on: $(cat "$tmp/rates")"
# shellcheck disable=SC2317 # wait_for calls it
sees() {
	curl -fsS -m 20 "$base/$1?debug=1" 2>&1 | grep -q "$2"
}
wait_for 30 sees mutex do_task
ok $? "the mutex profile names who holds"
wait_for 30 sees block worker_wait
ok $? "the block profile names who waits"
# The thread that wrote these answers has waited for each of them.
curl -fsS "$base/block?debug=1" >"$tmp/block"
grep -q worker_wait "$tmp/block" && ! grep -q writer_ "$tmp/block"
ok $? "the profiler's own threads are not in it"
curl -sS -d 'mutex=-1' "$base/rates" >"$tmp/refused"
grep -q 'invalid value for "mutex" - must be an integer from 0' "$tmp/refused"
ok $? "a rate out of range is refused: $(cat "$tmp/refused")"
# NAME, the option of proflab-server, the preload library's variable, the most
rates='heap mem-profile-rate PPROF_MEM_RATE 1099511627776
block block-profile-rate PPROF_BLOCK_RATE 3600000000000
mutex mutex-profile-fraction PPROF_MUTEX_FRACTION 2147483647'
while read -r name option _ most; do
	curl -fsS -d "$name=$most" "$base/rates" >"$tmp/rates"
	grep -q "\"$name\":${most}[,}]" "$tmp/rates"
	ok $? "the route takes the largest rate of $name: $(cat "$tmp/rates")"
	curl -sS -d "$name=$((most + 1))" "$base/rates" >"$tmp/refused"
	grep -q "must be an integer from 0 to $most (" "$tmp/refused"
	ok $? "and no larger one: $(cat "$tmp/refused")"
	"$top_builddir/proflab-server" "-$option=$((most + 1))" \
		>"$tmp/refused" 2>&1
	grep -q "must be a whole number from 0 to $most\$" "$tmp/refused"
	ok $? "nor does -$option: $(head -n 1 "$tmp/refused")"
	"$top_builddir/proflab-server" "-$option=$most" -version >"$tmp/out" 2>&1
	ok $? "-$option takes it"
done <<RATES
$rates
RATES
kill -TERM "$server_pid"
wait "$server_pid"
ok $? "the server ends as ever"

# ---- preloaded -------------------------------------------------------------
if [ ! -f "$preload" ]; then
	done_testing
fi
for pair in "0 0" "10000 10" "1 1"; do
	PPROF_BLOCK_RATE=${pair% *} PPROF_MUTEX_FRACTION=${pair#* } \
		LD_PRELOAD=$preload "$wakeups" "${LOCK_ROUNDS:-20000}" \
		"${LOCK_SECONDS:-60}" >"$tmp/out" 2>"$tmp/err"
	ok $? "no wake-up is lost at $pair: $(cat "$tmp/out" "$tmp/err")"
done

PPROF_ADDR=unix:$tmp/sock PPROF_BLOCK_RATE=7 PPROF_MUTEX_FRACTION=1 \
	LD_PRELOAD=$preload "$wakeups" 1000000000 120 >"$tmp/out" \
	2>"$tmp/err" &
own $!
wait_for 20 test -S "$tmp/sock"
# ask PATH
ask() {
	curl -fsS -m 30 --unix-socket "$tmp/sock" "http://x/debug/pprof/$1"
}
ask rates >"$tmp/rates"
grep -q '"block":7,.*"mutex":1' "$tmp/rates"
ok $? "the variables set the rates: $(cat "$tmp/rates")"
# shellcheck disable=SC2317 # wait_for calls it
names() {
	ask "$1?debug=1" >"$tmp/text" && grep -q "$2" "$tmp/text" &&
		grep -q "$3" "$tmp/text"
}
wait_for 30 names block 'play+0x' 'pthread_cond_wait+0x'
ok $? "the block profile of a program that knows nothing of it"
wait_for 30 names mutex '\(play\|put\|get\)+0x' 'pthread_\(mutex_unlock\|cond_wait\)+0x'
ok $? "and its mutex profile"

PPROF_BLOCK_RATE=often PPROF_MUTEX_FRACTION=-1 LD_PRELOAD=$preload \
	"$wakeups" 10 >"$tmp/out" 2>"$tmp/err"
[ "$(cat "$tmp/out")" = "10 rounds, 10 taken" ] &&
	grep -q "PPROF_BLOCK_RATE.*often" "$tmp/err" &&
	grep -q "PPROF_MUTEX_FRACTION" "$tmp/err"
ok $? "what is wrong with a variable is said: $(head -n 2 "$tmp/err")"
while read -r _ _ variable most; do
	env "$variable=$most" LD_PRELOAD="$preload" "$wakeups" 10 \
		>"$tmp/out" 2>"$tmp/err"
	[ ! -s "$tmp/err" ]
	ok $? "$variable takes $most, as the route does: $(cat "$tmp/err")"
	env "$variable=$((most + 1))" LD_PRELOAD="$preload" "$wakeups" 10 \
		>"$tmp/out" 2>"$tmp/err"
	grep -q "$variable is .*must be a whole number from 0 to $most\$" \
		"$tmp/err"
	ok $? "$variable refuses more: $(cat "$tmp/err")"
done <<RATES
$rates
RATES
done_testing
