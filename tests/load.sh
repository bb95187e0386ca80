#!/bin/sh
# load.sh - proflab-load as one calls it, against the real server: every
# scenario runs clean, and the exit status tells what happened.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
load=$top_builddir/proflab-load

# status NAME WANTED COMMAND...: its exit status; output in $tmp/out, $tmp/err.
status() {
	status_name=$1
	status_wanted=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err"
	status_got=$?
	[ "$status_got" -eq "$status_wanted" ]
	ok $? "$status_name (exit status $status_got)"
	[ "$status_got" -eq "$status_wanted" ] || {
		sed 's/^/# /' "$tmp/out" "$tmp/err" | tail -n 20
	}
}

status "-help" 0 "$load" -help
for scenario in cpu memory mixed leaky inefficient database cache concurrent; do
	grep -q "^  $scenario " "$tmp/out"
	ok $? "-help lists $scenario"
done
status "no such option" 2 "$load" -users=3
status "no such scenario" 2 "$load" -scenario=none
status "nobody there" 1 "$load" -url=http://127.0.0.1:1 -duration=1s
grep -q 'http://127.0.0.1:1/health' "$tmp/err"
ok $? "and it says where it looked"

start_server "$top_builddir/proflab-server" -leak-ceiling 10485760 || {
	ok 1 "the server starts"
	done_testing
}
for scenario in cpu memory mixed inefficient database cache concurrent; do
	status "$scenario" 0 "$load" "-scenario=$scenario" -duration=300ms \
		-concurrency=2 --url "$server_url"
	grep -q '^Success Rate: 100.00%$' "$tmp/out"
	ok $? "$scenario: all succeed"
done

# The leak's ceiling is at 1,000 blocks here; then the route says 503.
status "leaky, up to the ceiling" 1 "$load" -scenario=leaky -rps=0 \
	-duration=1s -concurrency=2 -json -url="$server_url"
grep -q '"http_503": [1-9]' "$tmp/out"
ok $? "and the errors are named"

# Ended by their number, long before the time; the same seed, the same ones.
status "a number of requests" 0 "$load" -scenario=inefficient -requests=37 \
	-duration=10m -concurrency=3 -json -url="$server_url"
grep -q '"total_requests": 37,' "$tmp/out"
ok $? "and no more than that"

# Ended by hand: the summary of what was.
"$load" -scenario=cpu -duration=10m -url="$server_url" >"$tmp/out" 2>"$tmp/err" &
load_pid=$!
own "$load_pid"
wait_for 20 grep -q 'Starting load test' "$tmp/err"
wait_for 20 grep -q 'Progress:  *5s' "$tmp/err"
ok $? "progress is shown"
kill -INT "$load_pid"
wait "$load_pid"
status=$?
[ "$status" -eq 0 ]
ok $? "ended by SIGINT: exit status $status"
grep -q '^Successful Requests: [1-9]' "$tmp/out"
ok $? "and the summary is printed"
done_testing
