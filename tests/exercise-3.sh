#!/bin/sh
# exercise-3.sh - task 3's machinery, both ways: threads that follow the load
# and stay, a contended lock and its holder; none of it on the mended server.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
PROFLAB_BUILD=$top_builddir
export PROFLAB_BUILD
exercise=$top_srcdir/exercises/3-concurrency
check_program=$top_builddir/proflab-check

# walk STATE [ARGS...]
walk() {
	PROFLAB_STATE=$tmp/$1
	export PROFLAB_STATE
	shift
	"$exercise/run" --seconds 4 "$@"
}

status "the faulty server shows the findings" 0 walk faulty
status "the mended server does not" 0 walk fixed --fixed
check "eight judgements" grep -q '^8 of 8 pass' "$tmp/out"

taken=$tmp/faulty/3-concurrency
fixed=$tmp/fixed/3-concurrency

# judge FOLDER [OPTION...]: the profiles of a walk, as the walk judges them.
judge() {
	folder=$1
	shift
	# shellcheck disable=SC2046 # one word a profile
	(cd "$folder" && "$check_program" "$@" "$exercise/findings" $(
		sed -n 's/^profiles: //p' "$exercise/task"))
}

status "the findings fail on the mended server" 1 judge "$fixed"
check "each of them" test "$(grep -c '^FAIL' "$tmp/out")" -eq 7
status "unsolved: they are not absent" 1 judge "$taken" -absent
check "all seven" test "$(grep -c '^FAIL' "$tmp/out")" -eq 7
status "the kind of profile can be chosen" 0 judge "$taken" -profile mutex
check "and nothing else is judged" grep -q '^2 of 2 pass' "$tmp/out"
status "a kind of which nothing is known" 99 judge "$taken" -profile heap
check "is said" grep -q 'has nothing about a heap profile' "$tmp/out"

# A learner's answers, right and wrong.
left=$(judge "$taken" -json -only thread-leak |
	sed -n 's/.*"value": \([0-9]*\).*/\1/p')
# seconds FILE: as the head of -top has it.
seconds() {
	"$top_builddir/proflab-pprof" -top "$taken/$1" 2>/dev/null |
		sed -n 's/.*Total samples = *\([0-9.]*[a-z]*\).*/\1/p'
}
rise=$(judge "$taken" -json -only threads-follow-load |
	sed -n 's/.*"value": \([0-9]*\).*/\1/p')
cat >"$tmp/right" <<A
rise = $rise
left = $left
waits = wait_for_more_tasks
blocked = do_task
holder = do_task
state = blocked on lock
wall = $(seconds wall.pb.gz)
cpu = $(seconds cpu.pb.gz)
A
cat >"$tmp/wrong" <<A
rise = 3
left = $((left + 1))
waits = pthread_cond_wait
blocked = run_worker
holder = perform_concurrent_work
state = sleeping
wall = 1s
cpu = 1000s
A
status "right answers" 0 judge "$taken" -answers "$tmp/right"
status "wrong answers" 1 judge "$taken" -answers "$tmp/wrong"
check "all are named" test "$(grep -c '^FAIL' "$tmp/out")" -eq 8
tr -s ' \n' ' ' <"$tmp/out" >"$tmp/said"
check "threads" grep -q "You said $((left + 1)); the profile says [0-9]* -> [0-9]*: +$left" \
	"$tmp/said"
check "a caller" grep -q \
	'run_worker is [0-9]* % cumulative but 0 % flat: what is asked for is below' \
	"$tmp/said"
check "a state" grep -q 'state=sleeping is [0-9.]* % of it: another has more' \
	"$tmp/said"
status "the example, not filled in" 1 judge "$taken" \
	-answers "$exercise/answers.example"
done_testing
