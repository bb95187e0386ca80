#!/bin/sh
# pprof-top.sh - proflab-pprof -top beside go tool pprof -top: time and memory
# on 10 thousand, 300 thousand and 1 million samples of depth 22, runs of the
# two in turn, so that both see the same machine.  Figures, no verdict.
#
# RUNS=N (default 5) runs of each; SIZES="10000 300000" other sizes.
set -u
: "${RUNS:=5}" "${SIZES:=10000 300000 1000000}"
work=$(mktemp -d "${TMPDIR:-/tmp}/proflab-bench.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
: "${top_builddir:?}"
ours=$top_builddir/proflab-pprof
theirs=
[ -n "${GO:-}" ] && theirs=$("$GO" env GOTOOLDIR)/pprof
[ -x "$top_builddir/tests/gen_profile" ] ||
	make -C "$top_builddir" -s tests/gen_profile || exit 99
command -v /usr/bin/time >/dev/null || {
	echo "needs GNU time: apt-get install time" >&2
	exit 99
}

# run WHO PROGRAM FILE: adds "seconds cpu-seconds KiB" to $work/WHO
run() {
	/usr/bin/time -f '%e %U %S %M' -o "$work/one" \
		"$2" -top "$3" >"$work/$1.out" 2>"$work/err" || {
		cat "$work/err" >&2
		exit 1
	}
	awk '{ print $1, $2 + $3, $4 }' "$work/one" >>"$work/$1"
}

# median WHO COLUMN
median() {
	awk -v c="$2" '{ print $c }' "$work/$1" | sort -n |
		awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

printf '%9s  %-14s %9s %9s %9s\n' samples reader seconds 'CPU s' MiB
for n in $SIZES; do
	"$top_builddir/tests/gen_profile" "$n" 22 >"$work/profile" || exit 1
	rm -f "$work/ours" "$work/theirs"
	i=0
	while [ $i -lt "$RUNS" ]; do
		run ours "$ours" "$work/profile"
		# Tens of seconds each: fewer of theirs are enough.
		if [ -n "$theirs" ] && { [ "$n" -lt 100000 ] || [ $i -lt 3 ]; }
		then
			run theirs "$theirs" "$work/profile"
		fi
		i=$((i + 1))
	done
	for who in ours theirs; do
		[ -f "$work/$who" ] || continue
		case $who in
		ours) name=proflab-pprof ;;
		theirs) name='go tool pprof' ;;
		esac
		printf '%9d  %-14s %9.3f %9.3f %9.1f\n' "$n" "$name" \
			"$(median $who 1)" "$(median $who 2)" \
			"$(median $who 3 | awk '{ print $1 / 1024 }')"
	done
	[ -f "$work/theirs" ] || continue
	awk -v a="$(median ours 1)" -v b="$(median theirs 1)" \
		-v c="$(median ours 2)" -v d="$(median theirs 2)" \
		-v e="$(median ours 3)" -v f="$(median theirs 3)" \
		'BEGIN { printf "           ratio          %9.1f %9.1f %9.1f\n", \
			a ? b / a : 0, c ? d / c : 0, f / e }'
	cmp -s "$work/ours.out" "$work/theirs.out" ||
		echo "           their outputs differ"
done
