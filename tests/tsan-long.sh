#!/bin/sh
# tsan-long.sh - the servers, built with ThreadSanitizer (malloc's shim left
# out), under mixed load, while captures of every kind are taken and the rates
# are switched: no report.  Nothing is suppressed: the faults that the workloads
# plant lose updates and wake-ups under their locks, so they are no data races.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CC:=cc}"
seconds=${TSAN_SECONDS:-20}
srcdir=$(cd "$top_srcdir" && pwd)

if ! echo 'int main(void) { return 0; }' >"$tmp/probe.c" ||
	! $CC -fsanitize=thread -o "$tmp/probe" "$tmp/probe.c" 2>/dev/null ||
	! "$tmp/probe"; then
	skip_all "the compiler has no ThreadSanitizer that runs here"
fi

# A source folder that was configured itself cannot be built elsewhere.
if [ -f "$srcdir/config.status" ]; then
	skip_all "the source folder is configured itself"
fi
mkdir "$tmp/build"
(cd "$tmp/build" && "$srcdir/configure" --enable-sanitizer=thread \
	CC="$CC" CFLAGS="-g -O1") >"$tmp/configure.log" 2>&1
ok $? "configure --enable-sanitizer=thread"
(cd "$tmp/build" && make -j2 proflab-server proflab-server-fixed \
	proflab-load) >"$tmp/make.log" 2>&1
built=$?
ok $built "it builds"
if [ $built -ne 0 ]; then
	diag "$(tail -n 20 "$tmp/configure.log" "$tmp/make.log")"
	done_testing
fi

# fetch PATH: once; its pid is remembered.
fetch() {
	curl -sS --fail -m 60 -o "$tmp/answer.$1" \
		"$server_url/debug/pprof/$2" 2>>"$tmp/curl.err" &
	fetches="$fetches $!"
}

# One of each kind, side by side, and the rates off and on again.
capture_all() {
	fetches=
	capture_n=0
	for path in 'profile?seconds=2' 'profile?seconds=1&hz=500' \
		'wall?seconds=2' 'wall?seconds=1&hz=50' \
		heap allocs 'heap?seconds=1' 'heap?debug=1' \
		mutex 'mutex?seconds=1' 'mutex?debug=1' \
		block 'block?seconds=1' 'block?debug=1' \
		threads 'threads?debug=1' goroutine 'goroutine?debug=2' \
		threadcreate 'threadcreate?seconds=1' ''; do
		capture_n=$((capture_n + 1))
		fetch $capture_n "$path"
	done
	for rates in 'mutex=0&block=0' 'mutex=1&block=1' 'mutex=10' \
		'block=1000&mutex=1'; do
		curl -sS -m 60 -o "$tmp/rates" -d "$rates" \
			"$server_url/debug/pprof/rates" 2>>"$tmp/curl.err"
	done
	curl -sS -m 60 -o "$tmp/metrics" "$server_url/metrics" \
		2>>"$tmp/curl.err"
	# shellcheck disable=SC2086 # they are words
	wait $fetches
}

# under_load PROGRAM
under_load() {
	reports=$tmp/report.$1
	TSAN_OPTIONS="log_path=$reports exitcode=66 history_size=4"
	export TSAN_OPTIONS
	start_server "$tmp/build/$1" -mutex-profile-fraction=1 \
		-block-profile-rate=1
	ok $? "$1 is up"
	unset TSAN_OPTIONS
	"$tmp/build/proflab-load" -scenario mixed -rps 0 \
		-duration "${seconds}s" -url "$server_url" -quiet \
		>"$tmp/load" 2>&1 &
	load_pid=$!
	own $load_pid
	while kill -0 $load_pid 2>/dev/null; do
		capture_all
	done
	[ -s "$tmp/answer.1" ] && [ -s "$tmp/answer.20" ]
	ok $? "$1: its profiles were taken under load"
	grep -q '^Successful Requests: [1-9]' "$tmp/load"
	ok $? "$1: $(grep '^Successful Requests' "$tmp/load")"
	kill -TERM "$server_pid"
	wait "$server_pid"
	server_rc=$?
	cat "$reports".* >"$tmp/reports" 2>/dev/null
	[ $server_rc -eq 0 ] && [ ! -s "$tmp/reports" ]
	ok $? "$1: no data race is reported"
	diag "$(grep SUMMARY "$tmp/reports" | sort | uniq -c)"
	[ $server_rc -eq 0 ] || diag "$(head -n 100 "$tmp/reports")"
}
under_load proflab-server
under_load proflab-server-fixed
done_testing
