#!/bin/sh
# symbol-live.sh - every pc of the server's own binary in real profiles of the
# running server, against addr2line -i -f: functions, files, lines and inlined
# calls, as the process itself resolved them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in addr2line readelf curl; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done
export DEBUGINFOD_URLS=
server=$top_builddir/proflab-server
start_server "$server" -mutex-profile-fraction=1 -block-profile-rate=1 ||
	exit 99

for query in 'cpu?iterations=300000' 'memory?size=3000' inefficient \
	'database?type=insert' 'database?records=200' 'cache?key=a' \
	'concurrent?workers=8&tasks=100' 'leaky?size=2000' stats; do
	curl -fsS -m 60 -o "$tmp/answer" "$server_url/$query" || exit 99
done
while curl -fsS -m 60 -o "$tmp/busy" "$server_url/cpu?iterations=300000" \
	-o "$tmp/busy" "$server_url/memory?size=2000" \
	-o "$tmp/busy" "$server_url/inefficient"; do :; done 2>"$tmp/busy.err" &
own $!
rc=0
for profile in 'profile?seconds=3&hz=1000' heap allocs goroutine threadcreate \
	mutex block; do
	name=${profile%%\?*}
	curl -fsS -m 60 -o "$tmp/$name.gz" \
		"$server_url/debug/pprof/$profile" || rc=1
	"$top_builddir/proflab-pprof" -symbolize=none -raw "$tmp/$name.gz" \
		>"$tmp/$name.raw" 2>/dev/null || rc=1
done
ok $rc "profiles of the running server"

# What the profiles say of the binary (the first mapping), one line an address:
# its place in the file, then function and file:line, innermost first.
cat >"$tmp/raw.awk" <<'AWK'
function hex(s,   i, v) {
	v = 0
	s = tolower(s)
	sub(/^0x/, "", s)
	for (i = 1; i <= length(s); i++)
		v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return v
}
function flush() { if (address != "") lines[++n] = address " " text }
# FUNCTION FILE:LINE s=START, and a function's name may have blanks
function frame(s,   at, file, fn) {
	sub(/ s=[0-9]+$/, "", s)
	at = match(s, / [^ ]*:[0-9]+$/)
	file = substr(s, at + 1)
	fn = substr(s, 1, at - 1)
	return " | " fn " | " file
}
/^Locations/ { inside = 1; next }
/^Mappings/ { flush(); inside = 0; maps = 1; next }
maps && /^1: / {
	split($2, part, "/")
	start = hex(part[1])
	offset = hex(part[3])
}
!inside { next }
/^ *[0-9]+: 0x/ {
	flush()
	address = $3 == "M=1" ? $2 : ""
	text = ""
	if (address == "")
		next
	rest = $0
	sub(/^ *[0-9]+: 0x[0-9a-f]+ M=1 /, "", rest)
	text = frame(rest)
	next
}
address != "" {
	rest = $0
	sub(/^ */, "", rest)
	text = text frame(rest)
}
END {
	for (i = 1; i <= n; i++) {
		split(lines[i], part, " ")
		printf "0x%x%s\n", hex(part[1]) - start + offset + shift, \
			substr(lines[i], length(part[1]) + 2)
	}
}
AWK
# The text segment's place in the file, and in memory: mostly the same.
shift=$(readelf -lW "$server" | awk '$1 == "LOAD" && / R E / {
	print $3, $2 }' | head -n 1)
shift=$((${shift% *} - ${shift#* }))
for raw in "$tmp"/*.raw; do
	awk -v shift="$shift" -f "$tmp/raw.awk" "$raw"
done | sort -u >"$tmp/all"
# _CaptureEnd, _UnseenRelease and the like are no functions: their places only
# stand for what they say.
grep -v ' | _[A-Z][a-z]*[A-Z][A-Za-z]* | :0$' "$tmp/all" >"$tmp/ours"

# A file that it does not know has no name in a profile.
cut -d ' ' -f 1 "$tmp/ours" | addr2line -a -i -f -e "$server" |
	awk -f "$top_srcdir/tests/addr2line.awk" |
	sed 's/ | ??:/ | :/g' >"$tmp/theirs"

n=$(wc -l <"$tmp/ours")
inlined=$(grep -c ' | .* | .* | ' "$tmp/ours")
# Of the linker's stubs addr2line knows nothing; symbol-oracle.sh holds our
# names for them against objdump's.
sed 's/ | [^ ]*@plt | :0$/ | ?? | :0/' "$tmp/ours" >"$tmp/ours.known"
check "each is as addr2line says" diff "$tmp/theirs" "$tmp/ours.known"
# cpu's hot loop, its callers, and every place that allocates much.
[ "$n" -ge 40 ] && [ "$inlined" -ge 1 ]
ok $? "$n addresses, $inlined with inlined calls"
done_testing
