#!/bin/sh
# wrong-fixes.sh - changes that make the findings go away and mend nothing: each
# is built into a server, and ./proflab check must say FAIL, and why.  See
# tests/wrong-fixes/: each file says what it does.  WRONG_FIXES names those to
# be tried; none: all of them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/course-lib.sh
. "$top_srcdir/tests/course-lib.sh"
command -v patch >/dev/null 2>&1 || skip_all "patch is not installed"
scratch_course || {
	ok 1 "a copy of the course"
	done_testing
}

# The task that mends a workload; its answers have been found.
task_of() {
	for file in "$scratch"/exercises/[1-9]-*/task; do
		case " $(sed -n 's/^mend: *//p' "$file") " in
		*" $1 "*)
			basename "$(dirname "$file")" | cut -d - -f 1
			return
			;;
		esac
	done
}

# tried FIX
tried() {
	case " ${WRONG_FIXES:-$1} " in *" $1 "*) return 0 ;; esac
	return 1
}

# wrong FIX WORKLOAD REASON: one a line, where it may be one of several.
wrong() {
	tried "$1" || return 0
	cp "$top_srcdir/src/workloads"/*.c "$scratch/src/workloads/"
	(cd "$scratch" && patch -s -p1 <"$top_srcdir/tests/wrong-fixes/$1.patch") || {
		ok 1 "$1: the patch fits"
		return
	}
	number=$(task_of "$2")
	mkdir -p "$PROFLAB_STATE"
	echo "$number found now" >"$PROFLAB_STATE/progress"
	PROFLAB_SECONDS=3
	export PROFLAB_SECONDS
	status "$1: ./proflab check $number" "${4:-1}" "$scratch/proflab" check "$number"
	said "$1: and says why" "$3"
	grep -E '^(FAIL|INCON)' "$tmp/out" | sed 's/^/# /'
}

# right FIX WORKLOAD STATUS: one that mends, in another way than solutions/, and
# under the old names.  1: the task has other workloads, as they were given.
right() {
	wrong "$1" "$2" "mended and proved" "$3"
}

wrong work-deleted memory "FAIL  answers: "
wrong remembered inefficient "FAIL  answers: "
wrong sleeping cpu "FAIL  elsewhere: "
# What it says of a server that gives no answer, and of one that has gone.
LAB_ANSWER_LIMIT=3
export LAB_ANSWER_LIMIT
wrong hangs cpu "FAIL  answers: no answer within 3 s to /cpu?iterations="
unset LAB_ANSWER_LIMIT
wrong crashes cpu "the server has died (signal 6) of /cpu?iterations=" 99
wrong sampling-blocked cpu "FAIL  sampling: "
wrong sampling-off memory "FAIL  sampling: "
[ -z "$(task_of leaky)" ] || wrong leak-in-mmap leaky "FAIL  rss: "
wrong leak-in-memfd leaky "FAIL  files: "
wrong not-kept leaky "FAIL  kept: "
# Near the limits of time: a busy machine would hear of those first, and what a
# child works its parent waits.
awk '$1 == "cpu" && $2 == "cpu" { $5 *= 3; $6 *= 3 }
	($1 != "inefficient" && $1 != "leaky") || $2 == "threads"' \
	"$scratch/exercises/lib/costs" >"$tmp/costs"
LAB_COSTS=$tmp/costs
export LAB_COSTS
wrong leak-in-files leaky "FAIL  counted: "
wrong in-a-child inefficient "FAIL  counted: "
wrong memoized cpu "FAIL  cpu: 40 random requests took"
unset LAB_COSTS
wrong renamed cpu "FAIL  cpu: "
# By name the finding is gone, by route it stays.
! tried renamed || {
	status "renamed: task 1 without its function" 1 \
		"$scratch/exercises/1-live-profiling/run" --demo --seconds 3
	said "renamed: not found by name" "FAIL  hot-task-function"
	said "renamed: but by route" "PASS  cpu-by-route"
}
# Were the cost not looked at, the route's label would do.
awk '$1 != "leaky" || $2 == "threads"' "$scratch/exercises/lib/costs" \
	>"$tmp/costs"
LAB_COSTS=$tmp/costs
export LAB_COSTS
wrong renamed-leak leaky "FAIL  growth-by-route: "
# Nor is its CPU time needed to see who goes past the profiler.
awk '$1 != "inefficient" || $2 != "cpu"' "$scratch/exercises/lib/costs" \
	>"$tmp/costs"
wrong past-the-hooks inefficient "FAIL  sampling: "
unset LAB_COSTS
# On a CPU of their own they spin; among others they step aside, and what they
# do not use they wait.
wrong spinning concurrent "FAIL  cpu: 
FAIL  elsewhere: "
# Threads that have ended tell no more how long they stood in line for a CPU: on
# a busy machine that looks like waiting, and the number of threads must do.
awk '$1 != "concurrent" || $2 == "threads"' \
	"$scratch/exercises/lib/costs" >"$tmp/costs"
LAB_COSTS=$tmp/costs
export LAB_COSTS
wrong threads-for-each concurrent "FAIL  threads-follow-load: "
unset LAB_COSTS
right in-place cpu 1
right drops-oldest leaky 0
right in-arena leaky 0
done_testing
