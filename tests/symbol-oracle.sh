#!/bin/sh
# symbol-oracle.sh - src/symbol against addr2line -i -f: every function, file,
# line and inlined call, at every third byte of every function, in libraries
# compiled in many ways; and against nm and objdump where there is no DWARF.
#
# Two compilations that differ in nothing but their debug information have the
# same code, so one that addr2line reads well is the oracle for one that it
# does not: binutils 2.40 loses inlined calls in DWARF 5 of clang (DW_FORM
# rnglistx) and in what dwz made.
#
# Excused, and counted:
#   borrowed    addr2line gives an inlined call that has no linkage name the
#               name of the symbol that starts at its address (C++ lambdas)
#   unlinked    the other way about: of a clone it gives the bare name, where
#               its inlined call was asked for before
#   filed       for a clone that has none (.constprop) it asks the symbol table,
#               and takes the unit's first file along with the name
#   artificial  with -flto it takes the unit's name, "<artificial>", for the
#               file; objdump --dwarf=decodedline agrees with us
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${CC:=cc}" "${CXX:=c++}"
lookup=$top_builddir/tests/symbol_lookup
export DEBUGINFOD_URLS=

join=$top_srcdir/tests/addr2line.awk

cat >"$tmp/compare.awk" <<'AWK'
# Both files joined by paste: ours, a tab, theirs.
function excuse(ours, theirs,   a, b, n, i, why, same_line) {
	n = split(ours, a, / \| /)
	if (n != split(theirs, b, / \| /))
		return ""
	for (i = 1; i <= n; i++) {
		if (a[i] == b[i])
			continue
		same_line = substr(a[i], match(a[i], /:[0-9]+$/)) == \
			substr(b[i], match(b[i], /:[0-9]+$/))
		if (i % 2 && same_line && b[i] ~ /<artificial>/)
			why = "artificial"
		else if (i == n && same_line && b[i - 1] ~ /[.]constprop/ &&
			 b[i] ~ /\/inline.cc:/)
			why = "filed"
		else if (i % 2 == 0 && i + 1 < n && a[i] !~ /^_Z/ &&
			 b[i] == b[n - 1])
			why = "borrowed"
		else if (i == n - 1 && a[i] ~ /^_Z/ && b[i] ~ /^[a-z_]+</ &&
			 index(a[i], substr(b[i], 1, index(b[i], "<") - 1)))
			why = "unlinked"
		else
			return ""
	}
	return why
}
BEGIN { FS = "\t" }
{ total++ }
$1 ~ / \| .* \| .* \| / { inlined++ }
$1 != $2 {
	why = excuse($1, $2)
	if (why != "" && index(" " allowed " ", " " why " ")) {
		excused[why]++
		next
	}
	bad++
	if (bad <= 3)
		print "ours   " $1 "\ntheirs " $2
}
END {
	printf "%d addresses, %d with inlined calls, %d differ", total, \
		inlined, bad
	for (why in excused)
		printf ", %d %s", excused[why], why
	print ""
	exit bad > 0 || total < 1000 || (inlined < 100 && !plain)
}
AWK

cat >"$tmp/inside.awk" <<'AWK'
# nm -S lines to every third address inside the functions.
function hex(s,   i, v) {
	v = 0
	for (i = 1; i <= length(s); i++)
		v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return v
}
NF == 4 && $3 ~ /[tTwWi]/ {
	start = hex($1)
	size = hex($2)
	for (at = 0; at < size; at += 3)
		printf "%x\n", start + at
}
AWK

# compare NAME BINARY ORACLE [ALLOWED]: what we say of BINARY against what
# addr2line says of ORACLE, which has the same code.
compare() {
	nm -S --defined-only "$3" | awk -f "$tmp/inside.awk" | sort -u \
		>"$tmp/addrs"
	"$lookup" "$2" <"$tmp/addrs" | awk -f "$join" >"$tmp/ours"
	addr2line -a -i -f -e "$3" <"$tmp/addrs" |
		awk -f "$join" >"$tmp/theirs"
	paste "$tmp/ours" "$tmp/theirs" |
		awk -f "$tmp/compare.awk" -v allowed="${4-}" >"$tmp/result"
	ok $? "$1"
	sed 's/^/# /' "$tmp/result"
}

