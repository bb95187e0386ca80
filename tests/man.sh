#!/bin/sh
# man.sh - each manual page is well formed and tells all that there is: options
# as -help has them, routes as the server has them, functions as the libraries
# export them, variables as the preload library reads them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
LC_ALL=C
export LC_ALL
doc=$top_srcdir/doc
# (Where the build is in the tree, the links stand there, too.)
pages=$(cd "$doc" && grep -L '^\.so ' -- *.[1-8])

# ---- form --------------------------------------------------------------------
if command -v mandoc >/dev/null 2>&1; then
	for page in $pages; do
		check "$page: mandoc has nothing to say" \
			mandoc -T lint -W warning "$doc/$page"
	done
else
	skip "mandoc has nothing to say" "mandoc is not installed"
fi
if command -v groff >/dev/null 2>&1; then
	for page in $pages; do
		groff -mdoc -ww -T ascii "$doc/$page" >"$tmp/page" 2>"$tmp/said"
		[ -s "$tmp/page" ] && [ ! -s "$tmp/said" ]
		ok $? "$page: groff has nothing to say"
		[ ! -s "$tmp/said" ] || diag "$(cat "$tmp/said")"
	done
else
	skip "groff has nothing to say" "groff is not installed"
fi
# The pages that they refer to, of ours, are there.
lost=
# shellcheck disable=SC2013 # names, without blanks
for name in $(cat "$doc"/*.[1-8] |
	sed -n 's/^\.Xr \([a-z_.-]*\) \([0-9]\).*/\1.\2/p' | sort -u); do
	case $name in
	proflab* | libpprof* | pprof*) [ -f "$doc/$name" ] || lost="$lost $name" ;;
	esac
done
[ -z "$lost" ]
ok $? "what they refer to is there$lost"

# ---- options -----------------------------------------------------------------
# flags_of_page PAGE: what its lists of options begin a line with, all in a row:
# ".It Fl svg , Fl png Ns = Ns Ar x"
flags_of_page() {
	sed -n 's/^\.It Fl /Fl /p' "$1" | grep -oE '\<Fl [A-Za-z_-]+' |
		sed 's/^Fl //' | sort -u
}
# flags_of_help: from -help on standard input
flags_of_help() {
	sed 's/^  -version, -help$/  -version\n  -help/' |
		grep -oE '^ +-[A-Za-z_-]+' | sed 's/^ *-//' | sort -u
}
for program in server load pprof check collect monitor; do
	"$top_builddir/proflab-$program" -help >"$tmp/help" 2>&1
	[ "$program" != collect ] ||
		"$top_builddir/proflab-collect" report -help >>"$tmp/help"
	flags_of_help <"$tmp/help" >"$tmp/in_help"
	flags_of_page "$doc/proflab-$program.1" >"$tmp/in_page"
	[ -s "$tmp/in_help" ]
	ok $? "proflab-$program: it has options"
	check "proflab-$program: page and -help have the same options" \
		diff "$tmp/in_help" "$tmp/in_page"
done

# ---- routes and scenarios ------------------------------------------------------
start_server "$top_builddir/proflab-server"
curl -fsS "$server_url/" | grep -oE '"/[a-z/]*"' | tr -d '"' | sort \
	>"$tmp/routes"
sed -n 's,^\.It Pa \(/[a-z/]*\)$,\1,p' "$doc/proflab-server.1" | sort \
	>"$tmp/in_page"
check "proflab-server: page and server have the same routes" \
	diff "$tmp/routes" "$tmp/in_page"
# "  cpu          numeric work             10 at a time, 2m0s, no limit"
"$top_builddir/proflab-load" -help | sed -n '/^scenarios:/,$p' | sed -n -E \
	's/^  ([a-z]+) .* ([0-9]+) at a time, ([0-9a-z]+), (.*)$/\1 \2 \3 \4/p' |
	sed 's/m0s/m/' >"$tmp/scenarios"
sed -n -E 's/^\.It Cm ([a-z]+) Ta ([0-9]+) at a time Ta ([0-9a-z]+) Ta (.*)$/\1 \2 \3 \4/p' \
	"$doc/proflab-load.1" >"$tmp/in_page"
check "proflab-load: page and -help have the same scenarios" \
	diff "$tmp/scenarios" "$tmp/in_page"

# "/debug/pprof/heap" of the header's list, and whatever route.c's tables have
sed -n 's,^ \*.*/debug/pprof/\([a-z]*\).*  .*,\1,p' \
	"$top_srcdir/src/http/pprof_http.h" | sort -u >"$tmp/paths"
sed -n 's/^\(static.*= \)*[[:space:]]*{ "\([a-z]*\)",.*/\2/p' \
	"$top_srcdir/src/http/route.c" | sort -u >>"$tmp/paths"
lost=
# shellcheck disable=SC2013 # names, without blanks
for path in $(grep . "$tmp/paths" | sort -u); do
	grep -qE "^\.It Pa .*\<$path\>" "$doc/pprof_http.3" || lost="$lost $path"
done
[ "$(sort -u "$tmp/paths" | wc -l)" -gt 6 ] && [ -z "$lost" ]
ok $? "pprof_http(3) has every path$lost"

