# mended.sh - is a workload really mended?  The findings being gone is not
# enough: they also go when the work is left out, when the thread sleeps instead
# of working, when the profiler is switched off, when the leak has moved to
# where the profiler does not look, or when functions have other names.
# Sourced by lab.sh.
# shellcheck shell=sh
: "${lab_top:?}" "${lab_build:?}" "${lab_out:?}"
# What lab_begin and measure.sh set.
: "${lab_server=}" "${lab_reference=}" "${lab_quiet_pid=}" "${lab_quiet_url=}"

lab_costs=${LAB_COSTS:-$lab_top/exercises/lib/costs}

# lab_requests NAME COUNT SEED: paths made from the workload's template.
lab_requests() {
	awk -v template="$(lab_workload "$1" 3)" -v count="$2" -v seed="$3" '
		function draw(choice, n, parts) {
			if (choice ~ /^[0-9]+\.\.[0-9]+$/) {
				split(choice, parts, "\\.\\.")
				return parts[1] + int(rand() * (parts[2] - parts[1] + 1))
			}
			n = split(choice, parts, ",")
			return parts[1 + int(rand() * n)]
		}
		BEGIN {
			srand(seed)
			for (i = 0; i < count; i++) {
				path = template
				while (match(path, /\{[^}]*\}/))
					path = substr(path, 1, RSTART - 1) \
						draw(substr(path, RSTART + 1, RLENGTH - 2)) \
						substr(path, RSTART + RLENGTH)
				print path
			}
		}'
}

# lab_ask URL PATHS FILE: one answer a line, without what differs from one
# moment to the next.
lab_ask() {
	while read -r lab_path; do
		printf 'url = "%s%s"\n' "$1" "$lab_path"
	done <"$2" >"$3.urls"
	# What comes after one that is not answered would not be, either.
	curl -s --fail-early --max-time "${LAB_ANSWER_LIMIT:-60}" \
		-w '%{http_code}\n' -K "$3.urls" |
		sed -e 's/"memory_stats":{[^}]*},*//' \
			-e 's/"duration":"[^"]*",*//' \
			-e 's/"generated_at":"[^"]*",*//' \
			-e 's/"goroutines":[0-9]*,*//' \
			-e 's/"threads":[0-9]*,*//' | paste - - >"$3"
}

# Figures may differ by rounding, by 1e-9 of their value; nothing else may.
# Prints the first difference.
lab_compare_answers() {
	paste -d '\n' "$1" "$2" "$3" | awk '
		function same(a, b, x, y, d) {
			while (a != b) {
				x = match(a, /-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/) ? RSTART : 0
				if (!x) return 0
				x = substr(a, RSTART, RLENGTH)
				if (substr(a, 1, RSTART - 1) != substr(b, 1, RSTART - 1))
					return 0
				a = substr(a, RSTART + RLENGTH)
				b = substr(b, RSTART)
				if (!match(b, /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/))
					return 0
				y = substr(b, 1, RLENGTH)
				b = substr(b, RLENGTH + 1)
				if (x == y) continue
				if (x !~ /[.e]/ || y !~ /[.e]/) return 0
				d = x - y
				if (d < 0) d = -d
				if (d > 1e-9 * (y < 0 ? -y : y)) return 0
			}
			return 1
		}
		NR % 3 == 1 { path = $0; n++ }
		NR % 3 == 2 { mine = $0 }
		NR % 3 == 0 && !same(mine, $0) {
			print path
			print "  yours:     " substr(mine, 1, 160)
			print "  should be: " substr($0, 1, 160)
			bad = 1
			exit
		}
		END { exit bad || !n }'
}

