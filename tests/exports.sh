#!/bin/sh
# exports.sh - libpprof.so exports the functions of tests/exports.list and
# nothing else, needs nobody's unwinder, and a program can be built with it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CC:=cc}"
lib=$top_builddir/.libs/libpprof.so
header=$top_srcdir/src/pprof/pprof.h

LC_ALL=C
export LC_ALL
if nm -D "$lib" 2>/dev/null | grep -q __asan_init; then
	skip_all "an executable does not load a sanitized library"
fi

nm -D --defined-only "$lib" | awk '{ print $3 }' | sort >"$tmp/exports"
check "the exports are those of tests/exports.list" \
	diff "$top_srcdir/tests/exports.list" "$tmp/exports"

# What is exported is declared, and what is declared and defined is exported.
sed -n 's/^[a-z].*[ *]\(pprof_[a-z_]*\)(.*/\1/p' "$header" | sort -u \
	>"$tmp/declared"
comm -13 "$tmp/declared" "$tmp/exports" >"$tmp/undeclared"
check "each is declared in pprof.h" test ! -s "$tmp/undeclared"

nm -D --undefined-only "$lib" | awk '{ print $NF }' |
	grep -E '^(_Unwind_|unw_|_U|backtrace)' >"$tmp/unwinders"
check "no unwinder is asked of another library" test ! -s "$tmp/unwinders"
readelf -d "$lib" | grep NEEDED >"$tmp/needed"
check "neither libunwind nor libgcc_s is needed" \
	sh -c "! grep -E 'libunwind|libgcc_s' '$tmp/needed'"
check "it is never unmapped" sh -c "readelf -d '$lib' | grep -q NODELETE"

cat >"$tmp/embed.c" <<'PROGRAM'
#include <pprof.h>
#include <stdio.h>
static int to_file(void *arg, const void *data, size_t len)
{
	return fwrite(data, 1, len, arg) == len ? 0 : PPROF_ERR_IO;
}
int main(void)
{
	struct pprof_profile *p;
	struct pprof_writer w = { to_file, stdout };
	if (pprof_new_profile("open", &p) || pprof_profile_add(p, &w, 0))
		return 1;
	struct pprof_write_options o = { .debug = 1 };
	return pprof_write_to(p, &o, &w) != 0;
}
PROGRAM
# As pkg-config tells, but for the folders of the build.
sed -e "s|^libdir=.*|libdir=$top_builddir/.libs|" \
	-e "s|^includedir=.*|includedir=$top_srcdir/src/pprof|" \
	"$top_builddir/src/pprof/pprof.pc" >"$tmp/pprof.pc"
flags=$(PKG_CONFIG_PATH=$tmp pkg-config --cflags --libs pprof)
# shellcheck disable=SC2086 # flags and CC are lists
check "a program links with -lpprof alone" \
	$CC -g -o "$tmp/embed" "$tmp/embed.c" $flags
LD_LIBRARY_PATH=$top_builddir/.libs "$tmp/embed" >"$tmp/text"
ok $? "it runs"
check "its stack begins in main" sh -c \
	"grep -q '^open profile: total 1\$' '$tmp/text' &&
	grep '^#' '$tmp/text' | head -n 1 | grep -q 'main+0x.*embed.c:11'"

# A C++ program takes the header as it is.
echo '#include <pprof.h>
int main() { return pprof_lookup("none") != 0; }' >"$tmp/embed.cc"
# shellcheck disable=SC2086
check "a C++ program, too" \
	${CXX:-c++} -o "$tmp/embedcc" "$tmp/embed.cc" $flags
done_testing
