#!/bin/sh
# signal-safety.sh - every test that doc/signal-safety.md names is there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

# `check_foo:bar` names a program and a test; `:baz` another of the same.
grep -o '`[a-z_]*:[a-z_]*`\|`check_[a-z_]*`' \
	"$top_srcdir/doc/signal-safety.md" | tr -d '`' >"$tmp/names"
program=
missing=
n=0
while read -r name; do
	case $name in
	*:*)
		[ -z "${name%%:*}" ] || program=${name%%:*}
		pattern="START_TEST(${name#*:})"
		;;
	*)
		program=$name
		pattern=START_TEST
		;;
	esac
	n=$((n + 1))
	grep -q "$pattern" "$top_srcdir/tests/$program.c" 2>/dev/null ||
		missing="$missing $name"
done <"$tmp/names"
[ "$n" -ge 20 ]
ok $? "the document names its tests ($n)"
[ -z "$missing" ]
ok $? "each of them is there$missing"
done_testing
