#!/bin/sh
# collect-long.sh - a server that is down is asked less and less often; and a
# disk that really fills up: a small file system in memory, where one may be
# mounted.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
collect=$top_builddir/proflab-collect

# After 0, 1, 3, 7 and 11 seconds: five times in twelve, not twelve times; on a
# machine that is late, less often.
timeout 12 "$collect" -interval 1s -max-backoff 4s -dir "$tmp/down" \
	http://127.0.0.1:1 >"$tmp/out" 2>&1
[ $? -eq 124 ]
ok $? "it goes on as long as the server is down"
tries=$(grep -c "connect to server" "$tmp/out")
[ "$tries" -ge 2 ] && [ "$tries" -le 5 ]
ok $? "and asks less and less often ($tries times in 12 s)"

if unshare -m true 2>/dev/null; then
	space='unshare -m'
elif unshare -rm true 2>/dev/null; then
	space='unshare -rm'
else
	# No judge is missing: make check has the same by a limit of files.
	ok 0 "a disk that fills up # SKIP no file system can be mounted here"
	done_testing
fi
start_server "$top_builddir/proflab-server"
mkdir "$tmp/disk"
cat >"$tmp/fill" <<'SH'
mount -t tmpfs -o size=100k,mode=700 tmpfs "$1" || exit 90
n=0
: >"$2/kept"
while [ $n -lt 60 ]; do
	n=$((n + 1))
	"$3" -once -types heap,allocs,threads -keep-size 0 -dir "$1/p" "$4" 2>>"$2/errors"
	status=$?
	# What was there before is there still, as it was.
	(cd "$1/p" && { [ ! -s "$2/kept" ] || sha256sum --check --status "$2/kept"; }) || exit 91
	[ $status -ne 5 ] || break
	[ $status -eq 0 ] || exit 92
	(cd "$1/p" && find . -type f -path './2*' -exec sha256sum {} +) >"$2/kept"
done
[ $status -eq 5 ] || exit 93
find "$1/p" -name '*.part' -o -name '.tmp*' | grep . && exit 94
# Each profile that is there is whole.
find "$1/p" -name '*.pb.gz' -exec gzip -t {} + || exit 95
"$3" report "$1/p" >"$2/report" || exit 96
# With room again the collector goes on.
mount -o remount,size=400k "$1" || exit 97
"$3" -once -types heap,allocs,threads -dir "$1/p" "$4" || exit 98
echo "$n rounds until it was full"
SH
$space sh "$tmp/fill" "$tmp/disk" "$tmp" "$collect" "$server_url" >"$tmp/out" 2>&1
got=$?
ok $got "a disk that fills up loses nothing and leaves nothing half ($got)"
sed 's/^/# /' "$tmp/out" "$tmp/errors"
done_testing
