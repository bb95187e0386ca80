# course.sh - the learner's side of ./proflab: where you are, hints, checks.
# Sourced by the runner, which sets `here` and `build`.
#
# Progress is a plain file that git ignores, one fact a line:
#	N started|found|mended WHEN
#	N mended-NAME WHEN	one of several workloads
#	N hint LEVEL
# shellcheck shell=sh
: "${here:?}" "${build:?}"

state=$(absolute "${PROFLAB_STATE:-$here/.proflab}")
progress=$state/progress
answers=$(absolute "${PROFLAB_ANSWERS:-$here/answers}")
json=no

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') green=$(printf '\033[32m')
	plain=$(printf '\033[0m')
else
	bold='' green='' plain=''
fi

# check_arguments COMMAND ARGS...: no more than it takes; nothing is passed over
# in silence.
check_arguments() {
	most=1
	case $1 in
	list | status) most=0 ;;
	start | reset | compare) most=99 ;;
	solution) most=2 ;;
	esac
	case $json-$1 in
	no-* | yes-list | yes-status | yes-check | yes-compare) ;;
	*)
		say "proflab: $1 has no --json; list, status, check and compare have" >&2
		return 2
		;;
	esac
	[ $(($# - 1)) -le "$most" ] || {
		shift "$((most + 1))"
		say "proflab: \"$1\" is too much; ./proflab --help shows what each command takes" >&2
		return 2
	}
}

# make_state: the folder for what is remembered, or an end.
make_state() {
	mkdir -p "$state" || die "cannot make the folder $state (PROFLAB_STATE names another)"
}

# alone COMMAND ARGS...: walks and checks share a build and the profiles in
# $state; two at a time would judge each other's.
alone() {
	make_state
	(: >>"$state/lock") 2>/dev/null ||
		die "cannot write in the folder $state (PROFLAB_STATE names another)"
	{
		# shellcheck disable=SC2086 # -n, or nothing
		! command -v flock >/dev/null 2>&1 || flock ${patience--n} 9 || {
			say "proflab: another ./proflab is at work in $state: wait until it has ended (or name another folder by PROFLAB_STATE)" >&2
			return 99
		}
		"$@"
	} 9>"$state/lock"
}

tasks() {
	for folder in "$here"/exercises/[1-9]-*/; do
		basename "$folder" | cut -d - -f 1
	done
}

# task_folder N, or an error that names what there is.
task_folder() {
	case $1 in
	[1-9])
		for folder in "$here"/exercises/"$1"-*/; do
			[ ! -d "$folder" ] || {
				echo "${folder%/}"
				return 0
			}
		done
		;;
	esac
	say "proflab: there is no task \"$1\"; there are: $(tasks | tr '\n' ' ')" >&2
	return 2
}

task_title() {
	sed -n 's/^# //p' "$1/README.md" | head -n 1
}

# task_field FOLDER KEY: a line `key: value` of the task's own description.
task_field() {
	sed -n "s/^$2: *//p" "$1/task"
}

# remember N FACT [VALUE]: replaces the same fact.
remember() {
	make_state
	{
		[ ! -f "$progress" ] || grep -v "^$1 $2 " "$progress"
		echo "$1 $2 ${3:-$(date +%Y-%m-%dT%H:%M:%S)}"
	} 2>/dev/null >"$progress.new" && mv "$progress.new" "$progress" ||
		die "cannot write $progress: it stays as it was"
}

# recall N FACT: its value, or nothing.
recall() {
	[ -f "$progress" ] && sed -n "s/^$1 $2 //p" "$progress" | tail -n 1
}

task_status() {
	if [ -n "$(recall "$1" mended)" ]; then
		echo mended
	elif [ -n "$(recall "$1" found)" ]; then
		echo found
	elif [ -n "$(recall "$1" started)" ]; then
		echo started
	else
		echo new
	fi
}

# The task that was begun last and is not found yet: that is where one is.
# Else the first that is not finished: a task with workloads to mend is finished
# when they are mended, another when its answers are right.
current_task() {
	for n in $(sed -n 's/^\([0-9]*\) started .*/\1/p' "$progress" 2>/dev/null |
		tac); do
		[ "$(task_status "$n")" != started ] || {
			echo "$n"
			return 0
		}
	done
	for n in $(tasks); do
		folder=$(task_folder "$n")
		case $(task_status "$n") in
		mended) continue ;;
		found) [ -n "$(task_field "$folder" mend)" ] || continue ;;
		esac
		echo "$n"
		return 0
	done
}

