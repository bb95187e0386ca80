#!/bin/sh
# collect.sh - proflab-collect against a real server: rounds are whole or not
# there, whatever happens to the server, the disk, or the collector.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
collect=$top_builddir/proflab-collect

# The names in a folder, on one line, without the lock.
names() {
	(cd "$1" && find . -mindepth 1 -maxdepth 1 ! -name .lock |
		sed 's,^\./,,' | sort | tr '\n' ' ')
}

# shellcheck disable=SC2317 # called through check
nothing_half() {
	! find "$1" -name '*.part' -o -name '.tmp*' | grep .
}

rounds() {
	find "$1" -mindepth 1 -maxdepth 1 -type d -name '2*' | wc -l
}

# ---- a round ----
start_server "$top_builddir/proflab-server"
status "one round" 0 "$collect" -once -seconds 1 -dir "$tmp/one/deep" "$server_url"
round=$(echo "$tmp"/one/deep/2*)
[ "$(names "$round")" = "allocs.pb.gz block.pb.gz collection.json cpu.pb.gz heap.pb.gz mutex.pb.gz stats.json threads.pb.gz " ]
ok $? "all files are there ($(names "$round"))"
check "each profile is gzip, whole" gzip -t "$round"/*.pb.gz
check "nothing half is left" nothing_half "$tmp/one/deep"
check "the reader reads them" "$top_builddir/proflab-pprof" -raw \
	"$round/cpu.pb.gz"
check "the index is the rounds' own lines" cmp "$round/collection.json" \
	"$tmp/one/deep/index.jsonl"
check "and names the files" grep -q '"file":"cpu.pb.gz"' "$tmp/one/deep/index.jsonl"
case ${round##*/} in
20[0-9][0-9][01][0-9][0-3][0-9]_[0-2][0-9][0-5][0-9][0-5][0-9]) ok 0 "the folder is named by the time" ;;
*) ok 1 "the folder is named by the time: $round" ;;
esac

# ---- not all of it ----
status "one capture fails, the others are kept" 1 "$collect" -once \
	-types heap,nope=/debug/pprof/nope,threads -dir "$tmp/partial" "$server_url/debug/pprof/"
check "and is named" grep -q 'nope: .*status 404, Unknown profile' "$tmp/out"
round=$(echo "$tmp"/partial/2*)
[ "$(names "$round")" = "collection.json heap.pb.gz stats.json threads.pb.gz " ]
ok $? "the others ($(names "$round"))"
check "the index tells" grep -q '"errors":\[{"type":"nope"' "$tmp/partial/index.jsonl"
status "nobody there" 4 "$collect" -once -dir "$tmp/none" http://127.0.0.1:1
[ -z "$(names "$tmp/none")" ]
ok $? "then nothing is left behind: $(names "$tmp/none")"
status "a folder that cannot be" 5 "$collect" -once -dir "$tmp/out/x" "$server_url"
while IFS='|' read -r name words args; do
	# shellcheck disable=SC2086 # words
	status "usage: $name" 2 "$collect" $args
	check "usage: $name is explained" grep -q -- "$words" "$tmp/out"
done <<'TABLE'
no URL|one URL is needed|-once
two URLs|one URL is needed|-once http://a http://b
scheme|must be http://, https://, unix:PATH|ftp://a
type|there are cpu, heap, allocs|-types heapp http://a
twice|heap" twice|-types heap,heap http://a
file name|or NAME=/PATH|-types ../x=/y http://a
interval|must be a duration|-interval soon http://a
age|is "7": must be an age up to 3650d|-keep-age 7 http://a
negative age|is "-1d": must be an age up to 3650d|-keep-age -1d http://a
size|must be a size like|-keep-size 3bytes http://a
jitter|must not be longer|-interval 2s -jitter 3s http://a
token|its first line must be a token|-once -token-file /dev/null -dir /tmp http://127.0.0.1:1
TABLE

# ---- answers that are not whole ----
# raw NAME: a server that answers with $tmp/NAME; sets raw_url.
raw() {
	"$top_builddir/tests/raw_server" "$tmp/$1" >"$tmp/raw.$1" &
	own $!
	wait_for 10 grep -q http "$tmp/raw.$1"
	raw_url=$(head -n 1 "$tmp/raw.$1")
}
size=$(wc -c <"$round/heap.pb.gz")
for how in length close; do
	{
		printf 'HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n'
		[ $how = close ] || printf 'Content-Length: %d\r\n' "$size"
		printf '\r\n'
		head -c $((size - 9)) "$round/heap.pb.gz"
	} >"$tmp/cut-$how"
	raw "cut-$how"
	status "an answer cut short ($how)" 1 "$collect" -once -types heap \
		-stats none -dir "$tmp/cut" "$raw_url"
	[ -z "$(names "$tmp/cut")" ]
	ok $? "is not kept ($how): $(names "$tmp/cut")"
