# lib.sh - for the shell tests: TAP, a scratch folder, processes that are ended
# with the test whatever happens.  Sourced; never run.
# shellcheck shell=sh
set -u
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${top_builddir:=$top_srcdir}"
# The jobs of the make that runs the tests are not for those that they run.
unset MAKEFLAGS MFLAGS MAKELEVEL
tap_n=0
tap_failed=0
pids=
tmp=$(mktemp -d "${TMPDIR:-/tmp}/proflab-test.XXXXXX") || exit 99

# born PID: when it began, in the kernel's ticks; nothing where there is none.
born() {
	born_stat=
	{ read -r born_stat; } 2>/dev/null <"/proc/$1/stat"
	# Behind the name, which may have blanks.
	# shellcheck disable=SC2086 # they are words
	set -- ${born_stat##*)}
	echo "${20-}"
}

# is_there PID: one that is owned, and has not ended.  Its number alone may be
# someone else's by now: another test's, or the tests' own make.
is_there() {
	eval "is_there_born=\${own_$1-}"
	[ -n "$is_there_born" ] && [ "$(born "$1")" = "$is_there_born" ]
}

finish() {
	status=$?
	trap - EXIT HUP INT TERM
	for pid in $pids; do
		is_there "$pid" && kill "$pid" 2>/dev/null
	done
	for pid in $pids; do
		wait "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
	exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Remember a background process that this test started.
own() {
	[ -n "$1" ] || return
	pids="$pids $1"
	eval "own_$1=\$(born $1)"
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# ok CONDITION-STATUS NAME
ok() {
	tap_n=$((tap_n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_n - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_n - $2"
	fi
}

# check NAME COMMAND...: passes when the command succeeds; its output is shown
# as diagnostics when it does not.
check() {
	check_name=$1
	shift
	if "$@" >"$tmp/check.out" 2>&1; then
		ok 0 "$check_name"
	else
		ok 1 "$check_name"
		sed 's/^/# /' "$tmp/check.out"
	fi
}

# skip NAME REASON; a failure under REQUIRE_JUDGES=1.
skip() {
	tap_n=$((tap_n + 1))
	if [ "${REQUIRE_JUDGES:-0}" = 1 ]; then
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_n - $1: $2 (and REQUIRE_JUDGES=1)"
	else
		echo "ok $tap_n - $1 # SKIP $2"
	fi
}

# End the whole test as skipped (as failed under REQUIRE_JUDGES=1).
skip_all() {
	if [ "${REQUIRE_JUDGES:-0}" = 1 ]; then
		echo "1..1"
		echo "not ok 1 - $1 (and REQUIRE_JUDGES=1)"
	else
		echo "1..0 # SKIP $1"
	fi
	exit 0
}

done_testing() {
	echo "1..$tap_n"
	[ "$tap_failed" -eq 0 ]
	exit
}

# wait_for SECONDS COMMAND...: poll until it succeeds; status 1 when time is
# up.
wait_for() {
	wait_end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$wait_end" ] || return 1
		sleep 0.05
	done
}

# status NAME WANTED COMMAND...: passes when the command, which has nothing to
# read, ends with that status; what it printed is in $tmp/out.
status() {
	status_name=$1
	wanted=$2
	shift 2
	"$@" >"$tmp/out" 2>&1 </dev/null
	got=$?
	[ "$got" -eq "$wanted" ]
	ok $? "$status_name: exit status $wanted (was $got)"
	[ "$got" -eq "$wanted" ] || sed 's/^/# /' "$tmp/out"
}

# start_server PROGRAM [ARGS...]: a proflab-server on a free loopback port;
# sets server_pid and server_url.
start_server() {
	server_log=$tmp/server.$$.$tap_n.log
	server_program=$1
	shift
	"$server_program" -listen 127.0.0.1:0 "$@" >"$server_log" 2>&1 &
	server_pid=$!
	own "$server_pid"
	if ! wait_for 20 grep -q 'http://127' "$server_log"; then
		diag "the server did not start:"
		sed 's/^/# /' "$server_log"
		return 1
	fi
	# shellcheck disable=SC2034 # for the one who sources this
	server_url=$(sed -n 's,.*\(http://127[0-9.]*:[0-9]*\).*,\1,p' \
		"$server_log" | head -n 1)
}
