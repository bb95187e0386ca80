#!/bin/sh
# readme-commands.sh - every command that exercises/*/README.md prints, in
# order, in one shell: each must succeed, and what the text names must appear in
# what was printed.  Text, code and profile cannot drift apart.
#
# What is run is what is printed, but for this (documented once, here):
#
#	printed				run
#	127.0.0.1:8080			a free port
#	-duration=Ns, Nm, seconds=N	a third, and a little more for the load;
#					minutes as twenty seconds
#	sleep N				N tenths, where profiles are taken in a
#					loop; else as printed
#	min_age=Ns			a fifth
#	-rounds 6 -interval 10s		-rounds 2 -interval 1s
#	proflab-monitor URL		ended after three seconds
#	./proflab			the runner, wherever it is; compare with
#					two rounds in eight seconds
#
# READMES="1 3" names the tasks; all of them otherwise.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/course-lib.sh
. "$top_srcdir/tests/course-lib.sh"
command -v bash >/dev/null 2>&1 || skip_all "bash is not installed: the texts are for a terminal with job control"
command -v jq >/dev/null 2>&1 || skip_all "jq is not installed: the texts use it"
scratch_course || {
	ok 1 "a copy of the course"
	done_testing
}

# A port below those that the kernel hands out by itself, and apart from those of
# docs.sh, which may run beside this.  It is the same for each text: the next one
# belongs to whoever runs this at the same time.
port=$((23000 + $$ % 7000))
free_port() {
	while grep -qi "$(printf ':%04X 0' "$port")" /proc/net/tcp /proc/net/tcp6 2>/dev/null; do
		port=$((port + 1))
	done
}

# The lines of indented blocks: four blanks, or seven inside a list.  A line
# that is not a command (what a file must hold) has no program of ours in it.
commands_of() {
	grep -E '^(    |       )[^ ]' "$1" | sed -E 's/^ +//' |
		grep -E '(^|[|;&] *)(proflab-[a-z]+|curl|kill|wait|sleep|cat|for|\./proflab)( |$)'
}

substituted() {
	awk -v port="$port" -v runner="$scratch/proflab" '
		# The number behind the pattern, replaced.
		function scale(line, pattern, kind,    out, n, unit, tail) {
			out = ""
			while (match(line, pattern)) {
				tail = substr(line, RSTART, RLENGTH)
				n = tail
				sub(/^[^0-9]*/, "", n)
				unit = n
				sub(/^[0-9]+/, "", unit)
				n += 0
				sub(/[0-9]+[a-z]*$/, "", tail)
				if (kind == "load")
					n = unit == "m" ? 20 : int((n + 2) / 3) + 3
				else if (kind == "window")
					n = n < 4 ? n : int((n + 2) / 3)
				else if (kind == "age")
					n = int((n + 4) / 5)
				out = out substr(line, 1, RSTART - 1) tail n (unit == "m" ? "s" : unit)
				line = substr(line, RSTART + RLENGTH)
			}
			return out line
		}
		{
			gsub(/127\.0\.0\.1:8080/, "127.0.0.1:" port)
			$0 = scale($0, "-duration=[0-9]+[sm]", "load")
			$0 = scale($0, "seconds=[0-9]+", "window")
			$0 = scale($0, "min_age=[0-9]+s", "age")
			if (/^for .* sleep 1;/) sub(/sleep 1;/, "sleep 0.4;")
			sub(/-rounds 6 -interval 10s/, "-rounds 2 -interval 1s")
			if (/^proflab-monitor/) $0 = "timeout -s INT 3 " $0 "; test $? -eq 124 -o $? -eq 130 -o $? -eq 0"
			if (/^\.\/proflab compare/) $0 = $0 " --seconds 8 --rounds 2"
			sub(/^\.\/proflab/, runner)
			print
		}'
}

# run_all README FOLDER: each command, its output in FOLDER/N.out, its status
# behind its number in FOLDER/statuses.
run_all() {
	mkdir "$2"
	commands_of "$1" | substituted >"$2/commands"
	{
		echo 'set -m'
		n=0
		while IFS= read -r line; do
			n=$((n + 1))
			printf '{\n%s\n} >%s/%s.out 2>&1 </dev/null\necho "%s $?" >>%s/statuses\n' \
				"$line" "$2" "$n" "$n" "$2"
		done <"$2/commands"
		# What is still there, if a step failed.
		echo 'kill $(jobs -p) 2>/dev/null; wait; exit 0'
	} >"$2/script"
	mkdir "$2/here"
	(cd "$2/here" && PATH=$scratch_build:$PATH timeout -k 10 400 \
		bash "$2/script" >"$2/log" 2>&1)
}

# The functions of the workloads that a text names.
names_in() {
	grep -oE '`[a-z_]+`' "$1" | tr -d '`' | sort -u | while read -r name; do
		if grep -qE "\b$name\(" "$top_srcdir"/src/workloads/*.c; then
			echo "$name"
		fi
	done
}

for folder in "$scratch"/exercises/[1-9]-*/; do
	number=$(basename "$folder" | cut -d - -f 1)
	case " ${READMES:-$number} " in *" $number "*) ;; *) continue ;; esac
	free_port
	# What ./proflab start makes for the learner.
	mkdir -p "$PROFLAB_ANSWERS"
	cp "$folder/answers.example" "$PROFLAB_ANSWERS/$number"
	at=$tmp/readme.$number
	run_all "$folder/README.md" "$at"
	[ -s "$at/commands" ]
	ok $? "task $number: there are commands"
	n=0
	while IFS= read -r line; do
		n=$((n + 1))
		case $line in
		*promtool*) command -v promtool >/dev/null 2>&1 || {
			skip "task $number: $line" "promtool is not installed"
			continue
		} ;;
		esac
		# The rules as they are inherited: the text says that they fail.
		wanted=0
		case $line in *"/proflab check 5") wanted=1 ;; esac
		got=$(sed -n "s/^$n //p" "$at/statuses")
		[ "${got:-none}" = "$wanted" ]
		ok $? "task $number: $line"
		[ "${got:-none}" = "$wanted" ] || {
			diag "exit status ${got:-none}"
			tail -n 15 "$at/$n.out" | sed 's/^/# /'
		}
		# A reader that prints nothing has shown nothing.
		case $line in
		proflab-pprof* | proflab-collect\ report*)
			[ "$(grep -c . "$at/$n.out")" -ge 2 ]
			ok $? "task $number: and it has rows"
			;;
		esac
	done <"$at/commands"
	for name in $(names_in "$folder/README.md"); do
		grep -qw -- "$name" "$at"/*.out
		ok $? "task $number: $name, which the text names, is shown"
	done
done
[ "$tap_n" -gt 0 ]
ok $? "there are tasks"
done_testing