# build NAME COMPILER FLAGS...: a shared library of our own sources, $tmp/NAME
build() {
	build_name=$1
	shift
	"$@" -w -shared -fPIC -D_GNU_SOURCE -I"$top_srcdir/src" \
		-o "$tmp/$build_name" "$top_srcdir/src/symbol/dw_scopes.c" \
		"$top_srcdir/src/symbol/maps.c" >"$tmp/build.out" 2>&1 &&
		return
	sed 's/^/# /' "$tmp/build.out"
	return 1
}

cat >"$tmp/inline.cc" <<'CXX'
#include <algorithm>
#include <map>
#include <string>
#include <vector>
namespace shop {
template <class T> struct twice {
	T value;
	T get() const { return value + value; }
};
static int helper(int x) { return x * 3 + 1; }
struct basket {
	std::map<std::string, int> items;
	void add(const std::string &name, int n) { items[name] += n; }
};
}
int total(int n)
{
	std::vector<int> v;
	for (int i = 0; i < n; i++)
		v.push_back(shop::helper(i) ^ shop::twice<int>{ i }.get());
	std::sort(v.begin(), v.end(),
		  [](int a, int b) { return a % 7 < b % 7; });
	shop::basket b;
	for (int x : v)
		b.add(std::to_string(x % 50), x);
	int sum = 0;
	for (auto &item : b.items)
		sum += item.second * (int)item.first.size();
	return sum;
}
CXX

if ! command -v addr2line >/dev/null 2>&1; then
	skip_all "addr2line is not installed"
fi
# CC may carry flags.
# shellcheck disable=SC2086
build gcc5 $CC -O2 -gdwarf-5 && {
	compare "DWARF 5" "$tmp/gcc5" "$tmp/gcc5"

	objcopy --only-keep-debug "$tmp/gcc5" "$tmp/gcc5.debug"
	cp "$tmp/gcc5" "$tmp/stripped"
	strip "$tmp/stripped"
	objcopy --add-gnu-debuglink="$tmp/gcc5.debug" "$tmp/stripped"
	compare "stripped, with a debug file beside it" "$tmp/stripped" \
		"$tmp/gcc5"

	if command -v dwz >/dev/null 2>&1; then
		cp "$tmp/gcc5" "$tmp/dwz1"
		cp "$tmp/gcc5" "$tmp/dwz2"
		cp "$tmp/gcc5" "$tmp/dwz3"
		dwz "$tmp/dwz1" && dwz -m "$tmp/common" "$tmp/dwz2" "$tmp/dwz3"
		compare "after dwz" "$tmp/dwz1" "$tmp/gcc5"
		readelf -SW "$tmp/dwz2" | grep -q gnu_debugaltlink
		ok $? "dwz -m moved parts to another file"
		compare "after dwz -m" "$tmp/dwz2" "$tmp/gcc5"
	else
		skip "after dwz" "dwz is not installed"
	fi
}
# shellcheck disable=SC2086
build gcc4 $CC -O2 -gdwarf-4 && compare "DWARF 4" "$tmp/gcc4" "$tmp/gcc4"
# shellcheck disable=SC2086
build gcc1 $CC -O2 -g1 && compare "-g1" "$tmp/gcc1" "$tmp/gcc1"
# shellcheck disable=SC2086
build sections $CC -O2 -gdwarf-5 -gz -ffunction-sections -fvisibility=hidden \
	-Wl,--gc-sections,-u,maps_read,-u,dw_scopes_build \
	-Wl,--export-dynamic-symbol=maps_read &&
	compare "-gz, sections dropped" "$tmp/sections" "$tmp/sections"
# shellcheck disable=SC2086
build lto $CC -O2 -gdwarf-5 -flto &&
	compare "-flto" "$tmp/lto" "$tmp/lto" artificial
# shellcheck disable=SC2086
(cd "$tmp" && build split $CC -O2 -gdwarf-5 -gsplit-dwarf) &&
	compare "-gsplit-dwarf" "$tmp/split" "$tmp/gcc5"
if $CXX -O2 -gdwarf-5 -shared -fPIC -o "$tmp/cxx5" "$tmp/inline.cc" &&
	$CXX -O2 -g1 -shared -fPIC -o "$tmp/cxx1" "$tmp/inline.cc"; then
	compare "C++" "$tmp/cxx5" "$tmp/cxx5" "borrowed filed unlinked"
	compare "C++, -g1" "$tmp/cxx1" "$tmp/cxx1" "borrowed filed unlinked"
