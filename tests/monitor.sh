#!/bin/sh
# monitor.sh - proflab-monitor where there is no terminal: a line each
# interval, thresholds, a server that goes and comes back.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
monitor=$top_builddir/proflab-monitor

start_server "$top_builddir/proflab-server"
"$top_builddir/proflab-load" -scenario=cache -rps=50 -duration=5s -quiet \
	-url="$server_url" >/dev/null 2>&1 &
own $!
status "three looks" 0 "$monitor" -n 3 -interval 500ms "$server_url"
[ "$(wc -l <"$tmp/out")" -eq 3 ]
ok $? "are three lines"
check "with each figure" grep -Eq \
	'^20[-0-9]+ [:0-9]+ memory [0-9.]+[kM]?B threads [0-9]+ requests [0-9.]+/s errors [0-9.]+% p99 [0-9.]+m?s lockwait [0-9.]+s/s cpu [0-9.]+s/s' \
	"$tmp/out"
! grep -q "$(printf '\033')" "$tmp/out"
ok $? "and no colours"
status "a threshold that is crossed" 1 "$monitor" -n 2 -interval 200ms \
	-max threads=1 -fail "$server_url/metrics"
check "is marked" grep -q 'OVER threads 1$' "$tmp/out"
status "one that is not" 0 "$monitor" -n 2 -interval 200ms -fail \
	-max threads=10000 -max p99=none -max errors=none "$server_url"
status "crossed, and nobody asked to fail" 0 "$monitor" -n 1 -max threads=1 "$server_url"
status "one route" 0 "$monitor" -n 2 -interval 200ms -route /cache "$server_url"
status "no such route" 4 "$monitor" -n 1 -route /caches "$server_url"
check "is said" grep -q 'no figure of a route "/caches"' "$tmp/out"
while IFS='|' read -r name words args; do
	# shellcheck disable=SC2086 # words
	status "usage: $name" 2 "$monitor" $args
	check "usage: $name is explained" grep -q -- "$words" "$tmp/out"
done <<'TABLE'
no URL|one URL is needed|-n 1
threshold|must be NAME=VALUE, with memory|-max heap=3 http://a
its value|must be like 250ms|-max p99=250 http://a
interval|must be a duration|-interval 3 http://a
TABLE

# A server that goes, and comes back at the same address.
socket=$tmp/server.sock
"$top_builddir/proflab-server" -listen "unix:$socket" >"$tmp/log" 2>&1 &
first=$!
own $first
wait_for 20 test -S "$socket"
"$monitor" -interval 200ms -fail "unix:$socket" >"$tmp/lines" 2>&1 &
watcher=$!
own $watcher
wait_for 20 grep -q memory "$tmp/lines"
ok $? "it answers"
kill $first
wait $first
wait_for 20 grep -q 'no answer for' "$tmp/lines"
ok $? "a server that has gone is told"
"$top_builddir/proflab-server" -listen "unix:$socket" >"$tmp/log" 2>&1 &
own $!
wait_for 20 grep -q 'back after.*started anew' "$tmp/lines"
ok $? "and that it is back"
kill $watcher
wait $watcher
[ $? -eq 1 ]
ok $? "-fail: it was gone for a while"
done_testing