done
{
	printf 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>no</html>'
} >"$tmp/page"
raw page
status "a page instead of a profile" 1 "$collect" -once -types heap \
	-dir "$tmp/cut" "$raw_url"
check "is called none" grep -q 'heap: it is no whole profile' "$tmp/out"
check "nor is it JSON" grep -q 'stats: it is no whole JSON' "$tmp/out"

# ---- one at a time; SIGTERM ----
"$collect" -types heap,cpu -seconds 30 -interval 1s -dir "$tmp/term" \
	"$server_url" >"$tmp/term.out" 2>&1 &
collector=$!
own $collector
# The CPU capture is under way when the server says so.
# shellcheck disable=SC2317 # called through wait_for
capturing() {
	curl -fsS "$server_url/metrics" | grep -q '^pprof_http_captures 1'
}
wait_for 20 capturing
ok $? "a capture is under way"
[ "$(rounds "$tmp/term")" -eq 0 ]
ok $? "no round is seen before it is whole"
status "a second collector" 3 "$collect" -once -dir "$tmp/term" "$server_url"
check "says why" grep -q 'another collector works in' "$tmp/out"
kill -TERM $collector
wait $collector
ok $? "SIGTERM is an orderly end"
round=$(echo "$tmp"/term/2*)
[ "$(names "$round")" = "collection.json heap.pb.gz stats.json " ]
ok $? "what was whole is kept ($(names "$round"))"
check "and called interrupted" grep -q '"interrupted":true' "$tmp/term/index.jsonl"
check "nothing half is left after SIGTERM" nothing_half "$tmp/term"

# A collector that was killed leaves what the next one clears away.
mkdir "$tmp/term/.tmp-20200101_000000"
echo x >"$tmp/term/.tmp-20200101_000000/heap.part"
status "the next collector" 0 "$collect" -once -types heap -dir "$tmp/term" "$server_url"
check "clears away what one that was killed left" nothing_half "$tmp/term"

# ---- retention ----
old() {
	mkdir -p "$tmp/keep/$1"
	head -c "$2" /dev/zero >"$tmp/keep/$1/heap.pb.gz"
	echo "{\"round\":\"$1\"}" >"$tmp/keep/$1/collection.json"
}
old 20200101_000000 10
old 20200102_000000 10
mkdir "$tmp/keep/notes" "$tmp/keep/20200101_mine"
status "by age" 0 "$collect" -once -types heap -stats none -keep-age 1d \
	-dir "$tmp/keep" "$server_url"
[ "$(rounds "$tmp/keep")" -eq 2 ] && [ -d "$tmp/keep/notes" ] && [ -d "$tmp/keep/20200101_mine" ]
ok $? "old rounds are gone, others' folders are not: $(names "$tmp/keep")"
[ "$(wc -l <"$tmp/keep/index.jsonl")" -eq 1 ]
ok $? "the index has what is there"
old 20990101_000000 100000
old 20990102_000000 100000
old 20990103_000000 100000
status "by size" 0 "$collect" -once -types heap -stats none -keep-size 250kB \
	-dir "$tmp/keep" "$server_url"
