#!/bin/sh
# shell.sh - every shell script of the project passes shellcheck, and none ends
# processes by name.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$top_srcdir" || exit 99

scripts=$(find . -name .git -prune -o -name build -prune -o \
	-name autom4te.cache -prune -o -name build-aux -prune -o -type f \
	-print | while read -r file; do
	head -c 40 "$file" | head -n 1 | grep -qaE '^#!.*[/ ](ba)?sh\b' &&
		echo "$file"
done | grep -vE '^\./(configure|libtool|config\.status|b)(~|$|/)' | sort)
[ -n "$scripts" ]
ok $? "there are scripts"

by_name=$(echo "$scripts" | xargs grep -nE '^[^#]*\b(pkill|killall)\b' |
	grep -v '^./tests/shell.sh')
[ -z "$by_name" ]
ok $? "none ends processes by name"
[ -z "$by_name" ] || diag "$by_name"

if command -v shellcheck >/dev/null 2>&1; then
	# shellcheck disable=SC2086 # one word a script
	check "shellcheck finds nothing" shellcheck -x $scripts
else
	skip "shellcheck finds nothing" "shellcheck is not installed"
fi
done_testing
