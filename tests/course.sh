#!/bin/sh
# course.sh - the learner's runner, command by command, and what it says when
# something is wrong: played in a copy of the course.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/course-lib.sh
. "$top_srcdir/tests/course-lib.sh"
scratch_course || {
	ok 1 "a copy of the course"
	done_testing
}
# From a folder that has nothing to do with it.
cd / || exit 99
proflab=$scratch/proflab
NO_COLOR=1
export NO_COLOR

# ---- where you are -----------------------------------------------------------
status "nothing: where you are" 0 "$proflab"
said "the first task" "Task 1:"
said "and what to do next" "./proflab start 1"
status "list" 0 "$proflab" list
[ "$(wc -l <"$tmp/out")" -eq "$(find "$scratch/exercises" -maxdepth 1 -name '[1-9]-*' | wc -l)" ]
ok $? "a line for each task"
status "no such command" 2 "$proflab" begin
said "and which there are" "start N"
status "no such task" 2 "$proflab" hint 8
said "and which there are" "there are: 1"
status "help" 0 "$proflab" --help
said "every command is in it" "compare NAME"
for json in "status --json" "list --json" "--json"; do
	# shellcheck disable=SC2086 # words
	status "$json" 0 "$proflab" $json
	if command -v jq >/dev/null 2>&1; then
		check "$json is JSON, with the present task" \
			jq -e '.current == 1 and .tasks[0].status == "new"' "$tmp/out"
	else
		skip "$json is JSON" "jq is not installed"
	fi
done

# What a command does not take is not passed over in silence.
status "hint for machines" 2 "$proflab" hint 1 --json
said "and what is for machines" "list, status, check and compare"
for words in "list 1" "check 1 2" "hint 1-live" "hint 1/" "solution 1 2 3" "solution 1 2" "compare cpu memory" "start 99"; do
	# shellcheck disable=SC2086 # words
	status "$words" 2 "$proflab" $words
done
check "none of it was remembered" test ! -e "$PROFLAB_STATE/progress"

# ---- from wherever it is called, and wherever it writes ------------------------
ln -s "$proflab" "$tmp/link"
status "through a link" 0 "$tmp/link" list
said "to the same course" "Task 1:"
mkdir "$tmp/full"
mkdir "$tmp/no folder"
: >"$tmp/no folder/file"
status "a state that cannot be: where you are" 0 \
	env PROFLAB_STATE="$tmp/no folder/file/state" "$proflab"
check "says where, and nothing else" test "$(wc -l <"$tmp/out")" -eq 6
status "and a hint, which is remembered" 99 \
	env PROFLAB_STATE="$tmp/no folder/file/state" "$proflab" hint 1
said "names the folder" "cannot make the folder $tmp/no folder/file/state"
# What is kept of the original is whole, or not there: half of it would be
# written over a learner's file by reset.
(
	# Half-kilobyte blocks: no file may grow beyond 4 KiB.
	ulimit -f 8
	trap '' XFSZ
	env PROFLAB_STATE="$tmp/full" "$proflab" reset cpu
) >"$tmp/out" 2>&1
[ $? -eq 99 ] && grep -q "cannot write $tmp/full/original/" "$tmp/out"
ok $? "no room: an end that names the file"
whole=0
for file in "$tmp"/full/original/*; do
	[ ! -e "$file" ] ||
		cmp -s "$file" "$scratch/src/workloads/$(basename "$file")" ||
		whole=1
done
ok "$whole" "what is kept is whole"

mkdir -p "$tmp/unlocked/lock"
status "a state that cannot be written" 99 \
	env PROFLAB_STATE="$tmp/unlocked" "$proflab" check 1
said "says which, and what names another" \
	"cannot write in the folder $tmp/unlocked (PROFLAB_STATE"
(
	# Room for what is remembered, not for profiles: 20 KiB, or 40 where the
	# shell counts in whole ones.
	ulimit -f 40
	trap '' XFSZ
	"$proflab" start 1 --seconds 1
) >"$tmp/out" 2>&1
[ $? -eq 99 ] && grep -q "there is no room in $PROFLAB_STATE/1-live" "$tmp/out"
ok $? "no room for profiles: says so, before anything is started"
[ -z "$(ls "$PROFLAB_STATE/1-live-profiling")" ]
ok $? "and leaves nothing"

# ---- hints, solutions -----------------------------------------------------------
for folder in "$scratch"/exercises/[1-9]-*/; do
	number=$(basename "$folder" | cut -d - -f 1)
	for level in 1 2 3 3; do
		"$proflab" hint "$number" >"$tmp/out" 2>&1
		grep -q "^Hint $level of 3 for task $number\$" "$tmp/out" || break
		sed 1d "$tmp/out" >"$tmp/hint.$level"
		[ -s "$tmp/hint.$level" ] || break
		level=all
	done
	[ "$level" = all ] && ! cmp -s "$tmp/hint.1" "$tmp/hint.2" &&
		! cmp -s "$tmp/hint.2" "$tmp/hint.3"
	ok $? "task $number: three hints, one more each time"
	for file in README.md run findings task hints answers.example; do
		[ -f "$folder/$file" ] || diag "$folder has no $file"
		[ -f "$folder/$file" ] || level=
	done
	[ "$level" = all ]
	ok $? "task $number: all its parts are there"
