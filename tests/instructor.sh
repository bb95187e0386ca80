#!/bin/sh
# instructor.sh - doc/instructor.md says how to add a workload: followed to the
# letter in a copy, it gives a workload that is built, calibrated, and judged
# both ways, and nothing outside the places that it names was touched.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/course-lib.sh
. "$top_srcdir/tests/course-lib.sh"
for program in autoreconf automake libtoolize; do
	command -v $program >/dev/null 2>&1 ||
		skip_all "$program is not installed: a new file needs it"
done
scratch_course || {
	ok 1 "a copy of the course"
	done_testing
}
unset MAKEFLAGS
doc=$top_srcdir/doc/instructor.md

# Each block behind a comment "<!-- new FILE -->" is that file; behind
# "<!-- in FILE before|after|replace: TEXT -->" it goes to the first line that
# has TEXT.
cat >"$tmp/follow.awk" <<'AWK'
function put(    line, n, done, out) {
	files[file] = 1
	if (how == "new") {
		printf "%s", block >(root "/" file)
		close(root "/" file)
		return
	}
	out = ""
	while ((getline line < (root "/" file)) > 0) {
		if (!done && index(line, text)) {
			done = 1
			out = out (how == "before" ? block line "\n" \
				: how == "after" ? line "\n" block : block)
		} else
			out = out line "\n"
	}
	close(root "/" file)
	if (!done) {
		print "no line of " file " has: " text
		bad = 1
	}
	printf "%s", out >(root "/" file)
	close(root "/" file)
}
/^<!-- (new|in) .* -->$/ {
	sub(/^<!-- /, "")
	sub(/ -->$/, "")
	file = $2
	how = $1 == "new" ? "new" : $3
	sub(/:$/, "", how)
	text = $0
	sub(/^[^:]*: /, "", text)
	pending = 1
	next
}
/^```/ && pending { pending = 0; inside = 1; block = ""; next }
/^```/ && inside { inside = 0; steps++; put(); next }
inside { block = block $0 "\n" }
END {
	for (file in files) print file
	exit bad || steps < 10
}
AWK
mkdir -p "$scratch/exercises/6-sorting"
cp -R "$scratch" "$tmp/before"
check "every place that the text names is there" sh -c \
	'awk -v root="$1" -f "$2" "$3" >"$4" || { cat "$4"; exit 1; }' \
	follow "$scratch" "$tmp/follow.awk" "$doc" "$tmp/named"
chmod +x "$scratch/exercises/6-sorting/run"

# Built from nothing: configure itself has changed.
build=$tmp/fresh
mkdir "$build"
check "bootstrap" sh -c 'cd "$1" && ./bootstrap' bootstrap "$scratch"
check "configure" sh -c 'cd "$1" && CONFIG_SHELL=/bin/sh "$2/configure" -q' \
	configure "$build" "$scratch"
check "make" make -j2 -C "$build" proflab-server proflab-server-fixed \
	proflab-load proflab-pprof proflab-check
check "--with-fixed knows it" sh -c \
	'mkdir "$1" && cd "$1" && "$2/configure" -q --with-fixed=sort' \
	fixed "$tmp/fixed" "$scratch"
[ "$tap_failed" -eq 0 ] || done_testing

PROFLAB_BUILD=$build
export PROFLAB_BUILD
for part in sort 6-sorting; do
	CALIBRATE_ROUNDS=1 PROFLAB_STATE=$tmp/calibrate \
		check "make calibrate: $part" \
		"$scratch/exercises/lib/calibrate" write "$part"
done
check "its costs are known" grep -q '^sort  *cpu  *cost ' \
	"$scratch/exercises/lib/costs"
# Of few samples on a busy machine it may be all of them.
check "its finding was measured" grep -qE \
	'^recorded: faulty (9[0-9][.0-9]*|100)%, fixed 0%' \
	"$scratch/exercises/6-sorting/findings"

# The learner's way, both ways.  `rebuild` makes all: here the server will do.
cat >"$build/GNUmakefile" <<'MAKE'
include Makefile
.DEFAULT_GOAL := proflab-server
MAKE
rm -rf "$PROFLAB_STATE"
"$scratch/proflab" list >"$tmp/out"
said "the runner lists it" "Task 6: sorting"
status "walked through" 0 "$scratch/proflab" start 6
echo 'function = insert_number' >"$PROFLAB_ANSWERS/6"
status "found; not mended yet" 1 "$scratch/proflab" check 6
said "and found was said" "Task 6: found."
echo '/* looked at */' >>"$scratch/src/workloads/sort.c"
status "touched, and not mended" 1 "$scratch/proflab" check 6
check "with the reason" grep -q '^FAIL  cpu: ' "$tmp/out"
cp "$scratch/solutions/sort.c" "$scratch/src/workloads/sort.c"
status "mended" 0 "$scratch/proflab" check 6
said "and that was said" "Task 6: mended and proved."

# Nothing else was touched: neither by the text, nor to make it work.
(cd "$scratch" && find . -type f ! -path './autom4te.cache/*' \
	! -path './build-aux/*' ! -path './m4/*' ! -name 'configure*' \
	! -name Makefile.in ! -name aclocal.m4 ! -name 'config.h.in*' |
	sort) >"$tmp/files"
while read -r file; do
	cmp -s "$scratch/$file" "$tmp/before/$file" || echo "${file#./}"
done <"$tmp/files" | grep -v '^configure$' >"$tmp/changed"
grep -qx configure.ac "$tmp/named" && ! cmp -s "$scratch/configure.ac" \
	"$tmp/before/configure.ac" && echo configure.ac >>"$tmp/changed"
sort -u "$tmp/changed" >"$tmp/changed.sorted"
# What calibration and the learner wrote is named, too.
{
	cat "$tmp/named"
	echo exercises/lib/costs
} | sort -u >"$tmp/named.sorted"
check "no change outside the places that it names" \
	diff "$tmp/named.sorted" "$tmp/changed.sorted"
done_testing
