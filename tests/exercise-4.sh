#!/bin/sh
# exercise-4.sh - task 4's machinery, both ways, and a learner's answers.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
PROFLAB_BUILD=$top_builddir
export PROFLAB_BUILD
exercise=$top_srcdir/exercises/4-optimization

# shellcheck disable=SC2317 # called through check
walk() {
	PROFLAB_STATE=$tmp/$1
	export PROFLAB_STATE
	shift
	"$exercise/run" --seconds 4 "$@"
}

check "the faulty server shows the findings" walk faulty
check "the mended server does not" walk fixed --fixed

# answers NAME WANTED: those in $tmp/answers, by the faulty server's profiles.
answers() {
	(cd "$tmp/faulty/4-optimization" && "$top_builddir/proflab-check" \
		-answers "$tmp/answers" "$exercise/findings" \
		stats=stats_before.json stats=stats_after.json cpu=cpu.pb.gz \
		allocs=allocs.pb.gz mutex=mutex.pb.gz) >"$tmp/out" 2>&1
	got=$?
	[ "$got" -eq "$2" ]
	ok $? "$1: exit status $2 (was $got)"
	[ "$got" -eq "$2" ] || sed 's/^/# /' "$tmp/out"
}
share=$("$top_builddir/proflab-pprof" -tags -tagshow=route \
	"$tmp/faulty/4-optimization/cpu.pb.gz" 2>/dev/null |
	sed -n 's,.*(\(.*\)%): /database$,\1,p')
cat >"$tmp/answers" <<A
cpu = /database
cpu_share = $share
memory = perform_memory_intensive_task
locks = /concurrent
holder = do_task
A
answers "right answers, read off the reports" 0
cat >"$tmp/answers" <<'A'
cpu = /cpu
cpu_share = 3
memory = append_value
locks = /database
holder = pthread_mutex_unlock
A
answers "wrong answers" 1
[ "$(grep -c '^FAIL' "$tmp/out")" -eq 5 ]
ok $? "all five are named"
check "in the learner's own numbers" grep -q '/cpu' "$tmp/out"
cp "$exercise/answers.example" "$tmp/answers"
answers "the example, not filled in" 1
done_testing