# ---- functions -----------------------------------------------------------------
# page_functions PAGE: what its synopsis declares
page_functions() {
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$1" |
		sed -n 's/^\.F[no] \(pprof_[a-z_]*\).*/\1/p' | sort
}
# Whose link pages make makes.
links_to() {
	(cd "$top_builddir/doc" 2>/dev/null && grep -lxF ".so man3/$1" -- *.3) |
		sed 's/\.3$//' | sort
}
check "pprof(3) declares what the library exports" sh -c "$(
	page_functions "$doc/pprof.3" >"$tmp/in_page"
	echo "diff '$top_srcdir/tests/exports.list' '$tmp/in_page'"
)"
links_to pprof.3 >"$tmp/links"
check "each has a link to the page" diff "$tmp/in_page" "$tmp/links"
sed -n 's/.*[ *]\(pprof_http_[a-z_]*\)(.*/\1/p' \
	"$top_srcdir/src/http/pprof_http.h" | sort -u >"$tmp/declared"
page_functions "$doc/pprof_http.3" >"$tmp/in_page"
check "pprof_http(3) declares what its header does" \
	diff "$tmp/declared" "$tmp/in_page"
links_to pprof_http.3 >"$tmp/links"
check "each of these, too, has a link" diff "$tmp/in_page" "$tmp/links"
for header in pprof/pprof.h http/pprof_http.h; do
	page=$(basename $header .h).3
	lost=
	# A synopsis that has gone stale would still name the function.
	# shellcheck disable=SC2013 # names, without blanks
	for type in $(sed -n 's/^struct \([a-z_]*\) {$/\1/p' \
		"$top_srcdir/src/$header"); do
		grep -q "$type" "$doc/$page" || lost="$lost $type"
	done
	# shellcheck disable=SC2013
	for code in $(grep -oE '\<PPROF_ERR_[A-Z]+' "$top_srcdir/src/$header" |
		sort -u); do
		grep -q "Dv $code" "$doc/$page" ||
			[ "$page" = pprof_http.3 ] || lost="$lost $code"
	done
	[ -z "$lost" ]
	ok $? "$page tells of each type and error code$lost"
done
# As the header declares it, word for word but for the line breaks.
squeeze() {
	tr -d ' \t\n' | tr ';' '\n'
}
awk '
	/^\.Ft / { type = substr($0, 5) }
	/^\.Fn / {
		line = substr($0, 5)
		name = line
		sub(/ .*/, "", name)
		rest = substr(line, length(name) + 2)
		gsub(/" "/, ",", rest)
		gsub(/"/, "", rest)
		print type name "(" rest ");"
	}
	/^\.Fo / { name = substr($0, 5); args = "" }
	/^\.Fa "/ && name != "" {
		one = substr($0, 6)
		gsub(/"/, "", one)
		args = args (args == "" ? "" : ",") one
	}
	/^\.Fc/ { print type name "(" args ");"; name = "" }
	/^\.Sh DESCRIPTION/ { exit }' "$doc/pprof.3" | squeeze | sort \
	>"$tmp/page_protos"
sed -n '/^extern "C"/,/^#ifdef __cplusplus/p' "$top_srcdir/src/pprof/pprof.h" |
	awk '/^\/\*/ { comment = 1 }
		!comment && /^[a-z].*[ *]pprof_[a-z_]*\(/ { on = 1 }
		on { print }
		/;/ { on = 0 }
		/\*\// { comment = 0 }' | squeeze | grep . | sort >"$tmp/protos"
check "pprof(3) declares them as pprof.h does" \
	diff "$tmp/protos" "$tmp/page_protos"

# ---- variables -----------------------------------------------------------------
grep -rhoE '(getenv|variable|number|write_file)\("PPROF_[A-Z_]+"|\{ "PPROF_[A-Z_]+"' \
	"$top_srcdir/src/http" "$top_srcdir/src/pprof" "$top_srcdir/src/shim" |
	grep -oE 'PPROF_[A-Z_]+' | sort -u >"$tmp/read"
sed -n 's/^\.It Ev \(PPROF_[A-Z_]*\)$/\1/p' "$doc/libpprof-preload.7" |
	sort >"$tmp/in_page"
check "libpprof-preload(7) tells of the variables that are read" \
	diff "$tmp/read" "$tmp/in_page"

# "[UNWIND_FP] = "fp"," of the engines' names
lost=
engines=$(sed -n '/^const char \*unwind_engine_name/,/^}/p' \
	"$top_srcdir/src/pprof/unwind.c" | grep -oE '= "[a-z]+"' | grep -oE '[a-z]+')
for engine in $engines; do
	grep -q "^\.Cm $engine\>" "$doc/libpprof-preload.7" || lost="$lost $engine"
done
[ -n "$engines" ] && [ -z "$lost" ]
ok $? "and of every unwinder$lost"

# ---- the findings file ---------------------------------------------------------
# Words in the parser's tables are words of the page, or the page is behind.
lost=
words=0
for word in $(awk '
	/(measure_names|keys|trends|profile_names|units)\[[A-Z_]*\] = \{/ { on = 1 }
	on { print }
	/\};/ { on = 0 }' "$top_srcdir"/src/tools/findings*.c |
	grep -oE '"[A-Za-z%]+"' | tr -d '"' | sort -u); do
	grep -qE "(^|[^A-Za-z])$word([^A-Za-z]|\$)" \
		"$doc/proflab-findings.5" || lost="$lost $word"
	words=$((words + 1))
done
[ "$words" -gt 30 ] || lost="$lost (only $words words were found)"
[ -z "$lost" ]
ok $? "proflab-findings(5) has every word of the format$lost"
awk '/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' \
	"$doc/proflab-findings.5" >"$tmp/findings"
"$top_builddir/proflab-check" "$tmp/findings" /dev/null >"$tmp/said" 2>&1
[ $? -eq 99 ] && grep -q 'dev/null' "$tmp/said"
ok $? "its example is read"
done_testing
