# lab.sh - what the walk-throughs share: a server of their own, load on it,
# profiles taken from it, and nothing left running whatever happens.
# Sourced by exercises/*/run, which sets `task` to its own folder and
# lab_default_seconds to the length of its captures.
# shellcheck shell=sh disable=SC2034 # read by the scripts that source it
set -u
: "${task:?}" "${lab_default_seconds:?}"

lab_top=$(cd "$task/../.." && pwd)
lab_build=${PROFLAB_BUILD:-$lab_top/build}
[ -x "$lab_build/proflab-server" ] || [ ! -x "$lab_top/proflab-server" ] ||
	lab_build=$lab_top
# What is collected stays for the learner to look at.
lab_out=${PROFLAB_STATE:-$lab_top/.proflab}/$(basename "$task")
lab_pids=
lab_variant=faulty
lab_seconds=
lab_mode=

lab_say() {
	printf '%s\n' "$*"
}

# A step of the walk-through: what is done now, and why.
lab_step() {
	printf '\n== %s\n' "$*"
}

lab_die() {
	printf '%s\n' "$*" >&2
	exit 99
}

# End what was started here, by pid, and wait until it has ended.
lab_finish() {
	lab_status=$?
	trap - EXIT HUP INT TERM
	for lab_pid in $lab_pids; do
		kill "$lab_pid" 2>/dev/null
	done
	for lab_pid in $lab_pids; do
		wait "$lab_pid" 2>/dev/null
	done
	exit "$lab_status"
}

lab_usage() {
	cat <<TXT
Usage: run [--fixed] [--seconds N] [--demo]

  --fixed      use the mended server: the findings must be absent there
  --seconds N  length of a capture (default $lab_default_seconds)
  --demo       as ./proflab demo shows it
TXT
}

# lab_begin "$@": options, traps, programs.
lab_begin() {
	while [ $# -gt 0 ]; do
		case $1 in
		--fixed) lab_variant=fixed ;;
		--seconds)
			[ $# -gt 1 ] || lab_die "run: --seconds needs a number"
			lab_seconds=$2
			shift
			;;
		--demo) lab_mode=demo ;;
		-h | --help)
			lab_usage
			exit 0
			;;
		*)
			lab_usage >&2
			exit 2
			;;
		esac
		shift
	done
	: "${lab_seconds:=$lab_default_seconds}"
	case $lab_seconds in
	'' | *[!0-9]* | 0) lab_die "run: --seconds is \"$lab_seconds\": must be a whole number from 1" ;;
	esac
	trap lab_finish EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -p "$lab_out" || lab_die "cannot make the folder $lab_out"
	lab_server=$lab_build/proflab-server
	[ "$lab_variant" = faulty ] || lab_server=$lab_build/proflab-server-fixed
	for lab_program in "$lab_server" "$lab_build/proflab-load" \
		"$lab_build/proflab-pprof" "$lab_build/proflab-check"; do
		[ -x "$lab_program" ] || lab_die "$lab_program is missing: run ./proflab setup first"
	done
	command -v curl >/dev/null 2>&1 || lab_die "curl is missing: apt-get install curl"
}

# lab_wait SECONDS COMMAND...: poll until it succeeds.
lab_wait() {
	lab_until=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$lab_until" ] || return 1
		sleep 0.1
	done
}

# Start the server on a free loopback port; sets lab_url.
lab_start_server() {
	lab_log=$lab_out/server.log
	"$lab_server" -listen 127.0.0.1:0 "$@" >"$lab_log" 2>&1 &
	lab_server_pid=$!
	lab_pids="$lab_pids $lab_server_pid"
	lab_wait 20 grep -q 'http://127' "$lab_log" || {
		cat "$lab_log" >&2
		lab_die "the server did not start"
	}
	lab_url=$(sed -n 's,.*\(http://127[0-9.]*:[0-9]*\).*,\1,p' "$lab_log" |
		head -n 1)
	lab_say "The server (pid $lab_server_pid, $lab_variant) listens on $lab_url"
}

# lab_start_load SCENARIO SECONDS [ARGS...]: load in the background.
lab_start_load() {
	lab_scenario=$1
	lab_say "proflab-load -scenario=$1 -duration=${2}s"
	"$lab_build/proflab-load" "-scenario=$1" "-duration=${2}s" \
		"-url=$lab_url" >"$lab_out/load-$1.log" 2>&1 &
	lab_load_pid=$!
	lab_pids="$lab_pids $lab_load_pid"
}

# Wait for the load to end and tell how it went.
lab_finish_load() {
	wait "$lab_load_pid" || {
		tail -n 20 "$lab_out/load-$lab_scenario.log" >&2
		lab_die "the load did not run cleanly"
	}
}

# lab_fetch PATH FILE: a profile over HTTP, as one does it by hand.
lab_fetch() {
	lab_say "curl -o $2 '$lab_url$1'"
	curl -fsS -o "$lab_out/$2.part" "$lab_url$1" ||
		lab_die "no answer from $lab_url$1"
	mv "$lab_out/$2.part" "$lab_out/$2"
}

# lab_pprof ARGS...: the reader, its command line shown.
lab_pprof() {
	lab_say "proflab-pprof $*"
	(cd "$lab_out" && "$lab_build/proflab-pprof" "$@")
}

# lab_check FINDINGS PROFILE...: on the mended server each must be absent.
lab_check() {
	lab_findings=$1
	shift
	lab_say "proflab-check $(basename "$lab_findings") $*"
	if [ "$lab_variant" = fixed ]; then
		(cd "$lab_out" && "$lab_build/proflab-check" -absent \
			-binary "$lab_server" "$lab_findings" "$@")
	else
		(cd "$lab_out" && "$lab_build/proflab-check" \
			-binary "$lab_server" "$lab_findings" "$@")
	fi
}
