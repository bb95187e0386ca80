#!/bin/sh
# server-go.sh - `go tool pprof` on the running server, with no binary given:
# the process symbolizes itself.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
[ -n "${GO:-}" ] || skip_all "go is not installed (golang-go)"
PPROF_TMPDIR=$tmp HOME=$tmp
export PPROF_TMPDIR HOME
unset PPROF_BINARY_PATH

# From a folder without the binary, so that nothing can be read from it.
pprof() {
	(cd "$tmp" && timeout 60 "$GO" tool pprof "$@") >"$tmp/out" \
		2>"$tmp/pprof.err"
}

# says PATTERN ARGS...: pprof's report has a line like this.  On a machine that
# has no time for the server a short window may be empty: so, five windows.
# shellcheck disable=SC2317 # check calls it
says() {
	says_pattern=$1
	shift
	for _ in 1 2 3 4 5; do
		pprof "$@"
		grep -Eq "$says_pattern" "$tmp/out" && return
	done
	cat "$tmp/pprof.err" "$tmp/out"
	return 1
}

start_server "$top_builddir/proflab-server" -mutex-profile-fraction=1 \
	-block-profile-rate=1 || exit 99
ok 0 "the server is up"

# Keep it busy until the test is over.
busy() {
	while curl -fsS -m 60 -o "$tmp/busy" \
		"$server_url/cpu?iterations=500000"; do :; done
}
busy 2>"$tmp/busy.err" &
own $!
wait_for 20 test -s "$tmp/busy"
ok $? "and busy"

profile="$server_url/debug/pprof/profile?seconds=2"
check "top finds the hot function" \
	says 'perform_cpu_intensive_task$' -top "$profile"
check "list shows its source" \
	says '[0-9]m?s .*trig_term' -list '^perform_cpu_intensive_task$' \
	"$profile"
check "traces carry the route" says 'route: */cpu' -traces "$profile"
check "-seconds reaches the server" \
	says '^Duration: [34][.s]' -seconds 3 -top "$server_url"
curl -fsS -o "$tmp/leak" "$server_url/leaky?size=5000"
check "the heap names who holds it" \
	says 'create_leaky_structures$' -top "$server_url/debug/pprof/heap"
check "goroutine tells where each thread is" \
	says 'worker_run$' -top "$server_url/debug/pprof/goroutine"
check "so does threads" \
	says 'worker_run$' -top "$server_url/debug/pprof/threads"
curl -fsS -o "$tmp/workers" "$server_url/concurrent?workers=8&tasks=200"
check "threadcreate tells who created them" \
	says ' start_workers' -top "$server_url/debug/pprof/threadcreate"
check "mutex names who holds the lock" \
	says ' do_task' -top "$server_url/debug/pprof/mutex"
check "block names who waits" \
	says ' worker_wait' -top "$server_url/debug/pprof/block"
pprof -top "$server_url/debug/pprof/nix"
grep -q "404 Not Found - Unknown profile" "$tmp/pprof.err"
ok $? "an error's words reach the user"
pprof -top "$server_url/debug/pprof/profile?seconds=-1"
grep -q "from 0 to 3600" "$tmp/pprof.err"
ok $? "so do those of a refused parameter"

# The page of its own web server, on a port that it picks.
pprof_page() {
	(cd "$tmp" && exec "$GO" tool pprof -no_browser -http=127.0.0.1: \
		"$profile") >"$tmp/page.log" 2>&1 &
	page_pid=$!
	own "$page_pid"
	wait_for 60 grep -q "Serving web UI on" "$tmp/page.log" || return 1
	page_url=$(sed -n 's/.*Serving web UI on //p' "$tmp/page.log")
	curl -fsS -m 30 "$page_url/ui/top" >"$tmp/page" || return 1
	grep -q perform_cpu_intensive_task "$tmp/page"
}
pprof_page
ok $? "-http serves it"
# `go tool` starts pprof as a child, which does not end with it.
# shellcheck disable=SC2013 # they are words
for child in $(cat "/proc/$page_pid/task/$page_pid/children"); do
	kill "$child"
done
done_testing