# lab_right_answers NAME: random requests, the learner's server and the
# reference; FAIL names the first that differs.
lab_right_answers() {
	lab_seed=${PROFLAB_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
	lab_a=$lab_out/answers.$1
	lab_requests "$1" 40 "$lab_seed" >"$lab_a.paths"
	lab_start_quiet "$lab_server" "$lab_a.mine.log" -grace 1s
	lab_mine=$lab_quiet_pid lab_mine_url=$lab_quiet_url
	lab_start_quiet "$lab_reference" "$lab_a.reference.log" -grace 1s
	lab_ask "$lab_mine_url" "$lab_a.paths" "$lab_a.mine"
	lab_ask "$lab_quiet_url" "$lab_a.paths" "$lab_a.reference"
	lab_unanswered=$(paste "$lab_a.mine" "$lab_a.paths" |
		sed -n 's/^000[[:space:]]*//p' | head -n 1)
	kill -0 "$lab_mine" 2>/dev/null || {
		wait "$lab_mine"
		lab_gone="exit status $?"
		[ "${lab_gone#exit status }" -le 128 ] ||
			lab_gone="signal $((${lab_gone#exit status } - 128))"
		tail -n 20 "$lab_a.mine.log" >&2
		lab_die "the server has died ($lab_gone) of ${lab_unanswered:-a request}: $lab_a.mine.log is what it said"
	}
	lab_end_quiet "$lab_mine"
	lab_end_quiet "$lab_quiet_pid"
	[ -z "$lab_unanswered" ] || {
		lab_say "FAIL  answers: no answer within ${LAB_ANSWER_LIMIT:-60} s to $lab_unanswered"
		return 1
	}
	if lab_compare_answers "$lab_a.paths" "$lab_a.mine" "$lab_a.reference" \
		>"$lab_a.difference"; then
		lab_say "PASS  answers: 40 random requests (seed $lab_seed) were answered as they should be"
		return 0
	fi
	lab_say "FAIL  answers: faster is not enough, it must also be right (seed $lab_seed)"
	sed 's/^/      /' "$lab_a.difference"
	return 1
}

# What a metric is called, what it is measured in, and what it means to be
# above the limit.
lab_about_metric() {
	case $1 in
	cpu) echo "CPU time a request|time|the work is still done as before, whatever its functions are called now, or threads spin instead of waiting" ;;
	bytes) echo "bytes allocated a request|bytes|the memory is still asked for as before" ;;
	allocs) echo "allocations a request|count|the blocks are still asked for as before" ;;
	lock_wait) echo "waiting for locks, a request|time|requests still stand in line for one another" ;;
	elsewhere) echo "time a request, less that on a CPU and in line for one|time|a request waits, or sleeps, for longer than its work needs" ;;
	rss) echo "resident memory afterwards|bytes|memory stays in the process, whether or not the heap profile shows it" ;;
	files) echo "bytes in open files afterwards|bytes|memory stays in files that have no name, or were left open" ;;
	fds) echo "open files afterwards|count|files, pipes or sockets stay open" ;;
	threads) echo "threads afterwards|count|threads stay in the process" ;;
	esac
}

lab_print_metric() {
	awk -v v="$1" -v kind="$2" 'BEGIN {
		if (kind == "time")
			printf "%.3g ms", v / 1e6
		else if (kind == "bytes")
			printf v < 1e6 ? "%.3g kB" : "%.4g MB", v < 1e6 ? v / 1e3 : v / 1e6
		else
			printf "%.0f", v
	}'
}