# The task named on the command line, or the present one.
chosen_task() {
	if [ -n "${1:-}" ]; then
		task_folder "$1" >/dev/null || return 2
		echo "$1"
	else
		current_task
	fi
}

# A change that cannot be linked takes the server away: the next one that can
# brings it back.
need_build() {
	[ ! -x "$build/proflab-server" ] || return 0
	[ -f "$build/Makefile" ] && [ -x "$build/proflab-server-fixed" ] ||
		die "nothing is built yet: run ./proflab setup (about two minutes)"
	make_state
	say "The last build was not finished: rebuilding ..." >&2
	rebuild
}

course_list() {
	[ "$json" = no ] || {
		course_json
		return
	}
	for n in $(tasks); do
		folder=$(task_folder "$n")
		printf '%-8s %s\n' "$(task_status "$n")" "$(task_title "$folder")"
	done
}

course_json() {
	sep=
	printf '{"tasks": ['
	for n in $(tasks); do
		folder=$(task_folder "$n")
		hints=$(recall "$n" hint)
		printf '%s\n  {"task": %s, "title": "%s", "status": "%s", "hints": %s}' \
			"$sep" "$n" "$(task_title "$folder" | sed 's/["\\]/\\&/g')" \
			"$(task_status "$n")" "${hints:-0}"
		sep=,
	done
	now=$(current_task)
	printf '\n], "current": %s}\n' "${now:-null}"
}

# Where you are, and the one next thing to do.
course_status() {
	[ "$json" = no ] || {
		course_json
		return
	}
	n=$(current_task)
	if [ -z "$n" ]; then
		say "All tasks are done. Compare before and after: ./proflab compare NAME"
		return
	fi
	folder=$(task_folder "$n")
	say "${bold}$(task_title "$folder")${plain}"
	say ""
	case $(task_status "$n") in
	new)
		say "Next: read exercises/$(basename "$folder")/README.md, then"
		say "  ./proflab start $n"
		;;
	started)
		say "Next: write what you found into answers/$n, then"
		say "  ./proflab check $n        (./proflab hint $n when stuck)"
		;;
	found)
		say "Found. Next: mend $(mend_files "$folder" "$n"), then"
		say "  ./proflab check $n        (./proflab watch rebuilds and checks as you save)"
		later=$(next_to_find "$n")
		[ -z "$later" ] ||
			say "Or go on, and mend later: ./proflab start $later"
		;;
	esac
	say ""
	say "./proflab list shows all tasks; ./proflab --help all commands."
}

# mend_files FOLDER [N]: what is to be mended; with N, but for what task N has
# seen mended and is so still.
mend_files() {
	sep=
	for name in $(task_field "$1" mend); do
		[ -z "${2:-}" ] || [ -z "$(recall "$2" "mended-$name")" ] ||
			(is_untouched "$name") 2>/dev/null || continue
		printf '%ssrc/workloads/%s.c' "$sep" "$name"
		sep=' '
	done
}

# next_to_find N: the first task behind N whose answers are open.
next_to_find() {
	for next in $(tasks); do
		case $next-$(task_status "$next") in
		*-new | *-started)
			[ "$next" -le "$1" ] || {
				echo "$next"
				return 0
			}
			;;
		esac
	done
}

course_start() {
	# Options may stand alone, for the present task.
	case ${1:-} in
	-*) n=$(chosen_task) ;;
	*)
		n=$(chosen_task "${1:-}") || return 2
		[ $# -eq 0 ] || shift
		;;
	esac
	[ -n "$n" ] || n=1
	folder=$(task_folder "$n")
	need_build || return
	alone walk "$n" "$folder" "$@"
}

# The server as it was given, if it was kept: an earlier task's mend would hide
# what this one is about.
given_server() {
	[ ! -x "$state/original/proflab-server" ] ||
		echo "$state/original/proflab-server"
}

