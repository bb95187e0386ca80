# mended.sh - is a workload really mended?  The findings being gone is not
# enough: they also go when the work is left out, when the thread sleeps instead
# of working, when the profiler is switched off, when the leak has moved to
# where the profiler does not look, or when functions have other names.
# Sourced by lab.sh.
# shellcheck shell=sh
: "${lab_top:?}" "${lab_build:?}" "${lab_out:?}"
# What lab_begin and measure.sh set.
: "${lab_server=}" "${lab_reference=}" "${lab_quiet_pid=}" "${lab_quiet_url=}"

# shellcheck source=exercises/lib/cheap.sh
. "$lab_top/exercises/lib/cheap.sh"

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
	lab_scrape "$lab_mine_url" "$lab_a.mine.before"
	lab_ask "$lab_mine_url" "$lab_a.paths" "$lab_a.mine"
	lab_scrape "$lab_quiet_url" "$lab_a.reference.before"
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
	[ -n "$lab_unanswered" ] || {
		lab_scrape "$lab_mine_url" "$lab_a.mine.after"
		lab_scrape "$lab_quiet_url" "$lab_a.reference.after"
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
	[ -z "$lab_past" ] || {
		lab_say "FAIL  sampling: src/workloads/$1.c goes past the profiler: it calls $lab_past"
		return 1
	}
	# Another process has clocks of its own; what lies in a file that has a
	# name, in a pipe or a segment is in nobody's memory.
	# shellcheck disable=SC2086 # paths of a build, one or two
	lab_past=$(nm -u $lab_objects | awk '
		$NF ~ /^(v?fork|_Fork|clone|posix_spawnp?|popen|system|exec[lv].*|fexecve)$/ ||
		$NF ~ /^((f|fre)?open|openat|creat|tmpfile)(64)?$/ ||
		$NF ~ /^(mko?stemps?(64)?|shm_open|shmget|msgget|mq_open|socket(pair)?|pipe2?)$/ {
			print $NF }' | sort -u | tr '\n' ' ')
	[ -n "$lab_past" ] || return 0
	lab_say "FAIL  counted: what src/workloads/$1.c does in another process or keeps in a file is not counted: it calls $lab_past"
	return 1
}

# lab_cheap_for_all NAME: the load asks for a few numbers again and again, so a
# workload that remembers its answers is cheap for it, and dear as before for
# whoever asks for others.  The random requests had others: what they took of
# the CPU is held against the reference, as far above it as the limit is above
# what was measured of a mended one.  50 ms: what forty requests vary by.
lab_cheap_for_all() {
	awk -v name="$1" '
		FILENAME == ARGV[1] {
			if ($1 == name && $2 == "cpu" && $3 == "cost")
				ratio = $6 / $5
			next
		}
		$1 == "process_cpu_seconds_total" { v[++n] = $2 }
		END {
			mine = v[2] - v[1]
			reference = v[4] - v[3]
			if (!ratio || mine <= reference * ratio + 0.05) exit 0
			printf "FAIL  cpu: 40 random requests took %.0f ms of CPU time, the reference %.0f ms for the same: it is cheap only for what was asked before\n",
				mine * 1e3, reference * 1e3
			exit 1
		}' "$lab_costs" "$lab_a.mine.before" "$lab_a.mine.after" \
		"$lab_a.reference.before" "$lab_a.reference.after"
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
	lab_cheap_for_all "$1" || return 1
	lab_kept "$1" "$lab_p.$lab_round"
}
