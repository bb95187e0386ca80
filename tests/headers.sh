#!/bin/sh
# headers.sh - each header compiles alone; each begins with what it is for.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CC:=cc}"

bad=
silent=
for header in $(cd "$top_srcdir/src" && find . -name '*.h' | sort); do
	header=${header#./}
	echo "#include \"$header\"" >"$tmp/one.c"
	# shellcheck disable=SC2086 # CC may carry flags
	$CC -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
		-I"$top_srcdir/src" -I"$top_builddir/src" -I"$top_builddir" \
		"$tmp/one.c" 2>"$tmp/err" || {
		bad="$bad $header"
		sed 's/^/# /' "$tmp/err" | head -n 5
	}
	head -n 1 "$top_srcdir/src/$header" | grep -q '^/\*' ||
		silent="$silent $header"
done
[ -z "$bad" ]
ok $? "each header compiles alone$bad"
[ -z "$silent" ]
ok $? "each header says first what it is for$silent"
done_testing
