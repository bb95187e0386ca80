#!/bin/sh
# docs.sh - every command that README.md and doc/*.md show is run, as shown
# but for ports and lengths of time, against the installed tree; the code in
# them is that of doc/examples; links between documents lead somewhere.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# By hand: [CC=... CXX=...] top_builddir=build tests/docs.sh [DOCUMENT...]
if [ ! -f "$top_builddir/Makefile" ]; then
	echo "Bail out! $top_builddir has no Makefile: set top_builddir to the folder in which configure ran"
	exit 99
fi
[ -f "$top_builddir/.libs/libpprof-preload.so" ] ||
	skip_all "no libpprof-preload.so in this build (a sanitizer's)"
# Those of the build, unless others are given.
: "${CC:=$(sed -n 's/^CC = //p' "$top_builddir/Makefile")}"
: "${CXX:=$(sed -n 's/^CXX = //p' "$top_builddir/Makefile")}"
: "${CXX:=c++}"
LC_ALL=C
export LC_ALL
# What a reader of another document has in a terminal does not count here.
unset PPROF_ADDR PPROF_CPU PPROF_HEAP PPROF_MEM_RATE PPROF_TMPDIR NO_COLOR

# DOCS names others; arguments, too.
: "${DOCS:=README.md $(cd "$top_srcdir" && ls doc/*.md)}"
[ $# -eq 0 ] || DOCS=$*

# shellcheck source=tests/docs-lib.sh
. "$top_srcdir/tests/docs-lib.sh"

running=
for doc in $DOCS; do
	[ -f "$top_srcdir/$doc" ] || continue
	folder=$tmp/$(basename "$doc" .md)
	mkdir "$folder"
	awk -v dir="$folder" -f "$top_srcdir/tests/docs.awk" "$top_srcdir/$doc"
	for part in "$folder"/[1-9]; do
		start_part "$part"
	done
done
# shellcheck disable=SC2317 # called through wait_for
has_ended() {
	! is_there "$1"
}
for pid in $running; do
	wait_for 120 has_ended "$pid"
	ok $? "a document's part comes to its end"
done
for doc in $DOCS; do
	[ -f "$top_srcdir/$doc" ] || continue
	folder=$tmp/$(basename "$doc" .md)
	for part in "$folder"/[1-9]; do
		last=$(cat "$part/now" 2>/dev/null || echo 1000)
		for about in "$part"/*.about; do
			[ -f "$about" ] || continue
			judge_block "$doc" "${about%.about}" "$last"
			# Those behind one that failed were not run.
			[ "$(basename "$about" .about)" != "$last" ] || break
		done
	done
	[ ! -f "$folder/stray" ]
	ok $? "$doc: every command stands in a block that is run"
	[ ! -f "$folder/stray" ] || diag "$(cat "$folder/stray")"
done

# ---- the examples, beside what the documents do with them ---------------------
# installed_flags PACKAGE
installed_flags() {
	PKG_CONFIG_PATH=$inst$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$inst \
		pkg-config --cflags --libs "$1"
}
for source in primes.c server.c handles.cc; do
	compiler=$CC
	[ "${source##*.}" = c ] || compiler=$CXX
	# shellcheck disable=SC2046,SC2086 # lists of words
	check "$source: no warnings" $compiler -Wall -Wextra -Werror -O2 \
		-o "$tmp/${source%.*}" "$top_srcdir/doc/examples/$source" \
		$(installed_flags pprof-http)
done
# Without the hooks it works, and says what it lacks.
LD_LIBRARY_PATH=$inst$prefix/lib "$tmp/server" 127.0.0.1:0 </dev/null \
	>"$tmp/said" 2>&1
ok $? "server.c runs with pprof-http alone"
check "and says that nothing is hooked" grep 'nothing is hooked' "$tmp/said"

# ---- links -------------------------------------------------------------------
# anchors FILE: what its headings may be called in a link
anchors() {
	awk '/^ *```/ { fenced = !fenced } !fenced && /^#+ /' "$1" |
		sed -E -e 's/^#+ //' | tr '[:upper:]' '[:lower:]' |
		tr -cd 'a-z0-9 _\n-' | tr ' ' '-'
}
# lost_links FILE...: prints "FILE:LINK" of each that leads nowhere, and "." for
# each that does not
lost_links() {
	for linking in "$@"; do
		# shellcheck disable=SC2013 # a link has no blanks
		for link in $(awk '/^ *```/ { fenced = !fenced } !fenced' "$linking" |
			grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//'); do
			case $link in
			*://*) continue ;;
			'#'*) file=$linking ;;
			*) file=$(dirname "$linking")/${link%%#*} ;;
			esac
			if [ ! -e "$file" ]; then
				echo "$linking:$link"
				continue
			fi
			case $link in
			*.md'#'* | '#'*)
				anchors "$file" | grep -qxF -- "${link##*#}" ||
					echo "$linking:$link"
				;;
			esac
			echo .
		done
	done
}
lost_links "$top_srcdir"/*.md "$top_srcdir"/doc/*.md \
	"$top_srcdir"/exercises/*/README.md "$top_srcdir"/solutions/*.md \
	>"$tmp/links"
[ "$(grep -cx '\.' "$tmp/links")" -gt 20 ] && ! grep -qvx '\.' "$tmp/links"
ok $? "links between documents lead somewhere"
grep -vx '\.' "$tmp/links" | sed 's/^/# /'
docs_dir=$(dirname "$(find "$inst" -name guide.md)")
# (The course is in the source tree alone.)
lost_links "$docs_dir"/*.md | grep -v ':\.\./exercises/' >"$tmp/links"
[ "$(grep -cx '\.' "$tmp/links")" -gt 10 ] && ! grep -qvx '\.' "$tmp/links"
ok $? "those of the installed ones, too"
grep -vx '\.' "$tmp/links" | sed 's/^/# /'
done_testing