# walk N FOLDER OPTIONS...
walk() {
	n=$1 folder=$2
	shift 2
	# Another server's profiles, and a demo's, are not those that answers are
	# held against.
	taken_to=$state
	for other in fixed mended demo; do
		case " $* " in
		*" --$other "*) taken_to=$state/$other ;;
		esac
	done
	PROFLAB_GIVEN=$(given_server) PROFLAB_BUILD=$build \
		PROFLAB_STATE=$taken_to "$folder/run" "$@"
	walked=$?
	# Where something is broken, or the walk was, there is nothing to answer.
	case $walked-$taken_to in
	0-"$state" | 1-"$state" | 77-"$state") ;;
	*) return "$walked" ;;
	esac
	remember "$n" started
	if [ ! -e "$answers/$n" ]; then
		mkdir -p "$answers" &&
			cp "$folder/answers.example" "$answers/$n" ||
			die "cannot write $answers/$n"
	fi
	say ""
	say "The profiles are in $state/$(basename "$folder")"
	say "Write what you found into $answers/$n, then: ./proflab check $n"
	[ "$walked" -eq 0 ] ||
		say "Not all of it was to be seen this time, see above: a machine with other work measures badly.  Again, for longer: ./proflab start $n --seconds 20"
	return "$walked"
}

# Hints come one more at a time; `---` separates them in the task's file.
course_hint() {
	n=$(chosen_task "${1:-}") || return 2
	[ -n "$n" ] || {
		say "All tasks are done."
		return
	}
	folder=$(task_folder "$n")
	total=$(($(grep -c '^---$' "$folder/hints") + 1))
	level=$(recall "$n" hint)
	level=$((${level:-0} + 1))
	[ "$level" -le "$total" ] || level=$total
	remember "$n" hint "$level"
	say "${bold}Hint $level of $total for task $n${plain}"
	awk -v want="$level" 'BEGIN { at = 1 } /^---$/ { at++; next } at == want' \
		"$folder/hints"
}

# Is a workload still as the exercise gives it?
is_untouched() {
	[ -f "$state/original/$1.c" ] || keep_original "$1"
	cmp -s "$state/original/$1.c" "$here/src/workloads/$1.c"
}

# The file as it was given: from git where there is one, else as it is now.
keep_original() {
	original=$state/original/$1.c
	mkdir -p "$state/original"
	{
		git -C "$here" show "HEAD:src/workloads/$1.c" 2>/dev/null ||
			cat "$here/src/workloads/$1.c"
	} >"$original.new" && mv "$original.new" "$original" || {
		rm -f "$original.new"
		die "cannot write $original"
	}
}

# All of them, before the learner changes any: without git this is the only
# record.  And the server that was built from them, for ./proflab compare.
keep_originals() {
	case $command in
	# Where one is may be asked where nothing can be kept.
	list | status) (keep_all) 2>/dev/null || : ;;
	*) make_state && keep_all ;;
	esac
}

keep_all() {
	untouched=yes
	for name in $(workloads); do
		is_untouched "$name" || untouched=no
	done
	if [ "$untouched" = yes ] && [ -x "$build/proflab-server" ] &&
		! cmp -s "$build/proflab-server" "$state/original/proflab-server" &&
		[ -z "$(cd "$here/src/workloads" && find . -name '*.c' \
			-newer "$build/proflab-server")" ]; then
		cp "$build/proflab-server" "$state/original/server.new" &&
			mv "$state/original/server.new" \
				"$state/original/proflab-server" || {
			rm -f "$state/original/server.new"
			die "cannot keep the server as it was given in $state/original"
		}
	fi
}