done
status "no solution before a pass" 1 "$proflab" solution 1
said "but a way to it" "--spoil"
status "with --spoil" 0 "$proflab" solution 1 --spoil
said "as a difference" "+++ $scratch/solutions/cpu.c"

# ---- what is missing ---------------------------------------------------------
status "check before start" 99 "$proflab" check 1
said "says what makes the answers" "./proflab start 1"
status "nothing built" 99 env PROFLAB_BUILD="$tmp/none" "$proflab" start 1
said "says what builds" "./proflab setup"
status "a build in a folder with a blank" 99 \
	env PROFLAB_BUILD="$tmp/no folder/build" "$proflab" setup
said "says so before anything else" "cannot build in \"$tmp/no folder/build\""
mkdir "$tmp/bin"
for dir in /usr/bin /bin; do
	ln -s "$dir"/* "$tmp/bin/" 2>/dev/null
done
rm -f "$tmp/bin/curl"
status "no curl" 99 env PATH="$tmp/bin" "$proflab" start 1
said "says how to get it" "apt-get install curl"
mv "$scratch_build/proflab-server" "$scratch_build/kept-server"
printf '#!/bin/sh\nexit 3\n' >"$scratch_build/proflab-server"
chmod +x "$scratch_build/proflab-server"
mkdir -p "$PROFLAB_STATE/1-live-profiling"
: >"$PROFLAB_STATE/1-live-profiling/allocs.pb.gz"
status "a server that does not start" 99 "$proflab" start 1 --seconds 1
said "says so" "the server did not start"
check "what an earlier walk took does not mix with this one's" \
	test ! -e "$PROFLAB_STATE/1-live-profiling/allocs.pb.gz"
# One that dies of its first request of /cpu.
cat >"$scratch_build/proflab-server" <<DIES
#!/bin/sh
[ ! -e /proc/\$\$/fd/9 ] || : >"$tmp/held"
"$scratch_build/kept-server" "\$@" >"$tmp/dying.log" 2>&1 &
pid=\$!
trap 'kill -KILL \$pid' EXIT
trap 'exit 143' TERM
until grep -qs http://127 "$tmp/dying.log"; do
	kill -0 \$pid || exit
	sleep 0.02
done
url=\$(sed -n 's,.*\(http://127[0-9.]*:[0-9]*\).*,\1,p' "$tmp/dying.log" | head -n 1)
cat "$tmp/dying.log"
until curl -fsS "\$url/metrics" | grep -q 'requests_total{route="/cpu"} [1-9]'; do
	kill -0 \$pid || exit
	sleep 0.05
done
DIES
status "a server that dies" 99 "$proflab" start 1 --seconds 5 --demo
said "says so, and where to look" "the server has died"
check "it did not hold the lock, which it might outlive the walk with" \
	test ! -e "$tmp/held"
cp "$scratch_build/proflab-server" "$tmp/dying-server"
status "compare with a server that dies" 99 "$scratch/exercises/lib/compare" \
	--seconds 6 --rounds 2 cpu "$tmp/dying-server" before \
	"$scratch_build/proflab-server-fixed" after
said "says of what kind the failures were" "did not run cleanly: network: "
mv "$scratch_build/kept-server" "$scratch_build/proflab-server"

# A walk that does not see all: what it took can be answered all the same.
mv "$scratch_build/proflab-server" "$scratch_build/kept-server"
cp "$scratch_build/proflab-server-fixed" "$scratch_build/proflab-server"
status "a walk that does not see what it should" 1 \
	env PROFLAB_STATE="$tmp/unseen" PROFLAB_ANSWERS="$tmp/unseen/answers" \
	"$proflab" start 1 --seconds 1
said "says what to do" "Again, for longer: ./proflab start 1 --seconds"
check "there is a file for the answers" test -f "$tmp/unseen/answers/1"
check "and the task is begun" grep -q '^1 started' "$tmp/unseen/progress"
mv "$scratch_build/kept-server" "$scratch_build/proflab-server"

# A port in use, as one meets it by hand.
start_server "$scratch_build/proflab-server"
status "a port in use" 1 "$scratch_build/proflab-server" \
	-listen "${server_url#http://}"
said "is named" "${server_url##*:}"
said "and why it is not to be had" "in use"

# ---- answers -----------------------------------------------------------------
# Two seconds are enough here, or made longer by the run itself.
status "start, as a demo" 0 "$proflab" start 1 --seconds 2 --demo
! grep -q started "$PROFLAB_STATE/progress"
ok $? "begins no task"
check "and takes nothing of the learner's" test ! -e "$PROFLAB_ANSWERS/1" \
	-a ! -e "$PROFLAB_STATE/1-live-profiling/cpu.pb.gz"
status "start" 0 "$proflab" start 1 --seconds 2
check "the answers can be filled in" test -f "$PROFLAB_ANSWERS/1"
learnt() {
	(cd "$PROFLAB_STATE" && cksum progress 1-live-profiling/*)
}
learnt >"$tmp/learnt"
status "the mended server's walk" 0 "$proflab" start 1 --fixed --seconds 2 --demo
learnt | cmp -s - "$tmp/learnt"
ok $? "the answers are still held against the faulty one's"
# A demo beside it.  All is built: its make has nothing to do, and neither has
# whatever brings packages or makes configure.
mkdir "$tmp/idle"
printf '#!/bin/sh\n' >"$tmp/idle/make"
printf '#!/bin/sh\necho installed\n' >"$tmp/idle/dpkg-query"
chmod +x "$tmp/idle/make" "$tmp/idle/dpkg-query"
touch -r "$scratch/configure" "$tmp/configured"
touch "$scratch/configure"
# It shows what was planted, whatever has been mended since.
mv "$scratch_build/proflab-server" "$scratch_build/kept-server"
cp "$scratch_build/proflab-server-fixed" "$scratch_build/proflab-server"
mv "$scratch/src/workloads/cpu.c" "$tmp/cpu.c"
cp "$top_srcdir/solutions/cpu.c" "$scratch/src/workloads/cpu.c"
status "a demo" 0 env PATH="$tmp/idle:$PATH" PROFLAB_SECONDS=2 "$proflab" demo
mv "$scratch_build/kept-server" "$scratch_build/proflab-server"
mv "$tmp/cpu.c" "$scratch/src/workloads/cpu.c"
touch -r "$tmp/configured" "$scratch/configure"
check "has a folder of its own" \
	test -s "$PROFLAB_STATE/demo/1-live-profiling/cpu.pb.gz"
learnt | cmp -s - "$tmp/learnt"
ok $? "and leaves what the learner has collected"
rm "$PROFLAB_STATE/1-live-profiling/allocs.pb.gz"
status "a walk that was broken off" 99 "$proflab" check 1
said "says which profile is missing, and what takes it" "./proflab start 1 takes it"
# Answers for machines: one object, and what is for people beside it.
cp "$PROFLAB_STATE/1-live-profiling/cpu.pb.gz" \
	"$PROFLAB_STATE/1-live-profiling/allocs.pb.gz"
mkdir "$tmp/a state"
cp -r "$PROFLAB_STATE/1-live-profiling" "$PROFLAB_STATE/progress" "$tmp/a state/"
env PROFLAB_STATE="$tmp/a state" "$proflab" check 1 --json \
	>"$tmp/out" 2>"$tmp/err"
got=$?
if command -v jq >/dev/null 2>&1; then
	check "check --json, in a folder with a space, is one object (exit status $got)" \
		jq -es 'length == 1 and (.[0] | .task == 1 and .exit == 1
			and .status == "started" and .mended == []
			and (.answers.results | length) == 8)' "$tmp/out"
else
	skip "check --json is one object" "jq is not installed"
fi
check "what is for people is beside it" grep -q 'Stuck?' "$tmp/err"
status "its own server's walk" 0 "$proflab" start --mended --help
check "takes nothing away that answers are held against" \
	test -e "$PROFLAB_STATE/1-live-profiling/cpu.pb.gz"

# Two at a time would judge each other's profiles.
if command -v flock >/dev/null 2>&1; then
	sh -c 'exec 9>"$1"; flock 9; exec sleep 60' sh "$PROFLAB_STATE/lock" &
	held=$!
	own "$held"
	taken_lock() { ! flock -n "$PROFLAB_STATE/lock" true; }
	wait_for 10 taken_lock
	status "two at a time" 99 "$proflab" check 1
	said "says so" "another ./proflab is at work in $PROFLAB_STATE"
	kill "$held"
	wait "$held" 2>/dev/null
else
	skip "two at a time" "flock is not installed"
fi
# Where one is: at what was begun last, until it is found.
mkdir "$tmp/begun"
cat >"$tmp/begun/progress" <<'P'
1 started then
1 found then
3 started then
2 started then
P
status "a later task was begun" 0 env PROFLAB_STATE="$tmp/begun" "$proflab"
said "it is the present one" "./proflab check 2"
status "a hint" 0 env PROFLAB_STATE="$tmp/begun" "$proflab" hint
said "is one for it" "Hint 1 of 3 for task 2"
echo "2 found now" >>"$tmp/begun/progress"
status "it is found" 0 env PROFLAB_STATE="$tmp/begun" "$proflab"
said "the one begun before is the present one" "./proflab check 3"
echo "3 found now" >>"$tmp/begun/progress"
status "all that was begun is found" 0 env PROFLAB_STATE="$tmp/begun" "$proflab"
said "the first that is not mended is next" "Next: mend src/workloads/cpu.c"
said "or one that was not begun" "./proflab start 4"
echo "1 mended-cpu now" >>"$PROFLAB_STATE/progress"
echo "1 found now" >>"$PROFLAB_STATE/progress"
status "found: now mend" 1 "$proflab" check 1
said "says which files" "src/workloads/cpu.c"

status "one of them was mended, and was reset" 0 "$proflab"
said "it is named again" "mend src/workloads/cpu.c src/workloads/memory.c"
echo '/* mended */' >>"$scratch/src/workloads/cpu.c"
status "one of them is mended" 0 "$proflab"
said "the others are named" "mend src/workloads/memory.c src/workloads/inefficient.c, then"
said "and how to go on" "./proflab start 2"
"$proflab" reset cpu >/dev/null

