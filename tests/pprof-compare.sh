#!/bin/sh
# pprof-compare.sh - one comparison of proflab-pprof with go tool pprof.
#
#	pprof-compare.sh WORK OURS THEIRS ID ARGUMENT...
#
# Both get the same arguments, and standard input from FILE where the first is
# <FILE.  Standard output and exit status must be equal, and WORK/ID.done says
# that they were compared; where they are not, WORK/ID.diff says how.  Not a test by itself: see
# pprof-differential.sh.
work=$1 ours=$2 theirs=$3 id=$4
shift 4
input=/dev/null
case $1 in
'<'*)
	input=${1#<}
	shift
	;;
esac
"$theirs" "$@" >"$work/$id.theirs" 2>"$work/$id.theirs.err" <"$input"
their_status=$?
"$ours" "$@" >"$work/$id.ours" 2>"$work/$id.ours.err" <"$input"
our_status=$?
case " $* " in
*' -proto '* | *' -topproto '*)
	# The bytes may differ in compression and in the order of strings:
	# what they mean may not.
	for who in ours theirs; do
		"$theirs" -symbolize=none -raw "$work/$id.$who" \
			>"$work/$id.$who.raw" 2>&1
		mv "$work/$id.$who.raw" "$work/$id.$who"
	done
	;;
esac
# Edges with equal weights between files of equal names (-dot -files): the Go
# tool sorts by no more than that, and shows them in another order at each run.
# Where it is seen to do so, the order of lines does not count.  Two such edges
# change places in one run of eight: 110 runs miss that 4 times in 10 million.
changes_itself() {
	runs=0
	while [ $runs -lt 110 ]; do
		"$theirs" "$@" 2>"$work/$id.theirs.err" </dev/null |
			cmp -s - "$work/$id.theirs" || return 0
		runs=$((runs + 1))
	done
	return 1
}
same_lines() {
	sort "$work/$id.theirs" >"$work/$id.theirs.sorted"
	sort "$work/$id.ours" | cmp -s - "$work/$id.theirs.sorted"
}
equal() {
	[ "$their_status" -eq "$our_status" ] || return 1
	cmp -s "$work/$id.theirs" "$work/$id.ours" && return
	# Each by itself: two words in a row share the blank between them.
	case " $* " in *' -dot '*) ;; *) return 1 ;; esac
	case " $* " in *' -files '*) ;; *) return 1 ;; esac
	same_lines && changes_itself "$@"
}
if ! equal "$@"; then
	{
		echo "$*"
		echo "exit status: theirs $their_status, ours $our_status"
		tail -n 2 "$work/$id.ours.err"
		diff -a "$work/$id.theirs" "$work/$id.ours" | head -n 8
	} >"$work/$id.diff"
fi
rm -f "$work/$id.theirs" "$work/$id.ours" "$work/$id.theirs.err" \
	"$work/$id.ours.err" "$work/$id.theirs.sorted"
: >"$work/$id.done"
