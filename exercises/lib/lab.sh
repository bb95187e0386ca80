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
Usage: run [--fixed | --mended] [--seconds N] [--demo]

  --fixed      use the mended server: the findings must be absent there
  --mended     the learner's own server, mended: they must be absent, and the
               answers must still be those of the original
  --seconds N  length of a capture (default $lab_default_seconds)
  --demo       as ./proflab demo shows it
TXT
}

# lab_begin "$@": options, traps, programs.
lab_begin() {
	while [ $# -gt 0 ]; do
		case $1 in
		--fixed) lab_variant=fixed ;;
		--mended) lab_variant=mended ;;
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
	[ "$lab_variant" != fixed ] || lab_server=$lab_build/proflab-server-fixed
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
	lab_duration=$2
	shift 2
	lab_say "proflab-load -scenario=$lab_scenario -duration=${lab_duration}s${*:+ $*}"
	"$lab_build/proflab-load" "-scenario=$lab_scenario" \
		"-duration=${lab_duration}s" "-url=$lab_url" "$@" \
		>"$lab_out/load-$lab_scenario.log" 2>&1 &
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

# lab_check [OPTION...] FINDINGS PROFILE...: on a mended server each finding
# must be absent.
lab_check() {
	lab_absent=
	[ "$lab_variant" = faulty ] || lab_absent=-absent
	lab_say "proflab-check${lab_absent:+ $lab_absent} $*" |
		sed "s,$lab_top/,,g"
	# shellcheck disable=SC2086 # nothing, or one word
	(cd "$lab_out" && "$lab_build/proflab-check" $lab_absent \
		-binary "$lab_server" "$@")
}

# lab_judged FUNCTION: run it; while its verdict is INCONCLUSIVE (77), again
# with captures twice as long, three times at most.
lab_judged() {
	lab_tries=0
	while :; do
		"$1"
		lab_verdict=$?
		[ "$lab_verdict" -eq 77 ] || return "$lab_verdict"
		[ "$lab_tries" -lt 3 ] || return 77
		lab_tries=$((lab_tries + 1))
		lab_seconds=$((lab_seconds * 2))
		lab_step "Too close to call: once more, over $lab_seconds seconds"
	done
}

# lab_mends NAME: are the findings about this workload to be looked at?  All
# of them, but for a check of the learner's own: those that were changed
# (PROFLAB_MENDED, from ./proflab check).
lab_mends() {
	[ "$lab_variant" = mended ] && [ -n "${PROFLAB_MENDED:-}" ] || return 0
	case " $PROFLAB_MENDED " in
	*" $1 "*) return 0 ;;
	*) return 1 ;;
	esac
}

# What the learner's workloads answer, against the reference variant's: to the
# letter; sums of floating point numbers to one in 10^9.
lab_same_answers() {
	[ "$lab_variant" = mended ] || return 0
	lab_step "Does it still answer as the original does?"
	(cd "$lab_build" && make -s tests/workload_report-faulty \
		tests/workload_report-fixed) >"$lab_out/make.log" 2>&1 || {
		tail -n 20 "$lab_out/make.log" >&2
		lab_die "the program that asks the workloads cannot be built"
	}
	for lab_which in faulty fixed; do
		timeout 120 "$lab_build/tests/workload_report-$lab_which" answers \
			>"$lab_out/answers-$lab_which" || {
			lab_say "FAIL  answers: the workloads crashed, or did not finish"
			return 1
		}
	done
	awk '
		function same(a, b,    x, y) {
			if (a == b) return 1
			if (split(a, x) != 3 || split(b, y) != 3) return 0
			if (x[1] != "cpu" || x[2] != y[2]) return 0
			return x[3] - y[3] <= 1e-9 * y[3] && y[3] - x[3] <= 1e-9 * y[3]
		}
		NR == FNR { yours[NR] = $0; n = NR; next }
		!/^ / { request = $1 " " $2 }
		!same(yours[FNR], $0) && bad++ < 5 {
			printf "FAIL  answers: %s: yours    %s\n", request, yours[FNR]
			printf "      the original answers   %s\n", $0
		}
		END {
			if (FNR != n) bad++
			if (!bad) printf "PASS  answers: all %d are the same\n", n
			exit bad > 0
		}' "$lab_out/answers-faulty" "$lab_out/answers-fixed"
}