newest=$(sed -n 's/^\([0-9_]*\): .*/\1/p' "$tmp/out")
[ "$(names "$tmp/keep")" = "20200101_mine $newest 20990102_000000 20990103_000000 index.jsonl notes " ]
ok $? "the oldest are removed until the rest fits: $(names "$tmp/keep")"
[ "$(sed -n 's/.*"round":"\([^"]*\)".*/\1/p' "$tmp/keep/index.jsonl" | tr '\n' ' ')" = "$newest 20990102_000000 20990103_000000 " ]
ok $? "the new one is there, and in the index, whatever the clock was before"
status "by size, after a clock that went ahead" 0 "$collect" -once -quiet -types heap \
	-stats none -keep-size 1 -dir "$tmp/keep" "$server_url"
[ "$(rounds "$tmp/keep")" -eq 2 ] && [ ! -d "$tmp/keep/20990103_000000" ]
ok $? "the one just taken is what stays: $(names "$tmp/keep")"
status "a limit below one round" 0 "$collect" -once -types heap -stats none \
	-keep-size 1 -keep-age 1ns -dir "$tmp/least" "$server_url"
status "once more" 0 "$collect" -once -types heap -stats none \
	-keep-size 1 -keep-age 1ns -dir "$tmp/least" "$server_url"
[ "$(rounds "$tmp/least")" -eq 1 ]
ok $? "the newest always stays: $(names "$tmp/least")"

# ---- a token, unix sockets, a server that comes late ----
echo 'sesame' >"$tmp/token"
socket=$tmp/server.sock
"$collect" -rounds 2 -interval 1s -types heap,goroutine -token-file "$tmp/token" \
	-dir "$tmp/late" "unix:$socket" >"$tmp/late.out" 2>&1 &
collector=$!
own $collector
wait_for 20 grep -q "connect to server" "$tmp/late.out"
ok $? "the server is not there yet, and that is said"
"$top_builddir/proflab-server" -listen "unix:$socket" \
	-pprof-token-file "$tmp/token" >"$tmp/late.log" 2>&1 &
late=$!
own $late
wait $collector
ok $? "the collector goes on when it comes, with the token, by a unix socket"
[ "$(rounds "$tmp/late")" -ge 1 ]
ok $? "rounds are there: $(names "$tmp/late")"
status "without the token" 1 "$collect" -once -types heap -stats none \
	-dir "$tmp/late" "unix:$socket"
check "it is a 401" grep -q 'status 401' "$tmp/out"

# ---- a file limit instead of a full disk: the same errors, for everyone ----
status "a round before" 0 "$collect" -once -types heap -dir "$tmp/limit" "$server_url"
(cd "$tmp/limit" && find . -type f -exec cksum {} +) | sort >"$tmp/before"
status "a file that may not grow" 5 sh -c 'ulimit -f 1; exec "$@"' sh \
	"$collect" -once -types mutex,heap,threads -stats none -dir "$tmp/limit" "$server_url"
check "is said" grep -q 'it cannot be written: File too large' "$tmp/out"
check "nothing half is left after it" nothing_half "$tmp/limit"
(cd "$tmp/limit" && find . -type f -exec cksum {} +) | sort >"$tmp/after"
[ -z "$(grep -v index.jsonl "$tmp/before" | comm -23 - "$tmp/after")" ]
ok $? "nothing that was there is lost"
# What is to go by its age may be what fills the disk.
mkdir "$tmp/limit/20200101_000000"
status "no file may be written at all" 5 sh -c 'ulimit -f 0; exec "$@"' sh \
	"$collect" -once -quiet -types heap -dir "$tmp/limit" "$server_url"
[ ! -d "$tmp/limit/20200101_000000" ] && [ "$(rounds "$tmp/limit")" -ge 1 ]
ok $? "what is too old goes all the same: $(names "$tmp/limit")"

# ---- a report of what was collected ----
"$top_builddir/proflab-load" -scenario=leaky -rps=10 -duration=4s -quiet \
	-url="$server_url" >/dev/null 2>&1 &
own $!
status "four rounds under load" 0 "$collect" -rounds 4 -interval 1s -jitter 0 \
	-types heap,threads -dir "$tmp/leak" "$server_url"
status "a leak is a reason to fail" 1 "$collect" report -fail -svg "$tmp/leak.svg" \
	"$tmp/leak"
grep 'grows steadily' "$tmp/out" | head -n 2 | grep -q create_leaky_structures
ok $? "and the function is the first of the table"
check "the other kinds are named" grep -q 'has also threads' "$tmp/out"
check "the chart is there" grep -q '<polyline' "$tmp/leak.svg"
status "files instead of a folder" 0 "$collect" report -json "$tmp"/leak/*/heap.pb.gz
check "as JSON" grep -q '"verdict": "steady"' "$tmp/out"
status "a kind that is not there" 2 "$collect" report -profile cpu "$tmp/leak"
check "there are others" grep -q 'there are: *heap, threads' "$tmp/out"
status "one profile is too few" 2 "$collect" report "$round/heap.pb.gz"
status "mixed kinds" 0 "$collect" report "$tmp"/leak/*/heap.pb.gz "$tmp"/leak/*/threads.pb.gz
check "are skipped with a word" grep -q 'skipped .*threads.pb.gz: it holds threads/count' "$tmp/out"
# Names of any form, kinds side by side: heap is looked for in them.
corpus=$top_srcdir/tests/corpus/pprof
status "a folder of Go's profiles" 0 "$collect" report "$corpus"
check "has two of the heap" grep -q '^inuse_space by function (flat), 2 profiles' "$tmp/out"
status "mutex and block have the same types" 2 "$collect" report \
	"$corpus/go-mutex.pb.gz" "$corpus/go-block.pb.gz" "$corpus/go-mutex.pb.gz"
check "and are told apart by their names" grep -q 'go-block.pb.gz: it is called block' "$tmp/out"
done_testing