# Is the profiler on, at the rates that it was started with, and did it see the
# CPU time that the kernel counted?
lab_profiler_on() {
	grep -qx '{"block":1,"heap":524288,"mutex":1}' "$1.rates" || {
		lab_say "FAIL  sampling: the profiler's rates were changed from within: $(cat "$1.rates")"
		return 1
	}
	lab_seen=$("$lab_build/proflab-check" -json \
		"$lab_top/exercises/lib/sampled" "cpu=$1.cpu.pb.gz" |
		sed -n 's/^ *"value": \([0-9.e+-]*\),*$/\1/p' | tr '\n' ' ')
	lab_used=$(awk '$1 == "process_cpu_seconds_total" { v[++n] = $2 }
		END { printf "%.0f", (v[2] - v[1]) * 1e9 }' "$1.before" "$1.after")
	# A quarter: half a second of CPU time is 50 samples, give or take 14.
	# shellcheck disable=SC2086 # two numbers
	lab_share=$(printf '%s %s\n' "$lab_used" "$lab_seen" | awk '
		{ seen = $2 * (1 - $3)
		  if ($1 >= 5e8 && seen < $1 / 4) printf "%.2f of %.2f s", seen / 1e9, $1 / 1e9 }')
	[ -z "$lab_share" ] || {
		lab_say "FAIL  sampling: the CPU profile holds $lab_share that were used: sampling is off, or blocked"
		return 1
	}
	return 0
}

# lab_cost_row NAME METRIC PREFIX: is it within its limit?  The reason if not.
lab_cost_row() {
	lab_limit=$(awk -v name="$1" -v metric="$2" \
		'$1 == name && $2 == metric { print $6 }' "$lab_costs")
	lab_v=$(lab_value "$3" "$2")
	awk -v v="$lab_v" -v limit="$lab_limit" \
		'BEGIN { exit !(v != "" && limit != "" && v + 0 <= limit + 0) }'
}

# lab_slower_here NAME: is it the machine that takes the CPU time?  How long work
# takes depends on whose CPU it is, and on who else uses its caches; the
# reference is the same work on the same machine at the same time, and what it
# needs more than where the limit was made, a mended variant may, too.  Of either
# the least counts; so another round can only say no.  Sets lab_slower.
lab_slower_here() {
	lab_least=$(cat "$lab_p".[1-3].values | awk '
		$1 == "cpu" && (!n++ || $2 + 0 < least) { least = $2 }
		END { print least + 0 }')
	lab_rounds=
	for lab_i in 1 2 3; do
		lab_measure_workload "$1" "$lab_reference" "$lab_p.reference.$lab_i"
		lab_rounds="$lab_rounds $(lab_value "$lab_p.reference.$lab_i" cpu)"
		lab_slower=$(awk -v name="$1" -v rounds="$lab_rounds" '
			$1 == name && $2 == "cpu" && $5 > 0 {
				n = split(rounds, r, " ")
				for (i = 1; i <= n; i++)
					if (i == 1 || r[i] + 0 < least) least = r[i]
				slower = least / $5
			}
			END { print (slower > 1 ? slower : 1) }' "$lab_costs")
		awk -v name="$1" -v least="$lab_least" -v slower="$lab_slower" '
			$1 == name && $2 == "cpu" { ok = least <= $6 * slower }
			END { exit !ok }' "$lab_costs" || return 1
	done
}

# lab_cheap_enough NAME: each metric of exercises/lib/costs within its limit, by
# the whole process and by the clock: names of functions play no part in it.  A
# disturbance only ever adds, so what is above is measured again, twice.
lab_cheap_enough() {
	lab_open=$(awk -v name="$1" '$1 == name { print $2 }' "$lab_costs")
	[ -n "$lab_open" ] || lab_die "exercises/lib/costs says nothing of $1: make calibrate"
	lab_round=0
	lab_p=$lab_out/cost.$1
	while [ -n "$lab_open" ] && [ "$lab_round" -lt 3 ]; do
		lab_round=$((lab_round + 1))
		lab_measure_workload "$1" "$lab_server" "$lab_p.$lab_round"
		lab_profiler_on "$lab_p.$lab_round" || return 1
		lab_still=
		for lab_metric in $lab_open; do
			lab_cost_row "$1" "$lab_metric" "$lab_p.$lab_round" ||
				lab_still="$lab_still $lab_metric"
		done
		lab_open=$lab_still
	done
	lab_slower=1
	lab_but=
	case " $lab_open " in
	*" cpu "*)
		! lab_slower_here "$1" || {
			lab_open=$(printf '%s\n' "$lab_open" | sed 's/ cpu\>//')
			lab_but=$(printf '; the reference takes %.1f times the CPU time here that it took where they were measured, and so may yours' "$lab_slower")
		}
		;;
	esac
	for lab_metric in $lab_open; do
		lab_cost_row "$1" "$lab_metric" "$lab_p.$lab_round"
		[ -n "$lab_v" ] || lab_die "$lab_metric was not measured: see $lab_p.$lab_round.values"
		[ "$lab_metric" != cpu ] ||
			lab_limit=$(awk "BEGIN { print $lab_limit * $lab_slower }")
		lab_about=$(lab_about_metric "$lab_metric")
		lab_unit=$(echo "$lab_about" | cut -d '|' -f 2)
		lab_say "FAIL  $lab_metric: $(echo "$lab_about" | cut -d '|' -f 1): $(
			lab_print_metric "$lab_v" "$lab_unit"), the limit is $(
			lab_print_metric "$lab_limit" "$lab_unit")"
		lab_say "      $(echo "$lab_about" | cut -d '|' -f 3)"
	done
	[ -z "$lab_open" ] || return 1
	lab_say "PASS  cost: what a request of /$1 costs is within the limits ($(
		awk -v name="$1" '$1 == name { printf "%s%s", n++ ? ", " : "", $2 }' "$lab_costs"))$lab_but"
}

