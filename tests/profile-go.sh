#!/bin/sh
# profile-go.sh - go tool pprof as the judge: it reads what src/profile writes
# and shows the same; it reads the legacy formats so; it merges and subtracts
# to the same result.  Its answers for the legacy formats are kept in
# tests/golden/legacy/*.raw, so that they judge where there is no Go as well.
# Each case asks it three times, a second or so each: `make check` takes one
# seed, PROFILE_GO_SEEDS=N (check-long) more, and renews the golden answers.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
convert=$top_builddir/tests/profile_convert
golden=$top_srcdir/tests/golden/legacy
seeds=${PROFILE_GO_SEEDS:-1}

# From the first line that both have; times are said in local time.
go_raw() {
	"$GO" tool pprof -raw "$@" 2>>"$tmp/go.err" |
		sed -n '/^PeriodType/,$p' | sed '/^Duration: /d; /^Time: /d'
}

# shellcheck disable=SC2317 # called through check
same() {
	"$convert" raw "$2" >"$tmp/ours" 2>"$tmp/ours.err" &&
		[ -s "$tmp/ours" ] && diff "$1" "$tmp/ours"
}

for raw in "$golden"/*.raw; do
	name=$(basename "$raw" .raw)
	check "legacy: $name" same "$raw" "$golden/$name"
	"$convert" copy "$tmp/copy" "$golden/$name"
	check "legacy: $name as profile.proto" same "$raw" "$tmp/copy"
done

if [ -z "${GO:-}" ]; then
	skip "go tool pprof" "go is not here"
	done_testing
fi
PPROF_TMPDIR=$tmp
PPROF_BINARY_PATH=$tmp
export PPROF_TMPDIR PPROF_BINARY_PATH

seed=1
while [ "$seed" -le "$seeds" ]; do
	a=$tmp/a.$seed b=$tmp/b.$seed
	"$convert" random "$a" "$seed"
	"$convert" another "$b" "$seed"
	go_raw "$a" >"$tmp/go"
	[ -s "$tmp/go" ]
	ok $? "seed $seed: go tool pprof reads what we write"
	check "seed $seed: and shows the same" same "$tmp/go" "$a"
	go_raw "$a" "$b" >"$tmp/go"
	"$convert" merge "$tmp/merged" "$a" "$b"
	check "seed $seed: merges the same" same "$tmp/go" "$tmp/merged"
	go_raw -base "$b" "$a" >"$tmp/go"
	"$convert" subtract "$tmp/delta" "$a" "$b"
	check "seed $seed: subtracts the same" same "$tmp/go" "$tmp/delta"
	seed=$((seed + 1))
done

if [ "$seeds" -gt 1 ]; then
	for raw in "$golden"/*.raw; do
		go_raw "$golden/$(basename "$raw" .raw)" >"$tmp/go"
		check "golden: $(basename "$raw")" diff "$raw" "$tmp/go"
	done
fi
done_testing
