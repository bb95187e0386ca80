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
server: base http pprof workloads
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
