# lab.sh - what the walk-throughs share: a server of their own, load on it,
# profiles taken from it, and nothing left running whatever happens.
# Sourced by exercises/*/run, which sets `task` to its own folder and
# lab_default_seconds to the length of its captures.
# shellcheck shell=sh disable=SC2034 # read by the scripts that source it
set -u
: "${task:?}" "${lab_default_seconds:?}"

lab_top=$(cd "$task/../.." && pwd)
lab_absolute() {
	case $1 in
	/*) printf '%s\n' "$1" ;;
	*) printf '%s\n' "$PWD/$1" ;;
	esac
}
lab_build=$(lab_absolute "${PROFLAB_BUILD:-$lab_top/build}")
[ -x "$lab_build/proflab-server" ] || [ ! -x "$lab_top/proflab-server" ] ||
	lab_build=$lab_top
# What is collected stays for the learner to look at.
lab_out=$(lab_absolute "${PROFLAB_STATE:-$lab_top/.proflab}")/$(basename "$task")
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

# lab_is_child PID: of this shell, as it was when it was started; the number of
# one that has ended may be someone else's by now.
lab_is_child() {
	lab_stat=
	{ read -r lab_stat; } 2>/dev/null <"/proc/$1/stat"
	# Behind the name, which may have blanks: the state, and the parent.
	# shellcheck disable=SC2086 # they are words
	set -- ${lab_stat##*)}
	[ "${2-}" = "$$" ]
}

# End what was started here, by pid, and wait until it has ended.
lab_finish() {
	lab_status=$?
	trap - EXIT HUP INT TERM
	for lab_pid in $lab_pids; do
		lab_is_child "$lab_pid" && kill "$lab_pid" 2>/dev/null
	done
	for lab_pid in $lab_pids; do
		wait "$lab_pid" 2>/dev/null
	done
	exit "$lab_status"
}

lab_usage() {
	cat <<TXT
Usage: run [--fixed | --mended] [--seconds N] [--demo]

  --fixed      use the server of solutions/: the findings must be absent there
  --mended     use the learner's own: the findings must be absent, the answers
               the same, and each request as cheap as it can be
  --seconds N  length of a capture (default $lab_default_seconds, or
               \$PROFLAB_SECONDS)
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
			lab_say "run: \"$1\" is no option of a walk-through" >&2
			lab_usage >&2
			exit 2
			;;
		esac
		shift
	done
	: "${lab_seconds:=${PROFLAB_SECONDS:-$lab_default_seconds}}"
	case $lab_seconds in
	'' | *[!0-9]* | 0) lab_die "run: --seconds is \"$lab_seconds\": must be a whole number from 1" ;;
	esac
	trap lab_finish EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	# Answers are held against what the faulty server has shown.
	# A demo takes nothing from a learner, either.
	lab_apart=
	[ "$lab_variant" = faulty ] || lab_apart=$lab_variant
	[ "$lab_mode" != demo ] || lab_apart=demo${lab_apart:+/$lab_apart}
	[ -z "$lab_apart" ] || [ -n "${PROFLAB_STATE:-}" ] ||
		lab_out=$lab_top/.proflab/$lab_apart/$(basename "$task")
	mkdir -p "$lab_out" || lab_die "cannot make the folder $lab_out"
	# A server whose log cannot be written would seem not to start.
	head -c 65536 /dev/zero 2>/dev/null >"$lab_out/room" || {
		rm -f "$lab_out/room"
		lab_die "there is no room in $lab_out, or it cannot be written (PROFLAB_STATE names another folder)"
	}
	rm -f "$lab_out/room"
	[ "$lab_mode" = demo ] || lab_forget_profiles
	# A walk finds what was planted, whatever has been mended since.
	lab_server=$lab_build/proflab-server
	[ "$lab_variant" != faulty ] || lab_server=${PROFLAB_GIVEN:-$lab_server}
	lab_reference=$lab_build/proflab-server-fixed
	[ "$lab_variant" != fixed ] || lab_server=$lab_reference
	for lab_program in "$lab_server" "$lab_reference" "$lab_build/proflab-load" \
		"$lab_build/proflab-pprof" "$lab_build/proflab-check"; do
		[ -x "$lab_program" ] || lab_die "$lab_program is missing: run ./proflab setup first"
	done
	command -v curl >/dev/null 2>&1 || lab_die "curl is missing: apt-get install curl"
	lab_same_answers || exit 1
}

# What an earlier walk took: if this one is broken off, the two must not mix.
lab_forget_profiles() {
	[ -f "$task/task" ] || return 0
	lab_captures=$(sed -n 's/^profiles: *//p' "$task/task")
	for lab_capture in $lab_captures; do
		rm -f "$lab_out/${lab_capture#*=}"
	done
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

# The address that a server wrote into its log.
lab_url_of() {
	sed -n 's,.*\(http://127[0-9.]*:[0-9]*\).*,\1,p' "$1" | head -n 1
}

# Start the server on a free loopback port; sets lab_url.  9 is the lock of the
# runner: what outlives a walk that was killed must not hold it.
lab_start_server() {
	lab_log=$lab_out/server.log
	: >"$lab_log" # not the address of another time
	"$lab_server" -listen 127.0.0.1:0 "$@" >"$lab_log" 2>&1 9>&- &
	lab_server_pid=$!
	lab_pids="$lab_pids $lab_server_pid"
	lab_wait 20 grep -qs 'http://127' "$lab_log" || {
		cat "$lab_log" >&2
		lab_die "the server did not start"
	}
	lab_url=$(lab_url_of "$lab_log")
	lab_rates=$(curl -fsS "$lab_url/debug/pprof/rates") ||
		lab_no_answer "$lab_url"
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
		>"$lab_out/load-$lab_scenario.log" 2>&1 9>&- &
	lab_load_pid=$!
	lab_pids="$lab_pids $lab_load_pid"
}

# Wait for the load to end and tell how it went.
lab_finish_load() {
	wait "$lab_load_pid" || {
		tail -n 20 "$lab_out/load-$lab_scenario.log" >&2
		kill -0 "$lab_server_pid" 2>/dev/null || lab_no_answer "$lab_url"
		lab_die "the load did not run cleanly"
	}
}

# An end that says whether the server still runs.
lab_no_answer() {
	if kill -0 "$lab_server_pid" 2>/dev/null; then
		lab_die "no answer from $1"
	fi
	wait "$lab_server_pid"
	lab_gone=$?
	tail -n 20 "$lab_log" >&2
	lab_die "the server has died (exit status $lab_gone): $lab_log is what it said"
}

# lab_fetch PATH FILE: a profile over HTTP, as one does it by hand.
lab_fetch() {
	lab_say "curl -o $2 '$lab_url$1'"
	curl -fsS -o "$lab_out/$2.part" "$lab_url$1" ||
		lab_no_answer "$lab_url$1"
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
	# For exercises/lib/calibrate: the figures, for machines.
	[ -z "${LAB_JSON:-}" ] || (cd "$lab_out" &&
		"$lab_build/proflab-check" -json "$@") >>"$LAB_JSON"
	# shellcheck disable=SC2086 # nothing, or one word
	(cd "$lab_out" && "$lab_build/proflab-check" $lab_absent \
		-binary "$lab_server" "$@")
}

# lab_check_leaders ARGS...: lab_check, of findings that say who leads.  Somebody
# leads a mended server's profile, too, and it may be the same function at a
# thousandth of the cost; so there the profile is only shown.  What proves a
# mend are the answers and the cost, which lab_begin has asked for.
lab_check_leaders() {
	if [ "$lab_variant" = mended ]; then
		lab_say ""
		lab_say "That is what leads now.  The answers were right and the cost within its limits."
		return 0
	fi
	lab_step "Is it what was to be found?"
	lab_check "$@"
}

# Too little to judge by may have a reason: a workload that has switched the
# profiler off.  That is no way to mend it.
lab_rates_kept() {
	lab_rates_now=$(curl -fsS "$lab_url/debug/pprof/rates") ||
		lab_no_answer "$lab_url"
	[ "$lab_rates_now" != "$lab_rates" ] || return 0
	lab_say "FAIL  sampling: the profiler's rates were changed from within: $lab_rates at the start, $lab_rates_now now"
	return 1
}

# lab_judged FUNCTION: run it; while its verdict is INCONCLUSIVE (77), again
# with captures twice as long, three times at most.
lab_judged() {
	lab_tries=0
	while :; do
		"$1"
		lab_verdict=$?
		[ "$lab_verdict" -eq 77 ] || return "$lab_verdict"
		lab_rates_kept || return 1
		[ "$lab_tries" -lt "${LAB_EXTEND:-3}" ] || return 77
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

# With --mended: the findings being gone is not enough.  Each workload that was
# changed must give the right answers, at the right cost (mended.sh).  Asked
# once, before anything else: what is wrong need not be profiled.
lab_worst=
lab_same_answers() {
	[ "$lab_variant" = mended ] || return 0
	[ -z "$lab_worst" ] || return "$lab_worst"
	lab_worst=0
	for lab_name in ${PROFLAB_MENDED:-$(sed -n 's/^mend: *//p' "$task/task")}; do
		lab_mended "$lab_name" || lab_worst=1
	done
	return "$lab_worst"
}

# shellcheck source=exercises/lib/measure.sh
. "$lab_top/exercises/lib/measure.sh"
# shellcheck source=exercises/lib/mended.sh
. "$lab_top/exercises/lib/mended.sh"
