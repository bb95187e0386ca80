#!/bin/sh
# shell.sh - every shell script of the project passes shellcheck, and none ends
# processes by name.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$top_srcdir" || exit 99

# What configure makes, wherever the build is, is not ours.
scripts=$(find . \( -name .git -o -name build -o -name _build \
	-o -name 'proflab-[0-9]*' -o -name autom4te.cache \
	-o -name build-aux \) -prune -o -type f \
	! -name configure ! -name 'configure~' ! -name libtool \
	! -name config.status -print | while read -r file; do
	head -c 40 "$file" | head -n 1 | grep -qaE '^#!.*[/ ](ba)?sh\b' &&
		echo "$file"
done | sort)
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