# lab_measure_workload NAME PROGRAM PREFIX: as exercises/lib/workloads says.
lab_measure_workload() {
	lab_requests_at=$(lab_workload "$1" 2)
	[ -n "$lab_requests_at" ] || lab_die "exercises/lib/workloads has no $1"
	lab_measure "$2" "$1" "${lab_requests_at%@*}" "${lab_requests_at#*@}" 1 "$3"
}

# lab_counted NAME: does the workload call the allocator and the threads that
# are counted?  What asks the profiler, or goes past its hooks, costs as before
# and is not seen.
lab_counted() {
	lab_objects=$(find "$lab_build/src/workloads" \
		-name "libworkloads_la-$1.o")
	[ -n "$lab_objects" ] || lab_die "no object of $1 in $lab_build"
	# shellcheck disable=SC2086 # paths of a build, one or two
	lab_past=$(nm -u $lab_objects | awk '
		$NF ~ /^(pprof_|__libc_.*(alloc|align|free)|dlv?sym$|syscall$)/ {
			print $NF }' | sort -u | tr '\n' ' ')
	[ -n "$lab_past" ] || return 0
	lab_say "FAIL  sampling: src/workloads/$1.c goes past the profiler: it calls $lab_past"
	return 1
}

# lab_maps_itself NAME: does the workload get memory past the allocator?
lab_maps_itself() {
	# shellcheck disable=SC2046 # paths of a build, one or two
	nm -u $(find "$lab_build/src/workloads" -name "libworkloads_la-$1.o") |
		awk '$NF ~ /^(mmap|mmap64|mremap|memfd_create|shm_open|s?brk)$/ { n++ }
			END { exit !n }'
}

# lab_kept NAME PREFIX: what the server says it keeps (proflab_data_entries,
# blocks of 10 KiB), is it there?  In the heap, or in variables of the workload;
# in what it has mapped, if it maps, and then its pages and files count.  Half
# of it is enough, since other parts of the heap shrink.
lab_kept() {
	# shellcheck disable=SC2086 # paths of a build, one or two
	lab_static=$(size $lab_objects | awk '
		NR > 1 && $2 + $3 > most { most = $2 + $3 } END { print most + 0 }')
	lab_maps=0
	! lab_maps_itself "$1" || lab_maps=1
	awk -v static="$lab_static" -v maps="$lab_maps" '
		/^lab_(pages|file)_bytes/ { pages[FILENAME] += $2 }
		$1 == "proflab_memory_allocated_bytes" { heap[FILENAME] = $2 }
		$1 == "proflab_data_entries" { entries = $2 }
		END {
			grew = heap[ARGV[2]] - heap[ARGV[1]] + static
			own = pages[ARGV[2]] - pages[ARGV[1]]
			if (maps && own > grew) grew = own
			if (!entries || grew >= entries * 10240 / 2) exit 0
			printf "FAIL  kept: the server says that it keeps %d blocks of 10 KiB, and its memory has grown by %d KiB: they are not there\n",
				entries, grew / 1024
			exit 1
		}' "$2.before" "$2.after"
}

# lab_mended NAME: 0 mended, 1 not, with the reason.
lab_mended() {
	lab_step "Is /$1 mended, and still right?"
	lab_right_answers "$1" || return 1
	lab_cheap_enough "$1" || return 1
	lab_counted "$1" || return 1
	lab_kept "$1" "$lab_p.$lab_round"
}
