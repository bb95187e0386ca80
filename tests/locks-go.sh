#!/bin/sh
# locks-go.sh - the profiles of threads, locks and blocking in `go tool pprof`:
# whole, as windows of a second, and as texts, taken from the server under load;
# and -tagfocus=route:/cache on every kind of profile, with both readers.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
[ -n "${GO:-}" ] || skip_all "go is not installed (golang-go)"
PPROF_TMPDIR=$tmp HOME=$tmp
export PPROF_TMPDIR HOME
unset PPROF_BINARY_PATH
ours=$top_builddir/proflab-pprof

# From a folder without the binary, so that nothing can be read from it.
go_pprof() {
	(cd "$tmp" && timeout 60 "$GO" tool pprof "$@") 2>"$tmp/go.err"
}

start_server "$top_builddir/proflab-server" -mutex-profile-fraction=1 \
	-block-profile-rate=1 -mem-profile-rate=1024 || exit 99
ok 0 "the server is up"
for load in "cache 8" "concurrent 4" "cpu 1"; do
	"$top_builddir/proflab-load" -scenario "${load% *}" -duration 120s \
		-concurrency "${load#* }" -quiet -url "$server_url" >"$tmp/load" 2>&1 &
	own $!
done
base=$server_url/debug/pprof

# Until the server has seen some of each.
# shellcheck disable=SC2317 # wait_for calls it
is_busy() {
	curl -fsS -m 20 -o "$tmp/mutex.seen" "$base/mutex?debug=1" &&
		grep -q 'do_task' "$tmp/mutex.seen" &&
		grep -q 'cache_' "$tmp/mutex.seen"
}
wait_for 30 is_busy
ok $? "and busy"

# take FILE PATH: in the background.
takes=
take() {
	curl -fsS -m 60 -o "$tmp/$1" "$base/$2" 2>>"$tmp/curl.err" &
	takes="$takes $!"
}
# The windows beside each other.
kinds="threads goroutine threadcreate mutex block heap allocs"
take profile 'profile?seconds=2'
take wall 'wall?seconds=2'
for kind in $kinds; do
	take "$kind.delta" "$kind?seconds=1"
done
# shellcheck disable=SC2086 # they are words
wait $takes
takes=
for kind in $kinds; do
	take "$kind" "$kind"
	take "$kind.text" "$kind?debug=1"
done
# shellcheck disable=SC2086 # they are words
wait $takes
[ ! -s "$tmp/curl.err" ]
ok $? "all were taken"
[ ! -s "$tmp/curl.err" ] || diag "$(cat "$tmp/curl.err")"

# has_routes FILE: it has samples of /cache, and of others.
has_routes() {
	"$ours" -tags "$tmp/$1" >"$tmp/tags" 2>&1
	grep -q ': */cache$' "$tmp/tags" &&
		grep -q ': */c\(pu\|oncurrent\)$' "$tmp/tags"
}
# On a machine that has no time for the server, a window is longer.
for cpu_seconds in 4 8 16; do
	has_routes profile && break
	curl -fsS -m 60 -o "$tmp/profile" "$base/profile?seconds=$cpu_seconds"
done

# shows FILE PATTERN...: go reads it, and has such lines.
shows() {
	shows_file=$1
	shift
	go_pprof -top -nodecount=10000 -nodefraction=0 "$tmp/$shows_file" \
		>"$tmp/go.out"
	for pattern; do
		grep -Eq -- "$pattern" "$tmp/go.out"
		shows_rc=$?
		ok $shows_rc "$shows_file: $pattern"
		[ $shows_rc -eq 0 ] ||
			diag "$(cat "$tmp/go.err"; head -n 20 "$tmp/go.out")"
	done
}
shows wall '^Type: wall' 'worker_run$'
shows threads '^Type: threads' 'worker_run$'
shows goroutine '^Type: goroutine' 'worker_run$'
shows threadcreate '^Type: threadcreate' 'start_workers'
shows mutex '^Type: delay' 'do_task'
shows block '^Type: delay' 'worker_wait'
shows threads.delta '^Type: threads'
shows goroutine.delta '^Type: goroutine'
shows threadcreate.delta '^Type: threadcreate'
shows mutex.delta '^Type: delay' 'do_task'
shows block.delta '^Type: delay' 'worker_wait'
shows heap.delta '^Type: inuse_space'
shows allocs.delta '^Type: alloc_space'
# In texts Go's reader takes the addresses, and leaves the names.
shows threads.text '^Type: threads' ' 100% of [0-9]'
shows goroutine.text '^Type: goroutine' ' 100% of [0-9]'
shows threadcreate.text '^Type: threadcreate' ' 100% of [0-9]'
shows mutex.text '^Type: delay' ' 100% of [0-9]'
shows block.text '^Type: delay' ' 100% of [0-9]'
shows heap.text '^Type: inuse_space' ' 100% of [0-9]'

# ---- one route of all --------------------------------------------------------
# focus FILE PATTERN [SAMPLE-INDEX]: both readers say the same of it; what is
# shown is /cache's; and it is less than everything.
focus() {
	index=${3+-sample_index=$3}
	# shellcheck disable=SC2086 # empty or one word
	go_pprof -top $index -tagfocus=route:/cache "$tmp/$1" >"$tmp/go.out"
	# shellcheck disable=SC2086
	"$ours" -top $index -tagfocus=route:/cache "$tmp/$1" \
		>"$tmp/our.out" 2>"$tmp/our.err"
	cmp "$tmp/go.out" "$tmp/our.out" >"$tmp/cmp" &&
		grep -Eq "$2" "$tmp/go.out"
	focus_rc=$?
	ok $focus_rc "-tagfocus=route:/cache on $1: $2"
	[ $focus_rc -eq 0 ] || diag "$(cat "$tmp/cmp" "$tmp/go.err"
		head -n 15 "$tmp/go.out" "$tmp/our.out")"
	# shellcheck disable=SC2086
	"$ours" -tags $index -tagfocus=route:/cache "$tmp/$1" \
		>"$tmp/tags" 2>&1
	! sed -n '/route:/,/^ *[a-z_]*: Total/p' "$tmp/tags" |
		grep '(.*%).*: */' | grep -v '/cache$' >"$tmp/others"
	ok $? "and nothing of another route: $(grep -c . "$tmp/others")"
	has_routes "$1"
	ok $? "which $1 has as well"
}
# Of the little CPU that it takes a sample may be in a library it calls.
focus profile 'accounting for [0-9.]*[1-9]'
focus wall 'cache_'
focus heap 'cache_' alloc_space
focus mutex 'cache_'
focus block 'cache_'
done_testing
