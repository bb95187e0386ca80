#!/bin/sh
# exercise-2.sh - task 2's machinery, both ways: the faulty server leaks, of the
# mended one the checker says that nothing leaks, and a learner's mend passes
# only when it answers as before.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
exercise=$top_srcdir/exercises/2-memory-leak
check_program=$top_builddir/proflab-check

# walk STATE BUILD [ARGS...]
walk() {
	PROFLAB_STATE=$tmp/$1
	PROFLAB_BUILD=$2
	export PROFLAB_STATE PROFLAB_BUILD
	shift 2
	"$exercise/run" --seconds 4 "$@"
}

# A build as it is when the solution stands in the place of the workload.
mended_build() {
	mkdir -p "$1/tests"
	for program in load pprof check; do
		ln -s "$top_builddir/proflab-$program" "$1/"
	done
	ln -s "$top_builddir/proflab-server-fixed" "$1/proflab-server"
	for variant in faulty fixed; do
		ln -s "$top_builddir/tests/workload_report-fixed" \
			"$1/tests/workload_report-$variant"
	done
	printf 'tests/workload_report-%%: ;\n' >"$1/Makefile"
}

status "the faulty server shows the findings" 0 walk faulty "$top_builddir"
cp "$tmp/out" "$tmp/faulty.out"
case $top_builddir in
/*) ;;
*) top_builddir=$(cd "$top_builddir" && pwd) ;;
esac
mended_build "$tmp/build"
status "a mended one does not" 0 walk mended "$tmp/build" --mended
check "and the checker says so" grep -q 'Nothing leaks' "$tmp/out"
check "seven judgements" grep -q '^7 of 7 pass' "$tmp/out"
check "its answers are the same" grep -q '^PASS  answers: all 259' "$tmp/out"

taken=$tmp/faulty/2-memory-leak
mended=$tmp/mended/2-memory-leak

# judge FOLDER [OPTION...]: the profiles of a walk, as the walk judges them.
judge() {
	folder=$1
	shift
	# shellcheck disable=SC2046 # one word a profile
	"$check_program" "$@" "$exercise/findings" $(
		sed -n "s/^profiles: //p" "$exercise/task" |
			sed "s,=,=$folder/,g")
}

status "the findings fail on the mended server" 1 judge "$mended"
check "each of them" test "$(grep -c '^FAIL' "$tmp/out")" -eq 5
check "the invariants hold there too" test "$(grep -c '^PASS' "$tmp/out")" -eq 2
check "it does not grow" grep -q '^FAIL  grows-steadily' "$tmp/out"
status "unsolved: they are not absent" 1 judge "$taken" -absent
check "all five" test "$(grep -c '^FAIL' "$tmp/out")" -eq 5
status "a profile of another build is refused" 99 judge "$mended" \
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

# A mend that answers something else.
rm "$tmp/build/tests/workload_report-faulty"
cat >"$tmp/build/tests/workload_report-faulty" <<A
#!/bin/sh
"$top_builddir/tests/workload_report-fixed" "\$1" | sed '/^memory 100 /s/.\$/x/'
A
chmod +x "$tmp/build/tests/workload_report-faulty"
# shellcheck disable=SC2034 # lab.sh reads them
same_answers() {
	task=$exercise
	lab_default_seconds=1
	PROFLAB_BUILD=$tmp/build
	PROFLAB_STATE=$tmp/mended
	# shellcheck source=exercises/lib/lab.sh
	(. "$top_srcdir/exercises/lib/lab.sh" && lab_variant=mended &&
		lab_same_answers)
}
status "other answers are no mend" 1 same_answers
check "and are shown" grep -q '^FAIL  answers: memory 100' "$tmp/out"
done_testing
