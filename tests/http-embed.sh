#!/bin/sh
# http-embed.sh - the installed library: its exports, its header in C and C++,
# and the one call that gives a program the HTTP side.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CC:=cc}" "${CXX:=c++}"
lib=$top_builddir/.libs
if nm -D "$lib/libpprof-http.so" 2>/dev/null | grep -q __asan_init; then
	skip_all "an executable does not load a sanitized library"
fi

# make install, in another test, moves the library away for a moment.
exec 9<"$top_builddir/Makefile"
flock 9 || exit 99

sed -n 's/.*[ *]\(pprof_http_[a-z_]*\)(.*/\1/p' \
	"$top_srcdir/src/http/pprof_http.h" | sort -u >"$tmp/declared"
nm -D --defined-only "$lib/libpprof-http.so" | awk '{ print $3 }' |
	sort -u >"$tmp/exported"
check "it exports what the header declares, and nothing else" \
	diff "$tmp/declared" "$tmp/exported"

cat >"$tmp/embed.c" <<'C'
#include <pprof_http.h>

#include <stdio.h>
#include <unistd.h>

int main(void)
{
	struct pprof_http *http;
	char byte;
	if (pprof_http_start("127.0.0.1:0", NULL, &http))
		return 1;
	printf("%s\n", pprof_http_url(http));
	fflush(stdout);
	/* Until the test closes our input. */
	while (read(0, &byte, 1) > 0)
		;
	pprof_http_stop(http);
	return 0;
}
C
cp "$tmp/embed.c" "$tmp/embed.cc"
# shellcheck disable=SC2086,SC2317 # they may carry flags; check calls it
build() { # COMPILER SOURCE PROGRAM
	$1 -Wall -Wextra -Werror -I"$top_srcdir/src/http" -o "$3" "$2" \
		-L"$lib" -Wl,-rpath,"$lib" -lpprof-http -lpprof
}

for language in C C++; do
	case $language in
	C) compiler=$CC source=$tmp/embed.c ;;
	*) compiler=$CXX source=$tmp/embed.cc ;;
	esac
	check "it builds as $language" build "$compiler" "$source" "$tmp/embed"
	rm -f "$tmp/in" "$tmp/out"
	mkfifo "$tmp/in"
	"$tmp/embed" <"$tmp/in" >"$tmp/out" &
	pid=$!
	own "$pid"
	exec 3>"$tmp/in"
	wait_for 20 grep -q debug/pprof "$tmp/out"
	url=$(cat "$tmp/out")
	curl -fsS -m 20 -o "$tmp/index" "$url"
	check "its index lists the heap" grep ">heap</a>" "$tmp/index"
	curl -fsS -m 20 -o "$tmp/cpu" "${url}profile?seconds=1"
	check "its CPU profile is one" \
		"$top_builddir/proflab-pprof" -raw "$tmp/cpu"
	exec 3>&-
	wait "$pid"
	ok $? "it stops when told"
done
done_testing