# ---- changes ---------------------------------------------------------------------
echo 'this is no C' >>"$scratch/src/workloads/cpu.c"
status "a change that does not compile" 99 "$proflab" check 1
said "the compiler's words" "error:"
said "the log" "make.log"
status "reset of no workload" 2 "$proflab" reset cup
said "names them" "concurrent"
status "reset" 0 "$proflab" reset cpu
check "it is as it was given" cmp "$top_srcdir/src/workloads/cpu.c" \
	"$scratch/src/workloads/cpu.c"
grep -q 'this is no C' "$PROFLAB_STATE"/kept/cpu.*.c
ok $? "what was written is kept"
# One that cannot be linked takes the server away; the next one has it again.
: >"$scratch/src/workloads/cpu.c"
status "a change that cannot be linked" 99 "$proflab" check 1
said "what is missing" "undefined reference to \`perform_cpu_intensive_task'"
rm "$scratch/src/workloads/cpu.c"
status "a workload that is gone" 99 "$proflab" check 1
said "says what brings it back" "./proflab reset cpu brings it back"
status "reset of what is gone" 0 "$proflab" reset cpu
check "brings it back" cmp "$top_srcdir/src/workloads/cpu.c" \
	"$scratch/src/workloads/cpu.c"
status "a check after it" 1 "$proflab" check 1
said "builds what was not" "The last build was not finished"
check "and the server is there again" test -x "$scratch_build/proflab-server"
echo '/* mine */' >>"$scratch/src/workloads/cpu.c"
echo '/* mine */' >>"$scratch/src/workloads/leaky.c"
status "reset of one that is, and one that is not" 2 "$proflab" reset cpu cup
check "resets none" grep -q mine "$scratch/src/workloads/cpu.c"
status "reset of two" 0 "$proflab" reset cpu leaky
for name in cpu leaky; do
	check "$name is as it was given" cmp "$top_srcdir/src/workloads/$name.c" \
		"$scratch/src/workloads/$name.c"
