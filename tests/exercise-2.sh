#!/bin/sh
# exercise-2.sh - task 2's machinery, both ways: the faulty server leaks, and of
# the mended one the checker says that nothing leaks.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
exercise=$top_srcdir/exercises/2-memory-leak
check_program=$top_builddir/proflab-check

PROFLAB_BUILD=$top_builddir
export PROFLAB_BUILD

# walk STATE [ARGS...]
walk() {
	PROFLAB_STATE=$tmp/$1
	export PROFLAB_STATE
	shift
	"$exercise/run" "$@"
}

status "the faulty server shows the findings" 0 walk faulty
status "the mended server does not" 0 walk fixed --fixed
check "and the checker says so" grep -q '^Nothing leaks' "$tmp/out"
check "eight judgements" grep -q '^8 of 8 pass' "$tmp/out"

taken=$tmp/faulty/2-memory-leak
fixed=$tmp/fixed/2-memory-leak

# judge FOLDER [OPTION...]: the profiles of a walk, as the walk judges them.
judge() {
	folder=$1
	shift
	# shellcheck disable=SC2046 # one word a profile
	(cd "$folder" && "$check_program" "$@" "$exercise/findings" $(
		sed -n 's/^profiles: //p' "$exercise/task"))
}

status "the findings fail on the mended server" 1 judge "$fixed"
check "each of them" test "$(grep -c '^FAIL' "$tmp/out")" -eq 6
check "the invariants hold there too" test "$(grep -c '^PASS' "$tmp/out")" -eq 2
check "it does not grow" grep -q '^FAIL  grows-steadily' "$tmp/out"
status "unsolved: they are not absent" 1 judge "$taken" -absent
check "all six" test "$(grep -c '^FAIL' "$tmp/out")" -eq 6
status "a profile of another build is refused" 99 judge "$fixed" \
	-binary "$top_builddir/proflab-server"

# A learner's answers, right and wrong.
grown=$(judge "$taken" -json -only growth | sed -n 's/.*"value": \([0-9.]*\).*/\1/p')
line=$(grep -n 'malloc(LEAKY_BLOCK_BYTES)' "$top_srcdir/src/workloads/leaky.c" |
	cut -d : -f 1)
cat >"$tmp/right" <<A
function = create_leaky_structures
grown = $(awk "BEGIN { printf \"%.2fMB\", $grown / 1048576 }")
line = $line
trend = steady growth
blocks = $(sed -n 's/.*"data_size":\([0-9]*\).*/\1/p' "$taken/stats_after.json")
kept = held
A
cat >"$tmp/wrong" <<A
function = run_route
grown = 1MB
line = $((line + 1))
trend = flat
blocks = 7
kept = lost
A
status "right answers" 0 judge "$taken" -answers "$tmp/right"
status "wrong answers" 1 judge "$taken" -answers "$tmp/wrong"
check "all are named" test "$(grep -c '^FAIL' "$tmp/out")" -eq 6
tr -s ' \n' ' ' <"$tmp/out" >"$tmp/said"
check "a function, in its own numbers" grep -q \
	'run_route is [0-9]* % cumulative but 0 % flat: what is asked for is below' \
	"$tmp/said"
check "a line, in its own numbers" grep -qE \
	"Line $((line + 1)) (has [0-9.]* %|holds nothing)" "$tmp/said"
check "a figure" grep -q 'You said 1MB; the profile says' "$tmp/said"
status "the example, not filled in" 1 judge "$taken" \
	-answers "$exercise/answers.example"
done_testing
