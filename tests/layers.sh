#!/bin/sh
# layers.sh - every #include between the folders of src/ must be an edge of the
# table in doc/architecture.md; and there are no cycles.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$top_srcdir" || exit 99

# folder: what it may include (itself always)
cat >"$tmp/table" <<'TABLE'
base:
profile: base
symbol: base
report: base profile symbol
web: base profile report
pprof: base profile symbol
shim: base pprof
http: base profile pprof web
workloads: base
server: base http pprof web workloads
load: base
tools: base profile symbol report web
TABLE

# The table in the document is this one.
sed -n '/^<!-- layers -->$/,/^<!-- end of layers -->$/p' doc/architecture.md |
	grep '^    ' | sed 's/^    //' >"$tmp/document"
check "doc/architecture.md has the same table" diff "$tmp/table" "$tmp/document"

bad=
for file in $(find src solutions -name '*.[ch]' | sort); do
	case $file in
	src/*) from=${file#src/} from=${from%%/*} ;;
	solutions/*) from=workloads ;;
	esac
	allowed=" $from $(sed -n "s/^$from://p" "$tmp/table") "
	# shellcheck disable=SC2013 # the names have no blanks
	for header in $(sed -n \
		's,^#[[:space:]]*include "\([^"]*\)".*,\1,p' "$file"); do
		case $header in
		config.h) continue ;;
		*/*) to=${header%%/*} ;;
		*) to=same ;;
		esac
		case "$allowed" in
		*" $to "*) ;;
		*) bad="$bad
$file: \"$header\" (from $from to $to)" ;;
		esac
	done
done
[ -z "$bad" ]
ok $? "no include outside the table"
[ -z "$bad" ] || diag "$bad"

# What each folder stands on outside, as the document's other table has it.
sed -n 's/^| `src\/\([a-z]*\)` |.*| *\([^|]*\) |$/\1: \2/p' doc/architecture.md |
	tr -d ',' | sed -e 's/ libc$//' -e 's/ *$//' | sort >"$tmp/outside_told"
for dir in src/*/; do
	name=$(basename "$dir")
	libraries=$(grep -rhoE '^#include <[a-z0-9/_-]+' "$dir" | sed -n \
		-e 's/.*<curl.*/libcurl/p' -e 's/.*<dwarf.*/libdw/p' \
		-e 's/.*<editline.*/libedit/p' -e 's/.*<elfutils.*/libdw/p' \
		-e 's/.*<gelf.*/libelf/p' -e 's/.*<jansson.*/jansson/p' \
		-e 's/.*<libdeflate.*/libdeflate/p' \
		-e 's/.*<libunwind.*/libunwind/p' \
		-e 's/.*<microhttpd.*/libmicrohttpd/p' \
		-e 's/.*<nettle.*/nettle/p' \
		-e 's/.*<pcre2.*/pcre2/p' -e 's/.*<protobuf.*/protobuf-c/p' \
		-e 's/.*<sqlite3.*/sqlite3/p' -e 's/.*<uthash.*/uthash/p' \
		-e 's/.*<zlib.*/zlib/p' | sort -u | tr '\n' ' ')
	echo "$name: $libraries" | sed 's/ *$//'
done | sort >"$tmp/outside"
while read -r name rest; do
	# The document has them in the order of importance.
	# shellcheck disable=SC2046,SC2086 # lists
	echo "$name" $(printf '%s\n' $rest | sort)
done <"$tmp/outside_told" >"$tmp/outside_sorted"
check "doc/architecture.md has the libraries that each includes" \
	diff "$tmp/outside" "$tmp/outside_sorted"

unknown=
for dir in src/*/; do
	name=$(basename "$dir")
	grep -q "^$name:" "$tmp/table" || unknown="$unknown $name"
done
[ -z "$unknown" ]
ok $? "every folder of src/ is in the table$unknown"

tsort_in=$tmp/edges
while IFS=: read -r from list; do
	for to in $list; do echo "$from $to"; done
done <"$tmp/table" >"$tsort_in"
check "the table has no cycle" tsort "$tsort_in"
done_testing
