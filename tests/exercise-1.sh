#!/bin/sh
# exercise-1.sh - task 1's machinery, both ways: the faulty server shows the
# findings of both scenarios, the mended one does not; and what proflab-check
# says with its exit status is what it prints.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
PROFLAB_BUILD=$top_builddir
export PROFLAB_BUILD
exercise=$top_srcdir/exercises/1-live-profiling
check_program=$top_builddir/proflab-check

# shellcheck disable=SC2317 # called through check
walk() {
	PROFLAB_STATE=$tmp/$1
	export PROFLAB_STATE
	shift
	"$exercise/run" --seconds 5 "$@"
}

# Findings on the CPU profile alone.
cpu_check() {
	"$check_program" -profile cpu "$@"
}

check "the faulty server shows the findings" walk faulty
check "the mended server does not" walk fixed --fixed

taken=$tmp/faulty/1-live-profiling
faulty=$taken/cpu.pb.gz
fixed=$tmp/fixed/1-live-profiling/cpu.pb.gz

# judge ANSWERS: what a learner says of the walk's profiles.
judge() {
	(cd "$taken" && "$check_program" -answers "$1" "$exercise/findings" \
		cpu=cpu.pb.gz allocs.memory=allocs.pb.gz \
		allocs.inefficient=inefficient.pb.gz)
}

status "the checker says FAIL on the mended server" 1 \
	cpu_check "$exercise/findings" "$fixed"
check "and names it" grep -q '^FAIL  hot-task-function' "$tmp/out"
status "PASS when told to expect their absence" 0 \
	cpu_check -absent "$exercise/findings" "$fixed"
status "FAIL when they are not absent" 1 \
	cpu_check -absent "$exercise/findings" "$faulty"
status "a profile of another build is refused" 99 \
	cpu_check -binary "$top_builddir/proflab-server" \
	"$exercise/findings" "$fixed"
check "and said" grep -q 'was not taken from' "$tmp/out"
head -c 300 "$faulty" >"$tmp/truncated.pb.gz"
status "a truncated profile is refused" 99 \
	cpu_check "$exercise/findings" "$tmp/truncated.pb.gz"
: >"$tmp/empty.pb.gz"
status "an empty file is refused" 99 \
	cpu_check "$exercise/findings" "$tmp/empty.pb.gz"
status "no profile at all is wrong usage" 2 \
	cpu_check "$exercise/findings"
status "a profile of another kind is not enough" 99 \
	cpu_check "$exercise/findings" "mutex=$faulty"

# An idle server: nothing to judge by is no verdict.
start_server "$top_builddir/proflab-server"
check "a profile of an idle server" curl -fsS -o "$tmp/idle.pb.gz" \
	"$server_url/debug/pprof/profile?seconds=2"
status "an idle server is inconclusive" 77 \
	cpu_check "$exercise/findings" "$tmp/idle.pb.gz"
status "also when absence is expected" 77 \
	cpu_check -absent "$exercise/findings" "$tmp/idle.pb.gz"

# A learner's answers.
cat >"$tmp/right" <<'A'
task = perform_cpu_intensive_task
share = 97
helper = trig_term
bytes = append_value
calls = concat_text
boxes = box_value
grown = grow_slice
strings = build_string_quadratic
A
cat >"$tmp/wrong" <<'A'
task = run_route
share = 12
helper = sin
bytes = concat_text
calls = box_value
boxes = describe_record
grown = build_inner_map
strings = perform_inefficient_operations
A
echo 'tusk = perform_cpu_intensive_task' >"$tmp/misnamed"
# In percent; where there are few samples, it may be all of them.
measured=$(cpu_check -json -only hot-task-function \
	"$exercise/findings" "$faulty" |
	awk '/"value":/ { printf "%.1f", 100 * $2 }')
sed -i "s/^share = .*/share = $measured/" "$tmp/right"
status "right answers" 0 judge "$tmp/right"
{
	printf '\357\273\277'
	sed 's/$/\r/' "$tmp/right"
} >"$tmp/marked"
status "a byte-order mark, and lines that end in two" 0 judge "$tmp/marked"
status "wrong answers" 1 judge "$tmp/wrong"
check "all of them are named" test "$(grep -c '^FAIL' "$tmp/out")" -eq 8
tr -s ' \n' ' ' <"$tmp/out" >"$tmp/said"
check "in the learner's own numbers: a caller" grep -q \
	'run_route is [0-9]* % cumulative but 0 % flat: what is asked for is below' \
	"$tmp/said"
check "the other ranking" grep -q \
	'concat_text is [0-9]* % cumulative and [0-9]* % flat: another has more' \
	"$tmp/said"
check "a number" grep -q "You said 12; the profile says $measured" "$tmp/said"
status "the example, not filled in" 1 judge "$exercise/answers.example"
status "an answer to no question" 99 judge "$tmp/misnamed"
check "and which" grep -q 'no question is called "tusk"; there are: task ' "$tmp/out"
done_testing