else
	skip "C++" "no C++ compiler"
fi
if command -v clang >/dev/null 2>&1; then
	build clang4 clang -O2 -gdwarf-4 &&
		compare "clang, DWARF 4" "$tmp/clang4" "$tmp/clang4"
	build clang5 clang -O2 -gdwarf-5 &&
		compare "clang, DWARF 5" "$tmp/clang5" "$tmp/clang4"
	build clang1 clang -O2 -gdwarf-4 -gline-tables-only &&
		compare "clang, line tables only" "$tmp/clang1" "$tmp/clang1"
else
	skip "clang" "clang is not installed"
fi

# ---- no DWARF: every dynamic symbol, first and last byte --------------------
library=$(ldconfig -p 2>/dev/null | sed -n 's,.*libmicrohttpd.so.* => ,,p' |
	head -n 1)
[ -f "$library" ] || library=$tmp/stripped
rm -f "$tmp/gcc5.debug"
for binary in "$library" "$tmp/stripped"; do
	cp "$binary" "$tmp/lone" # away from debug files that lie beside it
	nm -D -S --defined-only "$tmp/lone" | awk -v out="$tmp/nm" '
	NF == 4 && $3 ~ /[TtWiu]/ {
		sub(/@.*/, "", $4)
		names[$1] = names[$1] " " $4
	}
	END { for (a in names) { sub(/^0+/, "", a); print "0x" a } }' |
		sort >"$tmp/addrs"
	nm -D -S --defined-only "$tmp/lone" | awk '
	NF == 4 && $3 ~ /[TtWiu]/ {
		sub(/@.*/, "", $4); sub(/^0+/, "", $1); print "0x" $1, $4
	}' >"$tmp/nm"
	"$lookup" "$tmp/lone" <"$tmp/addrs" | awk -f "$join" |
		awk -v nm="$tmp/nm" '
	BEGIN {
		while ((getline line < nm) > 0) {
			split(line, f, " ")
			known[f[1] " " f[2]] = 1
		}
	}
	{ split($0, f, / \| /); n++ }
	!((f[1] " " f[2]) in known) { bad++; print }
	END { print n " symbols, " bad + 0 " wrong"; exit bad > 0 || n < 10 }
	' >"$tmp/result"
	ok $? "dynamic symbols of $(basename "$binary")"
	tail -n 4 "$tmp/result" | sed 's/^/# /'
done

# ---- stubs: as objdump names them ------------------------------------------
for binary in "$tmp/stripped" "$library"; do
	objdump -d "$binary" | sed -n \
		's/^0*\([0-9a-f]*\) <\(.*@plt\)>:$/0x\1 \2/p' >"$tmp/stubs"
	cut -d ' ' -f 1 "$tmp/stubs" | "$lookup" "$binary" |
		awk -f "$join" |
		awk '{ split($0, f, / \| /); print f[1], f[2] }' >"$tmp/ours"
	[ "$(wc -l <"$tmp/stubs")" -gt 5 ]
	ok $? "$(basename "$binary") has stubs"
	check "stubs of $(basename "$binary")" diff "$tmp/stubs" "$tmp/ours"
done

# ---- the cost ---------------------------------------------------------------
# The server's own binary, or the largest of ours that there is; addresses all
# over its text, so that every unit is indexed.  The bound is the promise; what
# is measured is a small part of it.
own=$top_builddir/proflab-server
[ -f "$own" ] || own=$lookup
nm -S --defined-only "$own" | awk -f "$tmp/inside.awk" |
	awk '{ all[NR] = $0 } END {
	for (i = 1; i <= 500; i++) print all[int(i * (NR - 1) / 500) + 1] }' \
	>"$tmp/addrs"
best=1000000
for try in 1 2; do
	figures=$("$lookup" -t "$own" <"$tmp/addrs")
	diag "$(basename "$own"), try $try: $figures us"
	cold=$(echo "$figures" | sed 's/cold \([0-9]*\).*/\1/')
	[ "$cold" -ge "$best" ] || best=$cold
done
[ "$best" -lt 100 ]
ok $? "under 100 us an address, cold"
done_testing
