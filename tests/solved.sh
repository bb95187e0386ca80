#!/bin/sh
# solved.sh - each task of the course through ./proflab check: it fails while
# the workload is as it was given, and passes with the solution in its place.
# SOLVED_TASKS="1 3" names the tasks; all of them otherwise.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/course-lib.sh
. "$top_srcdir/tests/course-lib.sh"
scratch_course || {
	ok 1 "a copy of the course"
	done_testing
}
mkdir -p "$PROFLAB_STATE"
: >"$PROFLAB_STATE/progress"

for folder in "$scratch"/exercises/[1-9]-*/; do
	number=$(basename "$folder" | cut -d - -f 1)
	names=$(sed -n 's/^mend: *//p' "$folder/task")
	[ -n "$names" ] || continue
	case " ${SOLVED_TASKS:-$number} " in *" $number "*) ;; *) continue ;; esac
	cp "$top_srcdir/src/workloads"/*.c "$scratch/src/workloads/"
	PROFLAB_SECONDS=4 status "task $number: the walk-through" 0 \
		"$scratch/proflab" start "$number"
	status "task $number: answers not filled in" 1 \
		"$scratch/proflab" check "$number"
	said "task $number: help is offered" "./proflab hint $number"
	echo "$number found now" >>"$PROFLAB_STATE/progress"
	status "task $number, nothing mended" 1 "$scratch/proflab" check "$number"
	said "task $number: and it says what to mend" "Now mend it: src/workloads/"
	# A change that changes nothing.
	for name in $names; do
		echo '/* looked at */' >>"$scratch/src/workloads/$name.c"
	done
	status "task $number, touched and not mended" 1 \
		"$scratch/proflab" check "$number"
	check "task $number: the reason is named" grep -q '^FAIL  ' "$tmp/out"
	# shellcheck disable=SC2086 # words
	solve $names
	status "task $number, solved" 0 "$scratch/proflab" check "$number"
	said "task $number: and it says so" "Task $number: mended and proved."
	status "task $number: now the solution is shown" 0 \
		"$scratch/proflab" solution "$number"
done
[ "$tap_n" -gt 0 ]
ok $? "there are tasks with something to mend"
done_testing
