#!/bin/sh
# pprof-flame.sh - proflab-pprof -flame: the picture equals the one in
# golden/flame, its figures those of -top, and names cannot break out of it.
# UPDATE_GOLDEN=1 writes the pictures anew: look at them before you keep them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

golden=$top_srcdir/tests/golden/flame
corpus=$top_srcdir/tests/corpus/pprof
pprof=$top_builddir/proflab-pprof
for kind in empty names negative recursion; do
	"$top_builddir/tests/gen_profile" "$kind" >"$tmp/$kind.pb.gz" || exit 99
done
cp "$corpus"/*.pb.gz "$tmp" || exit 99
cd "$tmp" || exit 99
export TZ=UTC HOME="$tmp"

while read -r name arguments; do
	# shellcheck disable=SC2086 # arguments are words
	"$pprof" -flame $arguments >"$name.svg" 2>err
	[ "${UPDATE_GOLDEN:-0}" = 1 ] && cp "$name.svg" "$golden/$name.svg"
	if cmp -s "$golden/$name.svg" "$name.svg"; then
		ok 0 "$name: -flame $arguments"
	else
		ok 1 "$name: -flame $arguments"
		diag "$(diff -a "$golden/$name.svg" "$name.svg" | head -n 10)"
		diag "$(head -n 3 err)"
	fi
done <<'CASES'
cpu go-cpu.pb.gz
difference -inuse_space -diff_base go-heap-1.pb.gz go-heap-2.pb.gz
empty empty.pb.gz
focus -focus sort.Ints -unit ms go-cpu.pb.gz
names names.pb.gz
CASES
"$pprof" -flame negative.pb.gz >negative.svg 2>/dev/null
"$pprof" -flame recursion.pb.gz >recursion.svg 2>/dev/null

# A function that does not recur has one box for each caller: with one caller
# its figures are those of -top.
"$pprof" -top -cum -unit ms go-cpu.pb.gz 2>/dev/null |
	awk '$6 == "main.main.func2" { print $4 ", " $5 }' >top
"$pprof" -flame -unit ms go-cpu.pb.gz 2>/dev/null |
	sed -n '/<title>main.main.func2$/{n;s,[;<].*,,p;}' >flame
check "a box says what -top says" cmp top flame
check "and that is something" grep -q ms top

check "-output writes a file" "$pprof" -flame -output=o.svg go-cpu.pb.gz
check "and it is the same" cmp o.svg cpu.svg

# What is no element of ours came from a name.
for file in *.svg; do
	sed -e 's/<style>.*//' "$file" | grep -o '<[a-zA-Z!?/][^ >]*' |
		grep -v -E '^</?(svg|style|text|rect|g|title)$' >>elements
done
check "no name becomes an element" test ! -s elements
if command -v python3 >/dev/null 2>&1; then
	check "each picture is well-formed XML" python3 -c '
import sys, xml.dom.minidom
for f in sys.argv[1:]: xml.dom.minidom.parse(f)' ./*.svg
else
	skip "each picture is well-formed XML" "there is no python3"
fi
done_testing
