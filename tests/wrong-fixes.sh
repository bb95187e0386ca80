#!/bin/sh
# wrong-fixes.sh - changes that make the findings go away and mend nothing: each
# is built into a server, and ./proflab check must say FAIL, and why.  See
# tests/wrong-fixes/: each file says what it does.
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

# wrong FIX WORKLOAD REASON
wrong() {
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
wrong sleeping cpu "FAIL  elsewhere: "
wrong sampling-blocked cpu "FAIL  sampling: "
wrong sampling-off memory "FAIL  sampling: "
[ -z "$(task_of leaky)" ] || wrong leak-in-mmap leaky "FAIL  rss: "
wrong not-kept leaky "FAIL  kept: "
wrong renamed cpu "FAIL  cpu: "
wrong past-the-hooks inefficient "FAIL  sampling: "
wrong spinning concurrent "FAIL  cpu: "
wrong threads-for-each concurrent "FAIL  threads-follow-load: "
right in-place cpu 1
right drops-oldest leaky 0
done_testing
