# cheap.sh - is a request cheap enough?  What it costs the whole process, held
# against exercises/lib/costs, and where CPU time is in doubt against what the
# reference takes at that moment.  Sourced by mended.sh.
# shellcheck shell=sh
: "${lab_top:?}" "${lab_build:?}" "${lab_out:?}"
: "${lab_server=}" "${lab_reference=}"

lab_costs=${LAB_COSTS:-$lab_top/exercises/lib/costs}

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
# On a machine that is slower (lab_slower), CPU time has more.
lab_cost_row() {
	lab_limit=$(awk -v name="$1" -v metric="$2" -v slower="$lab_slower" '
		$1 == name && $2 == metric {
			printf "%.10g", $6 * (metric == "cpu" ? slower : 1) }' \
		"$lab_costs")
	lab_v=$(lab_value "$3" "$2")
	awk -v v="$lab_v" -v limit="$lab_limit" \
		'BEGIN { exit !(v != "" && limit != "" && v + 0 <= limit + 0) }'
}

# What a thread does not work it waits, on a lock or elsewhere; who spins does
# the one on an idle machine and the other on a busy one.
lab_is_time() {
	case $1 in cpu | lock_wait | elsewhere) return 0 ;; esac
	return 1
}

# lab_above NAME PREFIX: those of lab_open that this round has above their
# limits.  Of times it is all, or none.
lab_above() {
	lab_times=no
	for lab_metric in $lab_open; do
		lab_cost_row "$1" "$lab_metric" "$2" || ! lab_is_time "$lab_metric" ||
			lab_times=above
	done
	for lab_metric in $lab_open; do
		if lab_is_time "$lab_metric"; then
			[ "$lab_times" = no ] || echo "$lab_metric"
		else
			lab_cost_row "$1" "$lab_metric" "$2" || echo "$lab_metric"
		fi
	done | paste -s -d ' '
}

# lab_times_within NAME: in one of the rounds, by lab_slower?
lab_times_within() {
	for lab_i in 1 2 3; do
		case " $(lab_above "$1" "$lab_p.$lab_i") " in
		*" cpu "*) ;;
		*) return 0 ;;
		esac
	done
	return 1
}

# lab_slower_here NAME: is it the machine that takes the CPU time?  How long work
# takes depends on whose CPU it is, and on who else uses its caches; the
# reference is the same work on the same machine at the same time, and what it
# needs more than where the limit was made, a mended variant may, too.  Its least
# counts; so another round can only say no.  Sets lab_slower.
lab_slower_here() {
	lab_slower=1e9 # nothing to do with CPU time?
	lab_times_within "$1" || {
		lab_slower=1
		return 1
	}
	lab_rounds=
	for lab_r in 1 2 3; do
		lab_measure_workload "$1" "$lab_reference" "$lab_p.reference.$lab_r"
		lab_rounds="$lab_rounds $(lab_value "$lab_p.reference.$lab_r" cpu)"
		lab_slower=$(awk -v name="$1" -v rounds="$lab_rounds" '
			$1 == name && $2 == "cpu" && $5 > 0 {
				n = split(rounds, r, " ")
				for (i = 1; i <= n; i++)
					if (i == 1 || r[i] + 0 < least) least = r[i]
				slower = least / $5
			}
			END { print (slower > 1 ? slower : 1) }' "$lab_costs")
		lab_times_within "$1" || return 1
	done
}

# lab_cheap_enough NAME: each metric of exercises/lib/costs within its limit, by
# the whole process and by the clock: names of functions play no part in it.  A
# disturbance only ever adds, so what is above is measured again, twice.
lab_cheap_enough() {
	lab_open=$(awk -v name="$1" '$1 == name { print $2 }' "$lab_costs")
	[ -n "$lab_open" ] || lab_die "exercises/lib/costs says nothing of $1: make calibrate"
	lab_round=0
	lab_slower=1
	lab_but=
	lab_p=$lab_out/cost.$1
	while [ -n "$lab_open" ] && [ "$lab_round" -lt 3 ]; do
		lab_round=$((lab_round + 1))
		lab_measure_workload "$1" "$lab_server" "$lab_p.$lab_round"
		lab_profiler_on "$lab_p.$lab_round" || return 1
		lab_open=$(lab_above "$1" "$lab_p.$lab_round")
	done
	case " $lab_open " in
	*" cpu "*)
		! lab_slower_here "$1" || {
			lab_but=$(printf '; the reference takes %.1f times the CPU time here that it took where they were measured, and so may yours' "$lab_slower")
			lab_open=$(for lab_metric in $lab_open; do
				lab_is_time "$lab_metric" || echo "$lab_metric"
			done)
		}
		;;
	esac
	for lab_metric in $lab_open; do
		! lab_cost_row "$1" "$lab_metric" "$lab_p.$lab_round" || continue
		[ -n "$lab_v" ] || lab_die "$lab_metric was not measured: see $lab_p.$lab_round.values"
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