done
status "reset of what was not changed" 0 "$proflab" reset cpu
said "says that there was nothing to do" "as it was given already"

# Watch: it looks again when a file has changed, and only then.
echo '2 found now' >"$PROFLAB_STATE/progress"
"$proflab" watch 1 >"$tmp/watch" 2>&1 &
watch_pid=$!
own "$watch_pid"
check "watch checks at once" \
	wait_for 20 grep -q 'Waiting for the next change' "$tmp/watch"
echo '/* changed */' >>"$scratch/src/workloads/leaky.c"
looked_twice() {
	[ "$(grep -c 'Waiting for the next change' "$tmp/watch")" -eq 2 ]
}
check "and when a file has changed" wait_for 20 looked_twice
kill "$watch_pid"
wait "$watch_pid" 2>/dev/null
"$proflab" reset leaky >/dev/null

# ---- before and after --------------------------------------------------------
status "compare what?" 2 "$proflab" compare
said "says what there is" "mixed"
status "compare of no workload" 2 "$proflab" compare cup
status "compare with no such option" 2 "$proflab" compare cpu --fast
status "compare with too few rounds" 99 "$proflab" compare cpu --rounds 1
status "compare, for machines" 0 \
	"$proflab" --json compare inefficient --seconds 6 --rounds 2