# The workloads that there are, one for each solution.
workloads() {
	for file in "$here"/solutions/*.c; do
		basename "$file" .c
	done
}

need_workload() {
	[ -f "$here/solutions/$1.c" ] && return 0
	say "proflab: there is no workload \"$1\"; there are: $(workloads | tr '\n' ' ')" >&2
	return 2
}

rebuild() {
	for made in $(workloads); do
		[ -f "$here/src/workloads/$made.c" ] || {
			say "src/workloads/$made.c is not there: ./proflab reset $made brings it back" >&2
			return 99
		}
	done
	(cd "$build" && make -j"$(nproc)" >"$state/make.log" 2>&1) || {
		if grep -q 'error:' "$state/make.log"; then
			grep -E -A6 'error:|undefined reference|multiple definition' \
				"$state/make.log" | head -n 40 >&2
			say "It does not compile; the whole log is $state/make.log" >&2
		else
			tail -n 15 "$state/make.log" >&2
			say "make failed; the whole log is $state/make.log" >&2
		fi
		return 99
	}
	# A compiler that doubts is often right.
	grep -E -A6 '/src/workloads/[a-z]*\.c:.* warning:' "$state/make.log" |
		head -n 40 >&2
	return 0
}

# The learner's answers against the profiles of the last run.
check_answers() {
	[ -f "$answers/$1" ] || {
		say "There are no answers yet: ./proflab start $1 makes the file $answers/$1" >&2
		return 99
	}
	# A task may have a judge of its own.
	if [ -x "$2/check" ]; then
		PROFLAB_BUILD=$build PROFLAB_STATE=$state "$2/check" "$answers/$1"
		return
	fi
	folder=$2
	set -- "$1"
	for capture in $(task_field "$folder" profiles); do
		taken=$state/$(basename "$folder")/${capture#*=}
		[ -f "$taken" ] || {
			say "There is no ${capture#*=} yet: ./proflab start $1 takes it" >&2
			return 99
		}
		set -- "$@" "${capture%%=*}=$taken"
	done
	n=$1
	shift
	if [ "$json" = no ]; then
		"$build/proflab-check" -answers "$answers/$n" \
			"$folder/findings" "$@"
	else
		"$build/proflab-check" -json -answers "$answers/$n" \
			"$folder/findings" "$@" >"$judged"
	fi
}

# The learner's own server: the faults must be gone, the answers unchanged.
check_mended() {
	say "The workloads were changed: rebuilding, and taking the profiles again ..."
	rebuild || return
	PROFLAB_BUILD=$build PROFLAB_STATE=$state/mended PROFLAB_MENDED=$touched \
		"$2/run" --mended
}

course_check() {
	n=$(chosen_task "${1:-}") || return 2
	need_build || return
	if [ "$json" = no ]; then
		[ -n "$n" ] || {
			say "All tasks are done."
			return
		}
		alone check_task "$n"
		return
	fi
	judged=$state/judged.json
	rm -f "$judged"
	status=0
	# What is told on the way is for people.
	[ -z "$n" ] || alone check_task "$n" >&2
	status=$?
	now=done
	[ -z "$n" ] || now=$(task_status "$n")
	answers_judged=null
	[ ! -s "$judged" ] || answers_judged=$(cat "$judged")
	printf '{"task": %s, "status": "%s", "exit": %s, "mended": [%s],\n"answers": %s}\n' \
		"${n:-null}" "$now" "$status" \
		"$(mended_names "$n")" "$answers_judged"
	return "$status"
}

# mended_names N: the task's workloads that were seen to be mended, for JSON.
mended_names() {
	[ -n "$1" ] && [ -f "$progress" ] || return 0
	sed -n "s/^$1 mended-\([a-z]*\) .*/\"\1\"/p" "$progress" |
		paste -s -d ,
}

check_task() {
	n=$1
	folder=$(task_folder "$n")
	touched=
	for name in $(task_field "$folder" mend); do
		is_untouched "$name" || touched="$touched $name"
	done
	if { [ -z "$(recall "$n" found)" ] || [ -z "$(task_field "$folder" mend)" ]; } && [ -f "$folder/answers.example" ]; then
		check_answers "$n" "$folder" || {
			status=$?
			[ "$status" -ne 1 ] || say "Stuck? ./proflab hint $n"
			return "$status"
		}
		remember "$n" found
		say "${green}Task $n: found.${plain}"
	fi
	[ -n "$(task_field "$folder" mend)" ] || return 0
	if [ -z "$touched" ]; then
		say "Now mend it: $(mend_files "$folder") (./proflab solution shows one way, once you have)."
		return 1
	fi
	check_mended "$n" "$folder" || {
		status=$?
		[ "$status" -ne 1 ] || say "Not mended yet.  Stuck? ./proflab hint $n"
		return "$status"
	}
	left=
	for name in $(task_field "$folder" mend); do
		case " $touched " in
		*" $name "*) remember "$n" "mended-$name" ;;
		*) left="$left src/workloads/$name.c" ;;
		esac
	done
	if [ -n "$left" ]; then
		say "${green}Task $n: mended and proved:$touched.${plain}  Still as it was given:$left"
		return 1
	fi
	remember "$n" mended
	say "${green}Task $n: mended and proved.${plain}  ./proflab solution $n shows another way."
}

