#!/bin/sh
# pprof-web.sh - proflab-pprof -http as a program: its addresses and its end,
# who it answers, what it refuses.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
reader=$top_builddir/proflab-pprof
[ -x "$top_builddir/tests/gen_profile" ] ||
	skip_all "tests/gen_profile is not built"
"$top_builddir/tests/gen_profile" cpu >"$tmp/cpu.pb.gz"
"$top_builddir/tests/gen_profile" heap >"$tmp/heap.pb.gz"
"$top_builddir/tests/gen_profile" empty >"$tmp/empty.pb.gz"

# serve ARGS...: sets pid and url
serve() {
	: >"$tmp/out"
	"$reader" "$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	own "$pid"
	wait_for 20 grep -q 'http://' "$tmp/out" || {
		sed 's/^/# /' "$tmp/err"
		return 1
	}
	url=$(sed -n 's,.*\(http://.*[0-9]\)/$,\1,p' "$tmp/out")
}

# get PATH CURL-ARGS...: the answer into $tmp/body, its status in $status
get() {
	path=$1
	shift
	status=$(curl -s -m 20 -o "$tmp/body" -w '%{http_code}' "$@" \
		"$url$path")
}

# is STATUS NAME
is() {
	[ "$status" = "$1" ]
	ok $? "$2"
	[ "$status" = "$1" ] || diag "$status, not $1: $(head -c 300 "$tmp/body")"
}

serve -http=:0 -no_browser "$tmp/cpu.pb.gz"
ok $? "port 0 is a free one, and the address is printed"
get /
is 200 "the page"
check "it is HTML" grep -q '<title>proflab</title>' "$tmp/body"
get /api/top
is 200 "a view"
get /download
check "the download is the profile" "$reader" -top -output=/dev/null \
	"$tmp/body"
get /download -D "$tmp/head"
check "as a file" grep -qi 'filename="profile.pb.gz"' "$tmp/head"
get /nothing
is 404 "no such page"
get / -X POST -d x
is 405 "nothing is posted"
get / -H 'Host: evil.example'
is 403 "another host's name is refused"
get /api/top -H 'Origin: http://evil.example'
is 403 "another origin is refused"
get /api/top -H "Origin: $url"
is 200 "its own is not"
port=${url##*:}
elsewhere() {
	! curl -s -m 5 -o /dev/null "http://127.0.0.2:$port/"
}
check "it listens on one address of loopback" elsewhere

second() {
	! timeout 20 "$reader" -http=":$port" -no_browser "$tmp/cpu.pb.gz" \
		>"$tmp/out2" 2>&1
}
check "an address in use ends it" second
check "and is named" grep -q "$port: Address already in use" "$tmp/out2"

kill -INT "$pid"
wait "$pid"
ok $? "SIGINT ends it well"
check "and it said nothing more" test ! -s "$tmp/err"

serve -http=localhost: -no_browser -focus=main "$tmp/cpu.pb.gz"
ok $? "a host without a port"
get /api/meta
check "filters are where the page begins" \
	grep -q '"defaults":{"focus":"main"}' "$tmp/body"
kill -TERM "$pid"
wait "$pid"
ok $? "SIGTERM ends it well"

serve -http=:0 -no_browser -base "$tmp/cpu.pb.gz" "$tmp/cpu.pb.gz"
ok $? "a base"
get /api/top
check "makes a difference" grep -q '"diff":true' "$tmp/body"
kill "$pid"
wait "$pid"

serve -http=:0 -no_browser "$tmp/empty.pb.gz"
ok $? "an empty profile is served"
get /api/meta
check "and explained" grep -q '"empty":{"why":' "$tmp/body"
kill "$pid"
wait "$pid"

# The browser is told where to look; ours is $BROWSER.
cat >"$tmp/browser" <<'SH'
#!/bin/sh
echo "$1" >"${0%/*}/browser.asked"
SH
chmod +x "$tmp/browser"
BROWSER=browser PATH=$tmp:$PATH # its words are apart by blanks
export BROWSER PATH
serve -http=:0 "$tmp/cpu.pb.gz"
check "the browser is opened" wait_for 20 test -s "$tmp/browser.asked"
check "on that address" grep -qx "$url/" "$tmp/browser.asked"
kill "$pid"
wait "$pid"

# Where there is no dot, the graph says what to install; all else is there.
with_dot=$reader
reader=$tmp/without-dot
cat >"$reader" <<SH
#!/bin/sh
PATH=/nonexistent exec "$with_dot" "\$@"
SH
chmod +x "$reader"
serve -http=:0 -no_browser "$tmp/cpu.pb.gz"
get /api/graph
is 501 "without dot there is no graph"
check "and it says what is missing" grep -q 'Is Graphviz installed' "$tmp/body"
get /api/flame
is 200 "and a flame graph all the same"
kill "$pid"
wait "$pid"
reader=$with_dot

# refused NAME TEXT ARGS...
refused() {
	refused_name=$1
	refused_text=$2
	shift 2
	timeout 20 "$reader" "$@" >"$tmp/out" 2>&1
	refused_status=$?
	[ "$refused_status" -ne 0 ] && [ "$refused_status" -ne 124 ] &&
		grep -qF -e "$refused_text" "$tmp/out"
	ok $? "$refused_name"
}
refused "no colon" "must be [HOST]:[PORT]" -http=8081 "$tmp/cpu.pb.gz"
refused "a port that is none" 'the port is "x"' -http=:x "$tmp/cpu.pb.gz"
refused "a port too large" 'the port is "65536"' -http=:65536 "$tmp/cpu.pb.gz"
# Where nobody answers what a name is: a second for each that could.
RES_OPTIONS='timeout:1 attempts:1'
export RES_OPTIONS
refused "a host that is none" "no.such.host.invalid" \
	-http=no.such.host.invalid:0 "$tmp/cpu.pb.gz"
refused "a report as well" "not compatible with an output format" \
	-http=:0 -top "$tmp/cpu.pb.gz"
refused "-no_browser alone" "only makes sense with -http" -no_browser -top \
	"$tmp/cpu.pb.gz"
refused "a base of another type" "inconsistent samples type" -http=:0 -no_browser \
	-base "$tmp/heap.pb.gz" "$tmp/cpu.pb.gz"
head -c 300 "$tmp/cpu.pb.gz" >"$tmp/cut.pb.gz"
refused "a truncated profile" "unexpected EOF at byte 300" -http=:0 \
	"$tmp/cut.pb.gz"
refused "no profile" "No such file" -http=:0 "$tmp/none"
done_testing