if command -v jq >/dev/null 2>&1; then
	# A hundred times as many bytes: beyond any noise.
	check "the bytes are told apart" jq -e '
		.metrics | map(select(.metric == "bytes"))[0]
		| .verdict == "less" and .ratio > 10 and .noise < .ratio' "$tmp/out"
else
	skip "the bytes are told apart" "jq is not installed"
fi
for file in before.cpu.pb.gz after.cpu.pb.gz before.allocs.pb.gz difference.svg; do
	check "compare leaves $file" test -s "$PROFLAB_STATE/compare/inefficient/$file"
done

# compare.awk: figures made up, so that the verdicts are known.
table() {
	awk -v json=no -v scenario=x -v requests=10 -v before_name=a -v after_name=b \
		-f "$scratch/exercises/lib/compare.awk" "$tmp/figures" >"$tmp/out"
}
for side in before after; do
	for v in 10 10 10; do echo "$side requests $v"; done
done >"$tmp/figures"
cat >>"$tmp/figures" <<'V'
before cpu 10e6
before cpu 12e6
before cpu 11e6
after cpu 2e6
after cpu 2.1e6
after cpu 1.9e6
before p50 10e6
before p50 20e6
before p50 12e6
after p50 11e6
after p50 9e6
after p50 18e6
before rss 100e6
before rss 101e6
before rss 102e6
after rss 200e6
after rss 201e6
after rss 202e6
before lock_wait 5
before lock_wait 1
before lock_wait 9
after lock_wait 90000
after lock_wait 80000
after lock_wait 70000
V
table
grep -q '^CPU time .* 11 ms .* 2 ms .* 5.50 x .* 1.20 x .*less$' "$tmp/out"
ok $? "a difference: ratio and noise"
grep -q '^latency: half below .*within the noise$' "$tmp/out"
ok $? "none: two that overlap"
grep -q '^resident memory.* 1/1.99 x .*more$' "$tmp/out"
ok $? "a difference the other way"
grep -q '^waiting for locks .*within the noise$' "$tmp/out"
ok $? "none: both next to nothing"
! grep -q 'Not all requests' "$tmp/out"
ok $? "all requests were answered"
sed -i '1s/10/7/' "$tmp/figures"
table
said "a round that was cut off is told" "Not all requests were answered"

