# measure.sh - what a request costs a server: the same requests on a server of
# its own, and the figures of its clocks, its profiler and its clients.
# Sourced by lab.sh; needs what lab_begin sets up.
# shellcheck shell=sh
: "${lab_top:?}" "${lab_build:?}"

# lab_workload NAME FIELD: of exercises/lib/workloads (2 requests, 3 template,
# 4 most).
lab_workload() {
	awk -F '|' -v name="$1" -v field="$2" '$1 == name { print $field }' \
		"$lab_top/exercises/lib/workloads"
}

lab_workloads() {
	awk -F '|' '!/^#/ && NF == 4 { print $1 }' \
		"$lab_top/exercises/lib/workloads"
}

# lab_start_quiet PROGRAM LOG [ARGS...]: a server beside the one of the
# walk-through; sets lab_quiet_pid and lab_quiet_url.
lab_start_quiet() {
	lab_quiet_program=$1
	lab_quiet_log=$2
	shift 2
	: >"$lab_quiet_log" # not the address of another time
	"$lab_quiet_program" -listen 127.0.0.1:0 "$@" >"$lab_quiet_log" \
		2>&1 9>&- &
	lab_quiet_pid=$!
	lab_pids="$lab_pids $lab_quiet_pid"
	lab_wait 20 grep -q 'http://127' "$lab_quiet_log" || {
		cat "$lab_quiet_log" >&2
		lab_die "$lab_quiet_program did not start"
	}
	lab_quiet_url=$(lab_url_of "$lab_quiet_log")
}

# lab_end_quiet PID: end it, and wait until it has ended.
lab_end_quiet() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	lab_forget "$1"
}

# lab_forget PID: it has ended; its number may be someone else's by now.
lab_forget() {
	lab_kept=
	for lab_pid in $lab_pids; do
		[ "$lab_pid" = "$1" ] || lab_kept="$lab_kept $lab_pid"
	done
	lab_pids=$lab_kept
}

# lab_scrape URL FILE: /metrics, or an end.
lab_scrape() {
	curl -fsS --max-time 30 -o "$2" "$1/metrics" ||
		lab_die "no answer from $1/metrics: has the server died?"
}

# lab_memory PID: what the process has in memory, as lines of /metrics.  Pages of
# its own and shared ones, those swapped out, too; and what it holds as open
# files, a memfd among them, or as shared mappings of such, whether or not the
# pages are mapped: resident memory knows nothing of those.
lab_memory() {
	awk '/^(RssAnon|RssShmem|VmSwap):/ { kb += $2 }
		END { printf "lab_pages_bytes %d\n", kb * 1024 }' "/proc/$1/status"
	{
		# A file is counted once, however often it is open.
		stat -L -c '%d:%i %b %B %F' "/proc/$1/fd"/* 2>/dev/null |
			awk '/regular/ { print "i" $1, $2 * $3 }'
		awk '$2 ~ /s$/ { print "m" $4 ":" $5, $1 }' "/proc/$1/maps"
	} | awk '
		/^i/ { file[$1] = $2 }
		/^m/ { split($2, at, "-"); mapped[$1] += hex(at[2]) - hex(at[1]) }
		function hex(text, i, v) {
			for (i = 1; i <= length(text); i++)
				v = v * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
			return v
		}
		END {
			for (f in file) open += file[f]
			for (m in mapped) shared += mapped[m]
			printf "lab_file_bytes %d\n", (open > shared ? open : shared)
		}'
	printf 'lab_open_files %d\n' "$(find "/proc/$1/fd" -type l | wc -l)"
	# How long each thread was ready to run, and others did.  A worker that
	# left would take it along: -worker-idle.  No request waits for the
	# profiler's own threads, nor for those that answer /metrics.
	awk '{
		split(FILENAME, at, "/")
		file = "/proc/" at[3] "/task/" at[5] "/comm"
		name = ""
		getline name <file
		close(file)
		if (name !~ /^(pprof|monitor)/)
			print "lab_run_delay:" at[5], $2
	}' "/proc/$1/task"/*/schedstat 2>/dev/null
}

# lab_json_number FILE KEY: the first number of that key.
lab_json_number() {
	sed -n "s/^ *\"$2\": *\([0-9.e+-]*\),*\$/\1/p" "$1" | head -n 1
}

# lab_load_errors FILE: what went wrong, by kind, as the load tells machines.
lab_load_errors() {
	lab_kinds=$(sed -n 's/^ *"\([a-z]*_*[0-9]*\)": \([0-9]*\),*$/\1: \2/p' "$1" |
		grep -E '^(http_|network|timeout)' | tr '\n' ' ')
	echo "${lab_kinds:-no request was answered in $(lab_json_number "$1" duration_seconds) s}"
}

# lab_measure PROGRAM SCENARIO REQUESTS CONCURRENCY SEED PREFIX [ARGS...]:
# start PROGRAM (with ARGS), send it REQUESTS requests of SCENARIO
# (CONCURRENCY 0: as the scenario), and leave
#   PREFIX.values     "name value" lines, see lab_values
#   PREFIX.KIND.pb.gz profiles of these requests: cpu allocs mutex block; and
#                     of what is in use afterwards: heap
# The same seed sends the same requests.
lab_measure() {
	lab_m_program=$1 lab_m_scenario=$2 lab_m_n=$3 lab_m_threads=$4
	lab_m_seed=$5 lab_m=$6
	shift 6
	lab_start_quiet "$lab_m_program" "$lab_m.server.log" -grace 10s \
		-block-profile-rate 1 -mutex-profile-fraction 1 \
		-worker-idle 10m "$@"
	lab_m_pid=$lab_quiet_pid
	# They last until the server is told to end, which completes them.
	lab_m_curls=
	for lab_m_kind in profile allocs mutex block; do
		lab_m_to=$lab_m.$lab_m_kind.pb.gz
		[ "$lab_m_kind" != profile ] || lab_m_to=$lab_m.cpu.pb.gz
		curl -fsS --max-time 600 -o "$lab_m_to" \
			"$lab_quiet_url/debug/pprof/$lab_m_kind?seconds=600" \
			2>"$lab_m_to.log" 9>&- &
		lab_m_curls="$lab_m_curls $!"
	done
	lab_pids="$lab_pids$lab_m_curls"
	lab_wait 20 lab_is_capturing "$lab_quiet_url" 4 ||
		lab_die "the profiles did not begin: $(cat "$lab_m".*.log)"
	lab_scrape "$lab_quiet_url" "$lab_m.before"
	lab_memory "$lab_m_pid" >>"$lab_m.before"
	"$lab_build/proflab-load" "-scenario=$lab_m_scenario" \
		"-requests=$lab_m_n" "-concurrency=$lab_m_threads" -rps=0 \
		"-seed=$lab_m_seed" "-duration=${lab_measure_limit:-120}s" \
		-json -quiet "-url=$lab_quiet_url" >"$lab_m.load" \
		2>"$lab_m.load.log"
	lab_m_status=$?
	lab_scrape "$lab_quiet_url" "$lab_m.after"
	lab_memory "$lab_m_pid" >>"$lab_m.after"
	if [ "$lab_m_status" -ne 0 ]; then
		cat "$lab_m.load.log" >&2
		lab_die "the load on $lab_m_program did not run cleanly: $(
			lab_load_errors "$lab_m.load")"
	fi
	curl -fsS -o "$lab_m.rates" "$lab_quiet_url/debug/pprof/rates" ||
		lab_die "no answer from $lab_quiet_url"
	curl -fsS --max-time 60 -o "$lab_m.heap.pb.gz" \
		"$lab_quiet_url/debug/pprof/heap" ||
		lab_die "no heap profile from $lab_quiet_url"
	lab_end_quiet "$lab_m_pid"
	for lab_m_curl in $lab_m_curls; do
		wait "$lab_m_curl" ||
			lab_die "a profile was cut off: $(cat "$lab_m".*.pb.gz.log)"
		lab_forget "$lab_m_curl"
	done
	lab_values "$lab_m" >"$lab_m.values"
}

