#!/bin/sh
# server-metrics.sh - /metrics: what promtool thinks of it, and what it says.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

# Every block is sampled, so that no figure is nothing by chance.
start_server "$top_builddir/proflab-server" -mem-profile-rate 1 \
	-profile-budget=50% || exit 99
metrics() {
	curl -fsS -m 20 "$server_url/metrics" >"$tmp/metrics"
}
# value SERIES: what the last scrape said.
value() {
	awk -v name="$1" '$1 == name { print $2 }' "$tmp/metrics"
}
is() {
	[ "$(value "$2")" = "$3" ]
	ok $? "$1"
	[ "$(value "$2")" = "$3" ] || diag "$2 is $(value "$2"), not $3"
}

positive() {
	awk -v v="$(value "$2")" 'BEGIN { exit !(v + 0 > 0) }'
	ok $? "$1"
}

for _ in 1 2 3; do
	curl -fsS -o "$tmp/out" "$server_url/cpu?iterations=1000" || exit 99
done
curl -sS -o "$tmp/out" "$server_url/cpu?iterations=x"
curl -sS -o "$tmp/out" "$server_url/nix"
curl -fsS -o "$tmp/out" "$server_url/leaky?size=7"
curl -fsS -o "$tmp/cpu.gz" "$server_url/debug/pprof/profile?seconds=1"
curl -fsS -o "$tmp/out" "$server_url/debug/pprof/wall?seconds=1"
for _ in 1 2; do
	curl -fsS -o "$tmp/out" "$server_url/debug/pprof/heap"
done
metrics
ok $? "it answers"

# It says nothing when it finds nothing.
# shellcheck disable=SC2317 # check calls it
promtool_is_silent() {
	"$PROMTOOL" check metrics <"$tmp/metrics" 2>&1 | tee "$tmp/promtool"
	! [ -s "$tmp/promtool" ]
}
if [ -n "${PROMTOOL:-}" ]; then
	check "promtool check metrics is clean" promtool_is_silent
else
	skip "promtool check metrics" "promtool is not installed (prometheus)"
fi
is "requests by route" 'proflab_http_requests_total{route="/cpu"}' 4
is "errors by route" 'proflab_http_request_errors_total{route="/cpu"}' 1
is "unknown paths together" 'proflab_http_requests_total{route="other"}' 1
is "every request is in a bucket" \
	'proflab_http_request_duration_seconds_bucket{route="/cpu",le="+Inf"}' 4
is "and in the count" \
	'proflab_http_request_duration_seconds_count{route="/cpu"}' 4
is "entries of the data map" proflab_data_entries 7
value pprof_lock_wait_seconds_total | grep -q '[0-9]'
ok $? "the time waited for locks"
is "captures by profile" 'pprof_captures_total{profile="profile"}' 1
is "snapshots, too" 'pprof_captures_total{profile="heap"}' 2
is "those of which there is none yet" 'pprof_captures_total{profile="block"}' 0
for part in control wall write; do
	positive "CPU time of the profiler: $part" \
		"pprof_cpu_seconds_total{part=\"$part\"}"
done
for name in cpu_seconds_total open_fds max_fds virtual_memory_bytes \
	virtual_memory_max_bytes resident_memory_bytes heap_bytes \
	start_time_seconds; do
	positive "process_$name" "process_$name"
done
for name in bytes objects; do
	positive "live heap in $name" "pprof_heap_inuse_$name"
done
positive "bytes ever allocated" pprof_heap_alloc_bytes_total
is "the overhead budget" pprof_cpu_budget_ratio 0.5
"$top_builddir/proflab-pprof" -comments "$tmp/cpu.gz" >"$tmp/comments"
grep -q "^overhead budget: 50% of the process's CPU time, used " \
	"$tmp/comments"
ok $? "the profile says it, too"
said=$("$top_builddir/proflab-server" -version)
version=${said#proflab-server } version=${version%% *}
variant=${said##*variant } variant=${variant%)}
grep -qxF "proflab_build_info{version=\"$version\",variant=\"$variant\"} 1" \
	"$tmp/metrics"
ok $? "the version and the variant"
[ "$(value proflab_threads)" -ge 4 ]
ok $? "threads are counted"
[ "$(grep -c '^# TYPE' "$tmp/metrics")" -eq \
	"$(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$tmp/metrics" | sort -u |
		wc -l)" ]
ok $? "each family comes once"

# ---- the page that lists them ----

# NAME{LABEL,...}, of every family; le belongs to a bucket, not to the family.
awk '
	/^#/ { next }
	{
		name = $1
		labels = ""
		if (match($1, /[{]/)) {
			name = substr($1, 1, RSTART - 1)
			rest = substr($0, RSTART + 1)
			sub(/[}] [^}]*$/, "", rest)
			while (match(rest, /^[a-z_]+="[^"]*",?/)) {
				one = substr(rest, 1, RLENGTH)
				rest = substr(rest, RLENGTH + 1)
				sub(/=.*/, "", one)
				if (one != "le")
					labels = labels (labels ? "," : "") one
			}
		}
		sub(/_seconds_(bucket|sum|count)$/, "_seconds", name)
		print name (labels ? "{" labels "}" : "")
	}
' "$tmp/metrics" | sort -u >"$tmp/served"
sed -n 's/^| `\([a-z_]*\({[a-z,]*}\)\{0,1\}\)` | [a-z]* |.*/\1/p' \
	"$top_srcdir/doc/metrics.md" | sort >"$tmp/listed"
check "doc/metrics.md lists what is served, and nothing else" \
	diff "$tmp/listed" "$tmp/served"
sed -n 's/^| `\([a-z_]*\)[{`].*| \([a-z]*\) |.*|$/\1 \2/p' \
	"$top_srcdir/doc/metrics.md" | sort >"$tmp/listed"
sed -n 's/^# TYPE //p' "$tmp/metrics" | sort >"$tmp/served"
check "with their types" diff "$tmp/listed" "$tmp/served"
done_testing
