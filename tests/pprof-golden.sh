#!/bin/sh
# pprof-golden.sh - reports of proflab-pprof equal the files in golden/pprof,
# which go tool pprof wrote: what pprof-differential.sh proves, for machines
# without Go.  UPDATE_GOLDEN=1 writes them anew, with Go.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

golden=$top_srcdir/tests/golden/pprof
profiles=$tmp/profiles
mkdir "$profiles"
for kind in $("$top_builddir/tests/gen_profile" -list); do
	"$top_builddir/tests/gen_profile" "$kind" >"$profiles/$kind.pb.gz" ||
		exit 99
done
cp "$top_srcdir"/tests/corpus/pprof/*.pb.gz "$profiles/" || exit 99
for odd in recursive-huge mapping-missing names-nul; do
	cp "$top_srcdir/tests/corpus/report/$odd" "$profiles/" || exit 99
done
cd "$profiles" || exit 99
export TZ=UTC HOME="$tmp"
unset PPROF_BINARY_PATH PPROF_TOOLS

while read -r name arguments; do
	case $name in '' | '#'*) continue ;; esac
	if [ "${UPDATE_GOLDEN:-0}" = 1 ]; then
		# shellcheck disable=SC2086 # arguments are words
		"$("$GO" env GOTOOLDIR)/pprof" $arguments \
			>"$golden/$name" 2>/dev/null
	fi
	# shellcheck disable=SC2086 # arguments are words
	"$top_builddir/proflab-pprof" $arguments >"$tmp/out" 2>"$tmp/err"
	if cmp -s "$golden/$name" "$tmp/out"; then
		ok 0 "$name: $arguments"
	else
		ok 1 "$name: $arguments"
		diag "$(diff -a "$golden/$name" "$tmp/out" | head -n 10)"
		diag "$(head -n 3 "$tmp/err")"
	fi
done <"$golden/cases"
done_testing