lab_is_capturing() {
	curl -fsS --max-time 5 "$1/metrics" | grep -q "^pprof_http_captures $2\$"
}

# lab_values PREFIX: what the files of a measurement say, for each request
# where that makes sense.  Nanoseconds, bytes, counts:
#   requests           answered
#   cpu                CPU time of the process
#   bytes allocs       allocated (the profiler's estimate, from its samples)
#   lock_wait          waited for locks, summed over threads
#   elsewhere          of the requests' time in the server what was neither CPU
#                      time nor spent in line for a CPU: waiting, sleeping (one
#                      at a time only)
#   p50 p90 p99        latency
#   rss threads        of the process, when all were answered
#   files fds          bytes in its open files, and how many are open, then
lab_values() {
	awk -v n="$(lab_json_number "$1.load" total_requests)" \
		-v at_once="$(lab_json_number "$1.load" concurrency)" \
		-v p50="$(lab_json_number "$1.load" p50)" \
		-v p90="$(lab_json_number "$1.load" p90)" \
		-v p99="$(lab_json_number "$1.load" p99)" '
		/^#/ { next }
		FILENAME ~ /before$/ { before[$1] = $2; next }
		{ after[$1] = $2 }
		function each(name) { return (after[name] - before[name]) / n }
		END {
			print "requests", n
			cpu = each("process_cpu_seconds_total") * 1e9
			print "cpu", cpu
			print "bytes", each("pprof_heap_alloc_bytes_total")
			print "allocs", each("pprof_heap_alloc_objects_total")
			print "lock_wait", each("pprof_lock_wait_seconds_total") * 1e9
			for (name in after)
				if (name ~ /^lab_run_delay:/)
					in_line += each(name)
				else if (name ~ /_duration_seconds_sum/ && name !~ /metrics/)
					in_server += each(name) * 1e9
			rest = in_server - cpu - in_line
			if (at_once == 1)
				print "elsewhere", (rest > 0 ? rest : 0)
			print "p50", p50 * 1e6
			print "p90", p90 * 1e6
			print "p99", p99 * 1e6
			print "rss", after["process_resident_memory_bytes"]
			print "threads", after["proflab_threads"]
			print "files", after["lab_file_bytes"]
			print "fds", after["lab_open_files"]
		}' "$1.before" "$1.after"
}

# lab_value PREFIX NAME
lab_value() {
	sed -n "s/^$2 //p" "$1.values"
}
