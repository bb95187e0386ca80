#!/bin/sh
# checker.sh - golden tests of proflab-check itself: what is no evidence is never
# a pass, whatever is asked, and the reason is said.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
check_program=$top_builddir/proflab-check
server=$top_builddir/proflab-server
cat >"$tmp/findings" <<'F'
minimum: cpu
samples: 50
duration: 1s

finding: hot
title: one function takes the CPU
profile: cpu
measure: share cum perform_cpu_intensive_task
expect: >= 60%
pass: It does.
fail: It does not.
F

# verdict NAME WANTED REASON ARGS...
verdict() {
	verdict_name=$1
	wanted=$2
	reason=$3
	shift 3
	"$check_program" "$@" >"$tmp/out" 2>&1
	got=$?
	[ "$got" -eq "$wanted" ] && grep -q "$reason" "$tmp/out"
	verdict_ok=$?
	ok $verdict_ok "$verdict_name: exit status $wanted (was $got), and why"
	[ $verdict_ok -eq 0 ] || sed 's/^/# /' "$tmp/out"
}

# both NAME WANTED REASON FILE: asked for presence and for absence.
both() {
	verdict "$1" "$2" "$3" -binary "$server" "$tmp/findings" "cpu=$4"
	verdict "$1, absence asked for" "$2" "$3" -absent -binary "$server" \
		"$tmp/findings" "cpu=$4"
}

load() {
	"$top_builddir/proflab-load" -scenario=cpu "-duration=$1" -quiet \
		-url="$server_url" >"$tmp/load" 2>&1 &
	load_pid=$!
	own $load_pid
}

# One that is whole, for comparison: by its share, whatever the machine does.
# On a machine that has no time for the server, of a longer window.
start_server "$server"
load 60s
for seconds in 3 9 27; do
	curl -fsS -o "$tmp/whole" \
		"$server_url/debug/pprof/profile?seconds=$seconds"
	"$check_program" "$tmp/findings" "cpu=$tmp/whole" >"$tmp/out" 2>&1
	[ $? -eq 77 ] || break
done
verdict "a profile under load" 0 '^PASS' -binary "$server" \
	"$tmp/findings" "cpu=$tmp/whole"
verdict "the same, absence asked for" 1 '^FAIL' -absent -binary "$server" \
	"$tmp/findings" "cpu=$tmp/whole"

# The server dies in the middle of a capture.
curl -fsS -o "$tmp/crashed" \
	"$server_url/debug/pprof/profile?seconds=30" 2>"$tmp/curl" &
curl_pid=$!
own $curl_pid
capturing() {
	curl -fsS "$server_url/metrics" | grep -q '^pprof_http_captures 1$'
}
check "a capture is under way" wait_for 20 capturing
kill -KILL "$server_pid"
! wait $curl_pid
ok $? "curl says that nothing came of it"
wait $load_pid 2>/dev/null
# What a redirection would have left there.
[ -f "$tmp/crashed" ] || : >"$tmp/crashed"
both "a crashed server's" 99 "$tmp/crashed" "$tmp/crashed"

: >"$tmp/empty"
both "an empty file" 99 "$tmp/empty" "$tmp/empty"
half=$(($(wc -c <"$tmp/whole") / 2))
head -c $half "$tmp/whole" >"$tmp/truncated"
both "half of one" 99 "$tmp/truncated" "$tmp/truncated"
echo '<html>502 Bad Gateway</html>' >"$tmp/page"
both "a proxy's page" 99 "$tmp/page" "$tmp/page"
verdict "none at all" 99 'No such file' "$tmp/findings" "cpu=$tmp/none"

# Idle, too short; of another program, of another build.
start_server "$server"
curl -fsS -o "$tmp/idle" "$server_url/debug/pprof/profile?seconds=2"
both "an idle server's" 77 'samples; at least 50' "$tmp/idle"
# Nobody waits for a lock: no evidence, but where the file says that it is some.
curl -fsS -o "$tmp/mutex" "$server_url/debug/pprof/mutex?seconds=1"
cat >"$tmp/holder" <<'F'
finding: holder
title: the holder is do_task
profile: mutex
measure: share cum do_task
expect: >= 50%
pass: It is.
fail: It is not.
F
both_of() {
	verdict "$1" 77 '^INCON' "$2" "mutex=$tmp/mutex"
	verdict "$1, absence asked for" "$3" "$4" -absent "$2" "mutex=$tmp/mutex"
}
both_of "an empty profile" "$tmp/holder" 77 '^INCON'
{
	printf 'minimum: mutex\nduration: 1s\n\n'
	cat "$tmp/holder"
} >"$tmp/enough"
both_of "an empty profile that is enough" "$tmp/enough" 0 '^PASS'
load 60s
curl -fsS -o "$tmp/short" "$server_url/debug/pprof/profile?seconds=1"
sed 's/^duration: .*/duration: 5s/' "$tmp/findings" >"$tmp/longer"
verdict "one that is too short" 77 'at least 5s are needed' \
	"$tmp/longer" "cpu=$tmp/short"
kill $load_pid
wait $load_pid 2>/dev/null
# A program in Go that was busy.
both "another program's" 99 'was not taken from' \
	"$top_srcdir/tests/corpus/pprof/go-cpu.pb.gz"
start_server "$top_builddir/proflab-server-fixed"
curl -fsS -o "$tmp/build" "$server_url/debug/pprof/profile?seconds=1"
both "another build's" 99 'was not taken from' "$tmp/build"
done_testing
