#!/bin/sh
# exercise-5-long.sh - task 5 for real, both ways: the walk-through on the
# faulty and the mended server, the course's check with right and with wrong
# alerts, a real Prometheus that watches two servers; and nothing left running.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
exercise=$top_srcdir/exercises/5-production-monitoring
PROFLAB_BUILD=$top_builddir
PROFLAB_STATE=$tmp/state
PROFLAB_ANSWERS=$tmp/answers
export PROFLAB_BUILD PROFLAB_STATE PROFLAB_ANSWERS

check "the walk-through, on the faulty server" "$exercise/run"
check "the walk-through, on the mended server" "$exercise/run" --fixed

if command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; then
	check "alerts.yml.in on the recordings, both ways" sh "$exercise/test-rules"
	# Ours, in a Prometheus that watches a leaking and a mended server.
	"$exercise/render" seconds >"$tmp/ours.yml"
	check "ProflabHeapGrows fires for the leaking server alone" \
		"$exercise/live" "$tmp/ours.yml" ProflabHeapGrows
	# That it can fail.
	printf 'groups: [{name: a, rules: [{alert: Any, expr: up == 1}]}]\n' >"$tmp/any.yml"
	! "$exercise/live" "$tmp/any.yml" Any >"$tmp/out" 2>&1
	ok $? "an alert that fires for both is refused"
	check "and it is said" grep -q '^FAIL  Any fired for the mended server' "$tmp/out"

	# The course, as a learner meets it.
	mkdir "$tmp/answers"
	cat "$exercise/answers.example" >"$tmp/answers/5"
	"$top_srcdir/proflab" check 5 >"$tmp/out" 2>&1
	[ $? -eq 1 ]
	ok $? "./proflab check 5 refuses what is inherited"
	"$exercise/render" minutes | sed 's/ProflabHeapGrows/MemoryLeak/
		s/ProflabThreadsGrow/ThreadLeak/; s/ProflabErrors/HighErrorRatio/
		s/ProflabSlow/SlowRequests/; s/ProflabLockWait/LockContention/
		s/ProflabDown/ServerDown/
		s/^\( *\)runbook: .*heapgrows.*/\1suspect: create_leaky_structures/' \
		>"$tmp/answers/5"
	check "./proflab check 5 passes with right alerts" "$top_srcdir/proflab" check 5
	check "and remembers it" grep -q '^5 found' "$PROFLAB_STATE/progress"
	sed -i 's/suspect: .*/suspect: main/' "$tmp/answers/5"
	"$top_srcdir/proflab" check 5 >"$tmp/out" 2>&1
	[ $? -eq 1 ] && grep -q '^FAIL  suspect: "main"' "$tmp/out"
	ok $? "a wrong suspect is told"
else
	skip "alerts in a real Prometheus" "prometheus is not installed"
fi
# All that was started has the scratch folder in its environment.
# shellcheck disable=SC2013 # names, without blanks
left=$(for file in $(grep -lsaF "PROFLAB_STATE=$tmp" /proc/[0-9]*/environ); do
	[ ! -r "${file%environ}cmdline" ] || tr '\0' ' ' <"${file%environ}cmdline"
	echo
done 2>/dev/null | grep -E '^[^ ]*(prometheus|proflab-)' || :)
[ -z "$left" ]
ok $? "nothing is left running $left"
[ -z "$(find "$PROFLAB_STATE" -name prometheus -type d)" ]
ok $? "nor is Prometheus's data left"
done_testing