# Rebuild and check again whenever a workload file changes.
course_watch() {
	n=$(chosen_task "${1:-}") || return 2
	[ -n "$n" ] || n=1
	need_build || return
	say "Watching src/workloads/ for task $n; Ctrl-C ends it."
	last=
	while :; do
		now=$(cd "$here/src/workloads" && cksum ./*.c)
		if [ "$now" != "$last" ]; then
			last=$now
			patience='' course_check "$n"
			say "Waiting for the next change ..."
		fi
		sleep 1
	done
}

course_solution() {
	spoil=no
	which=
	for word in "$@"; do
		case $word in
		--spoil) spoil=yes ;;
		*)
			[ -z "$which" ] || {
				say "proflab: solution takes one task, not \"$which\" and \"$word\"" >&2
				return 2
			}
			which=$word
			;;
		esac
	done
	n=$(chosen_task "$which") || return 2
	[ -n "$n" ] || n=1
	folder=$(task_folder "$n")
	names=$(task_field "$folder" mend)
	[ -n "$names" ] || {
		say "Task $n has nothing to mend."
		return
	}
	if [ "$spoil" = no ] && [ -z "$(recall "$n" mended)" ]; then
		say "The solution shows itself when task $n passes; to see it now: ./proflab solution $n --spoil"
		return 1
	fi
	for name in $names; do
		say "${bold}solutions/$name.c and solutions/$name.md${plain}"
		cat "$here/solutions/$name.md"
		say ""
		diff -u "$here/src/workloads/$name.c" "$here/solutions/$name.c"
	done
	return 0
}

course_reset() {
	if [ $# -eq 0 ]; then
		rm -f "$progress" || die "cannot remove $progress: it stays as it was"
		say "What was found and mended is forgotten; your answers stay in $answers"
		for name in $(workloads); do
			is_untouched "$name" || reset_workload "$name" || return
		done
		return
	fi
	for name in "$@"; do
		need_workload "$name" || return
	done
	for name in "$@"; do
		if is_untouched "$name"; then
			say "src/workloads/$name.c is as it was given already"
		else
			reset_workload "$name" || return
		fi
	done
}

# What the learner wrote is kept before anything is written over it.
reset_workload() {
	kept=$state/kept/$1.$(date +%Y%m%d_%H%M%S).c
	mkdir -p "$state/kept" &&
		{ [ ! -e "$here/src/workloads/$1.c" ] ||
			cp "$here/src/workloads/$1.c" "$kept"; } &&
		cp "$state/original/$1.c" "$here/src/workloads/$1.c" || {
		say "proflab: src/workloads/$1.c was not reset" >&2
		return 99
	}
	if [ -e "$kept" ]; then
		say "src/workloads/$1.c is as it was given; yours is kept in $kept"
	else
		say "src/workloads/$1.c, which was not there, is as it was given"
	fi
}

# A workload (or the scenario mixed) before and after, under the same load.
course_compare() {
	given=no name='' options=
	while [ $# -gt 0 ]; do
		case $1 in
		--given) given=yes ;;
		--seconds | --rounds)
			options="$options $1 ${2:-}"
			[ $# -lt 2 ] || shift
			;;
		-*)
			say "proflab: compare has no option $1; there are: --given, --seconds N, --rounds N, --json" >&2
			return 2
			;;
		*)
			[ -z "$name" ] || {
				say "proflab: compare takes one name, not \"$name\" and \"$1\"" >&2
				return 2
			}
			name=$1
			;;
		esac
		shift
	done
	[ -n "$name" ] || {
		say "proflab: compare what? One of: $(workloads | tr '\n' ' ')mixed" >&2
		return 2
	}
	[ "$name" = mixed ] || need_workload "$name" || return
	need_build || return
	alone compare_servers
}

compare_servers() {
	# What is compared is what is in src/workloads/ now.
	rebuild || return
	[ "$json" = no ] || options="$options --json"
	set -- "$build/proflab-server" yours \
		"$build/proflab-server-fixed" solution
	if [ "$given" = yes ]; then
		[ -x "$state/original/proflab-server" ] || {
			say "There is no server as it was given: ./proflab reset, ./proflab setup and ./proflab keep one" >&2
			return 99
		}
		set -- "$state/original/proflab-server" given \
			"$build/proflab-server" yours
	elif [ "$name" = mixed ] || is_untouched "$name"; then
		set -- "$1" before "$3" after
	fi
	# shellcheck disable=SC2086 # words
	PROFLAB_BUILD=$build PROFLAB_STATE=$state \
		"$here/exercises/lib/compare" $options "$name" "$@"
}
