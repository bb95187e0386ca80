#!/bin/sh
# repeat-long.sh - the checkers, again and again, with short windows while
# another process keeps a core busy, on both variants in turn: no verdict may be
# wrong, and at most one in fifty INCONCLUSIVE, even though windows are not
# extended here, but for one: a server that got too little of the CPU to be
# judged says nothing of the checker.  As many runs as REPEAT_SECONDS hold: 300,
# so that check-long stays under half an hour; 900 by hand.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${REPEAT_SECONDS:=300}"
: "${REPEAT_WINDOW:=5}"
PROFLAB_BUILD=$top_builddir
export PROFLAB_BUILD

# One core is somebody else's.
sh -c 'while :; do :; done' &
own $!

tasks=
for folder in "$top_srcdir"/exercises/[1-9]-*/; do
	[ ! -f "$folder/findings" ] || tasks="$tasks ${folder%/}"
done
[ -n "$tasks" ]
ok $? "there are tasks with findings"

# verdicts FILE: PASS, FAIL, INCONCLUSIVE in it.
verdicts() {
	grep -oE '^(PASS|FAIL|INCONCLUSIVE)' "$1"
}

# run_once: sets got.  Returns: whether there were too few samples.
run_once() {
	# shellcheck disable=SC2086 # nothing, or one word
	LAB_EXTEND=0 PROFLAB_STATE=$tmp/state timeout 300 \
		"$folder/run" --seconds "$window" $flag >"$tmp/out" 2>&1
	got=$?
	[ $got -eq 77 ] && grep -q '^INCONCLUSIVE  minimum' "$tmp/out"
}

: >"$tmp/all"
end=$(($(date +%s) + REPEAT_SECONDS))
runs=0
broken=0
while [ "$(date +%s)" -lt "$end" ]; do
	for folder in $tasks; do
		[ "$(date +%s)" -lt "$end" ] || break
		for variant in faulty fixed; do
			flag=
			[ "$variant" = faulty ] || flag=--fixed
			window=$REPEAT_WINDOW
			while run_once && [ "$window" -lt $((REPEAT_WINDOW * 8)) ]; do
				window=$((window * 2))
				diag "run $((runs + 1)), $variant: too few samples, once more over $window s"
				# What else was undecided counts.
				grep '^INCONCLUSIVE' "$tmp/out" |
					grep -v '^INCONCLUSIVE  minimum' |
					sed "s,.*,$(basename "$folder") $variant INCONCLUSIVE," >>"$tmp/all"
			done
			runs=$((runs + 1))
			case $got in
			0 | 1 | 77) ;;
			*)
				broken=$((broken + 1))
				diag "run $runs, $(basename "$folder") $variant: exit status $got"
				tail -n 5 "$tmp/out" | sed 's/^/# /'
				;;
			esac
			verdicts "$tmp/out" | sed "s,^,$(basename "$folder") $variant ," >>"$tmp/all"
			# What it said, for whoever looks into it.
			grep -A6 -E '^(FAIL|INCONCLUSIVE)' "$tmp/out" |
				sed "s/^/# run $runs, $variant: /"
		done
	done
done

count() {
	grep -c " $1\$" "$tmp/all"
}
total=$(wc -l <"$tmp/all")
wrong=$(count FAIL)
unsure=$(count INCONCLUSIVE)
sort "$tmp/all" | uniq -c | sed 's/^/# /'
diag "$runs runs, $total verdicts: $wrong wrong, $unsure inconclusive, $broken runs broken"
[ "$total" -ge 20 ]
ok $? "enough verdicts to speak of ($total)"
[ "$wrong" -eq 0 ]
ok $? "none is wrong ($wrong of $total)"
[ "$((unsure * 50))" -le "$total" ]
ok $? "at most one in fifty is inconclusive ($unsure of $total)"
[ "$broken" -eq 0 ]
ok $? "no run was broken ($broken of $runs)"
done_testing