# ---- what counts as the same answer ------------------------------------------
# same NAME WANTED MINE REFERENCE
same() {
	echo /path >"$tmp/paths"
	printf '%s\n' "$3" >"$tmp/mine"
	printf '%s\n' "$4" >"$tmp/reference"
	(
		lab_top=$scratch lab_build=$scratch_build lab_out=$tmp
		# shellcheck source=exercises/lib/mended.sh
		. "$scratch/exercises/lib/mended.sh"
		lab_compare_answers "$tmp/paths" "$tmp/mine" "$tmp/reference"
	) >"$tmp/out"
	got=$?
	[ "$got" -eq "$2" ]
	ok $? "answers: $1"
}
same "the same" 0 '{"a":1,"b":"x"}	200' '{"a":1,"b":"x"}	200'
same "rounding" 0 '{"result":1234.567890123}	200' '{"result":1234.567890124}	200'
same "more than rounding" 1 '{"result":1234.5678}	200' '{"result":1234.5679}	200'
same "another whole number" 1 '{"a":100000000000}	200' '{"a":100000000001}	200'
same "another sign" 1 '{"a":-1.5}	200' '{"a":1.5}	200'
same "another text" 1 '{"b":"x"}	200' '{"b":"y"}	200'
same "a digest" 1 '{"digest":"00ff12"}	200' '{"digest":"00fe12"}	200'
same "a refusal" 1 '{"a":1}	503' '{"a":1}	200'
same "no answer" 1 '' '{"a":1}	200'
same "something after it" 1 '{"a":1,"b":2}	200' '{"a":1}	200'

# ---- what a request costs ----------------------------------------------------
cat >"$tmp/costs" <<'V'
toy cpu     cost  0 0 2e6
toy bytes   cost  0 0 5e4
toy allocs  cost  0 0 100
toy threads guard 0 0 20
V
# costs_of COMMAND: lab_cheap_enough, where COMMAND SERVER ROUND prints what was
# measured.
costs_of() (
	lab_top=$scratch lab_build=$scratch_build lab_out=$tmp
	lab_server=mine lab_reference=reference
	LAB_COSTS=$tmp/costs
	# shellcheck source=exercises/lib/measure.sh
	. "$scratch/exercises/lib/measure.sh"
	# shellcheck source=exercises/lib/mended.sh
	. "$scratch/exercises/lib/mended.sh"
	measured=$1
	lab_say() { printf '%s\n' "$*"; }
	lab_profiler_on() { :; }
	lab_measure_workload() {
		"$measured" "$2" "${3##*.}" >"$3.values"
	}
	lab_cheap_enough toy
) >"$tmp/out"
# Disturbed in the first round: allocs.  In all of them: cpu, bytes.
# shellcheck disable=SC2317 # called through costs_of
disturbed() {
	printf '%s\n' "cpu 3e6" "bytes 7e4" "threads 7" \
		"allocs $((900 / $2 / $2))"
}
costs_of disturbed
[ $? -eq 1 ]
ok $? "costs: above the limit in every round fails"
said "costs: with the figure and the limit of each" \
	"FAIL  cpu: CPU time a request: 3 ms, the limit is 2 ms"
