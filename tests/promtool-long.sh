#!/bin/sh
# promtool-long.sh - `promtool debug pprof` collects every profile that it knows
# from the running server, and each can be read; its CPU profile takes 30 s.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
[ -n "${PROMTOOL:-}" ] || skip_all "promtool is not installed (prometheus)"

start_server "$top_builddir/proflab-server" || exit 99
ok 0 "the server is up"
curl -fsS -o "$tmp/out" "$server_url/concurrent?workers=8&tasks=200"

# Into debug.tar.gz of the folder it runs in.
collect() {
	(cd "$tmp" && timeout 120 "$PROMTOOL" debug pprof "$server_url")
}
check "promtool debug pprof" collect
check "its archive opens" tar -xzf "$tmp/debug.tar.gz" -C "$tmp"
for name in cpu heap mutex block goroutine threadcreate; do
	file=$(find "$tmp" -name "*$name*.pb" | head -n 1)
	check "it has $name" test -s "${file:-none}"
	check "and $name can be read" \
		"$top_builddir/proflab-pprof" -raw "$file"
done
done_testing