said "costs: in its own unit" \
	"FAIL  bytes: bytes allocated a request: 70 kB, the limit is 50 kB"
[ "$(grep -c '^FAIL' "$tmp/out")" -eq 2 ]
ok $? "costs: what was above once is not held against it"

# Who spins uses the CPU that it has, and waits for that which it has not.
cat >"$tmp/costs" <<'V'
toy cpu       cost  9e6 1e6 2e6
toy bytes     cost  0 0 5e4
toy elsewhere guard 9e6 0 3e6
V
# shellcheck disable=SC2317 # called through costs_of
spinning() {
	echo "bytes 4e4"
	case $1-$2 in
	mine-2) printf '%s\n' "cpu 1e6" "elsewhere 9e6" ;;
	reference-*) echo "cpu 1e6" ;;
	*) printf '%s\n' "cpu 9e6" "elsewhere 0" ;;
	esac
}
costs_of spinning
[ $? -eq 1 ]
ok $? "costs: times are within their limits together, or not at all"
said "costs: and the last round tells" "FAIL  cpu: CPU time a request: 9 ms"
[ "$(grep -c '^FAIL' "$tmp/out")" -eq 1 ]
ok $? "costs: what that one has within is not named"

# On a machine that is slower, and beside others, the reference is, too.
# slow_machine: 2.8 ms at least; the reference, in its rounds, $references.
# shellcheck disable=SC2317 # called through costs_of
slow_machine() {
	printf '%s\n' "bytes 4e4" "elsewhere 0"
	case $1 in
	mine) echo "cpu $((3100000 - $2 * 100000))" ;;
	*) echo "cpu $(echo "$references" | cut -d ' ' -f "$2")" ;;
	esac
}
references='1.9e6 1.5e6 1.6e6'
costs_of slow_machine
ok $? "costs: CPU time is allowed what the reference needs more here"
said "costs: and that is said" "the reference takes 1.5 times the CPU time here"
references='1.9e6 1.6e6 1.3e6'
costs_of slow_machine
[ $? -eq 1 ]
ok $? "costs: by the least that it needs"
said "costs: with the limit that it makes" "2.8 ms, the limit is 2.6 ms"
references='0.5e6 9e6 9e6'
costs_of slow_machine
[ $? -eq 1 ]
ok $? "costs: a faster one has the limit that is written"
said "costs: and no other" "2.8 ms, the limit is 2 ms"

# A request does not stand in line for a CPU where another thread does for which
# it does not wait: all the line that is counted is taken from its waiting.
(
	lab_top=$scratch lab_build=$scratch_build
	# shellcheck source=exercises/lib/measure.sh
	. "$scratch/exercises/lib/measure.sh"
	lab_memory "$server_pid"
) | sed -n 's/^lab_run_delay:\([0-9]*\) [0-9]*$/\1/p' >"$tmp/lines"
names=$(while read -r thread; do
	cat "/proc/$server_pid/task/$thread/comm"
done <"$tmp/lines")
echo "$names" | grep -q MHD
ok $? "costs: the thread that takes requests stands in line for them"
grep -q '^pprof' "/proc/$server_pid/task"/*/comm &&
	! echo "$names" | grep -q '^pprof'
ok $? "costs: the profiler's threads do not"

# ---- nothing is left running -------------------------------------------------
kill "$server_pid"
wait "$server_pid" 2>/dev/null
left=
for exe in /proc/[0-9]*/exe; do
	case $(readlink "$exe" 2>/dev/null) in
	"$scratch_build"/*) left="$left $exe" ;;
	esac
done
[ -z "$left" ]
ok $? "nothing is left running$left"
done_testing
