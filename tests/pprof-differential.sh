#!/bin/sh
# pprof-differential.sh - proflab-pprof prints what go tool pprof prints, byte
# for byte.
#
# Judge: Debian's go tool pprof.  Profiles: those that gen_profile makes, real
# ones of tests/corpus/pprof, and the formats from before profile.proto.  Each
# report of each profile, each option, and every granularity with every order
# and every filter; and sessions at the prompt.  make check tries options on
# -top alone, and that product on one profile; of the old formats, which have
# little to tell, a few of its rows each.
#
# PROFLAB_LONG=1 (make check-long, by pprof-differential-long.sh) adds the
# profiles of the faulty and of the fixed server, of all kinds, whole and as
# differences; and tries options with every report, and the product on all
# profiles.  That is some 41000 comparisons, half an hour on two cores that are
# not idle, so it is drawn anew each time, each report of each profile apart,
# until DIFFERENTIAL_SECONDS (150) are over.
# DIFFERENTIAL_SEED=N draws the same again; DIFFERENTIAL_FULL=1 compares all.
#
# Exceptions, all of them:
# - -call_tree with -dot or -callgrind: the Go tool's own order changes from
#   run to run; so does the order of values that differ in their sign alone.
# - -dot -files: edges of equal weights and names, where the Go tool is seen to
#   order them anew at each run.
# - -proto and -topproto are compared by their meaning.
# - -raw and -proto of the servers' profiles with -symbolize=none: stripped
#   libraries have names for us (their dynamic symbols), and none for Go.
# - go-threadcreate.txt, which the Go tool cannot read.
# - a gperftools CPU profile before other sources: its zeros are an object file
#   to the Go tool, so it is the binary there, and one profile less.
# shellcheck disable=SC1003,SC2013 # quotes for another shell; numbers only
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

[ -n "${GO:-}" ] || skip_all "no go: configure found none"
theirs=$("$GO" env GOTOOLDIR)/pprof
[ -x "$theirs" ] || skip_all "no pprof in $("$GO" env GOTOOLDIR)"
ours=$top_builddir/proflab-pprof
export TZ=Asia/Kolkata HOME="$tmp" PPROF_TMPDIR="$tmp"
unset PPROF_BINARY_PATH PPROF_TOOLS

profiles=$tmp/profiles
work=$tmp/work
mkdir "$profiles" "$work"
kinds=$("$top_builddir/tests/gen_profile" -list)
for kind in $kinds; do
	"$top_builddir/tests/gen_profile" "$kind" >"$profiles/$kind.pb.gz" ||
		exit 99
done
for real in "$top_srcdir"/tests/corpus/pprof/*.pb.gz; do
	cp "$real" "$profiles/"
done
# Made by hand: what no writer of ours writes.
odd='mapping-missing names-nul'
for name in $odd; do
	cp "$top_srcdir/tests/corpus/report/$name" "$profiles/$name.pb" ||
		exit 99
done
for old in "$top_srcdir"/tests/golden/legacy/*.txt \
	"$top_srcdir"/tests/golden/legacy/*.prof; do
	case $old in
	*/go-threadcreate.txt) ;;
	*) cp "$old" "$profiles/" ;;
	esac
done
cd "$profiles" || exit 99

# ---- profiles of the servers -----------------------------------------------
# take_profiles NAME: of the server that runs, under load
take_profiles() {
	for query in 'cpu?iterations=300000' 'memory?size=2000' inefficient \
		'database?type=insert' 'database?records=200' 'cache?key=a' \
		'cache?key=b' 'concurrent?workers=8&tasks=100' \
		'leaky?size=300' stats; do
		curl -fsS -m 60 -o "$tmp/answer" "$server_url/$query" ||
			return 1
	done
	while curl -fsS -m 60 \
		-o "$tmp/busy" "$server_url/cpu?iterations=300000" \
		-o "$tmp/busy" "$server_url/memory?size=1000" \
		-o "$tmp/busy" "$server_url/concurrent?workers=5&tasks=50" \
		-o "$tmp/busy" "$server_url/leaky?size=20"; do :; done \
		2>"$tmp/busy.err" &
	own $!
	for kind in 'cpu profile?seconds=2' 'wall wall?seconds=1' 'heap heap' \
		'allocs allocs' 'threads threads' 'goroutine goroutine' \
		'threadcreate threadcreate' 'mutex mutex' 'block block' \
		'heap-delta heap?seconds=1' 'allocs-delta allocs?seconds=1' \
		'mutex-delta mutex?seconds=1' 'block-delta block?seconds=1'; do
		curl -fsS -m 60 -o "live-$1-${kind% *}.pb.gz" \
			"$server_url/debug/pprof/${kind#* }" || return 1
	done
	for kind in heap allocs threads goroutine threadcreate mutex block; do
		curl -fsS -m 60 -o "live-$1-$kind.txt" \
			"$server_url/debug/pprof/$kind?debug=1" || return 1
	done
}

if [ "${PROFLAB_LONG:-0}" = 1 ]; then
	for twin in proflab-server proflab-server-fixed; do
		start_server "$top_builddir/$twin" -mutex-profile-fraction=1 \
			-block-profile-rate=1 || exit 99
		take_profiles "${twin#proflab-}"
		ok $? "profiles of $twin"
		kill "$server_pid"
	done
fi

# Sources for -list, as the made-up programs name them.
root=$tmp/root
i=0
while [ $i -lt 40 ]; do
	mkdir -p "$root/module_$((i % 7))"
	seq -f 'line %g of a source file <&> "x" %%d' 1 140 \
		>"$root/module_$((i % 7))/part_$((i % 31)).c"
	i=$((i + 1))
done
mkdir -p "$root/rel"
printf 'one\r\ntwo\n\tthree\n' >"$root/rel/path.c"

# ---- the cases, one a line: GROUP, a tab, arguments divided by tabs ----------
cases=$tmp/cases
: >"$cases"

# add GROUP ARGUMENT...
add() {
	group=$1
	shift
	printf '%s' "$group" >>"$cases"
	for argument; do
		printf '\t%s' "$argument" >>"$cases"
	done
	printf '\n' >>"$cases"
}

# A frame of the profile that regular expressions shall match.
pattern_of() {
	case $1 in
	cpu*) echo 'step_(1|2.)$' ;;
	heap* | drop*) echo 'alloc_[1-4]' ;;
	inlines*) echo 'Class_[2-9]::m' ;;
	labels*) echo 'work_(3|1.)' ;;
	mappings*) echo 'same_name_[357]' ;;
	names-nul*) echo '^.?(f|main)' ;;
	names*) echo '(helper|Method|quoted|Foo::)' ;;
	live*) echo '(perform|create|do_|worker|trig|string)' ;;
	negative*) echo 'diff_[1-3]' ;;
	recursion*) echo 'Loop_[12]' ;;
	units*) echo 'unit_1' ;;
	*.txt | *.prof) echo '[048c]$|main|alloc' ;;
	*) echo 'main|runtime' ;;
	esac
}

if [ "${PROFLAB_LONG:-0}" = 1 ]; then
	reports='-top -text -tree -traces -raw -comments -tags -dot -callgrind
	-proto -topproto'
	option_reports='-top -tree -traces -dot'
	product_files=$(ls ./*.pb.gz ./*.pb ./*.txt ./*.prof)
	each_files=$(ls ./*.pb.gz ./*.pb ./*.txt ./*.prof)
	product_reports='-top -tree -traces -dot PEEK LIST'
else
	reports='-top -tree -traces -raw -tags -dot -callgrind'
	option_reports=-top
	product_files=inlines.pb.gz
	product_reports=-top
	each_files=$(ls ./*.pb.gz ./*.pb)
	for file in *.txt *.prof; do
		add "old formats" -top "$file"
	done
fi

for file in $each_files; do
	file=${file#./}
	re=$(pattern_of "$file")
	for report in $reports; do
		case $report,$file in
		-raw,live* | -proto,live*) names=-symbolize=none ;;
		*) names=-symbolize= ;; # the default
		esac
		add "each report: $file" "$report" "$names" "$file"
	done
	add "each report: $file" "-peek=$re" "$file"
	add "each report: $file" "-list=$re" "$file"
done
for report in -text -comments -proto -topproto -peek=no_such_function \
	-list=no_such_function; do
	add "each report: labels.pb.gz" "$report" labels.pb.gz
done

# Every option alone, on a profile where it has something to do.
for report in $option_reports; do
	for option in -cum -flat -functions -filefunctions -files -lines \
		-addresses -noinlines -compact_labels -relative_percentages \
		-mean -drop_negative -trim=false -nodecount=7 -nodecount=0 \
		-nodefraction=0.05 -edgefraction=0.05 -unit=ms -unit=auto \
		-unit=hours -unit=MB -divide_by=3 -divide_by=0.01 \
		-sample_index=0 -sample_index=samples -focus=work_1 \
		-ignore=work_1 -hide=work_[1-9] -show='work_1|part_2' \
		-show_from=work_2 -prune_from='work_.$' -tagfocus=user:bob \
		-tagfocus=ada,cpu -tagfocus=user=^b -tagignore=user=ada \
		-tagfocus=1kb -tagfocus=1kb: -tagfocus=:64b \
		-tagfocus=32b:1kb -tagfocus=latency=1ms:100ms \
		-tagignore=bytes=1kb: -tagshow=user -taghide='user|path' \
		-tagroot=user -tagleaf=path,bytes -tagroot=nothing \
		-tagroot=user,path; do
		add "each option: $report" "$report" "$option" labels.pb.gz
	done
	add "each option: $report" "$report" -relative_percentages \
		-focus=work_1 labels.pb.gz
	add "each option: $report" "$report" -focus=nothing labels.pb.gz
	add "each option: $report" "$report" -drop_negative negative.pb.gz
	for type in -inuse_space -inuse_objects -alloc_space -alloc_objects; do
		add "each value: $report" "$report" $type heap.pb.gz
		add "each value: $report" "$report" -mean $type heap.pb.gz
	done
	for type in -total_delay -contentions -mean_delay; do
		add "each value: $report" "$report" $type recursion.pb.gz
	done
	for type in widgets gcus wall mem plain; do
		add "each value: $report" "$report" -sample_index=$type \
			units.pb.gz
		add "each value: $report" "$report" -sample_index=$type \
			-unit=ms units.pb.gz
	done
	for base in -base -diff_base; do
		add "bases: $report" "$report" $base labels.pb.gz \
			labels.pb.gz
		add "bases: $report" "$report" $base go-heap-1.pb.gz \
			go-heap-2.pb.gz
		add "bases: $report" "$report" -normalize $base \
			go-heap-1.pb.gz go-heap-2.pb.gz
	done
	add "several: $report" "$report" cpu.pb.gz labels.pb.gz cpu.pb.gz
	add "several: $report" "$report" labels.pb.gz inlines.pb.gz
done
for report in -raw -tags -callgrind -proto -topproto -comments -tree \
	-peek=Class_1; do
	add "several: $report" "$report" labels.pb.gz inlines.pb.gz
	add "bases: $report" "$report" -base=labels.pb.gz inlines.pb.gz
	add "bases: $report" "$report" -diff_base=labels.pb.gz inlines.pb.gz
	[ "${PROFLAB_LONG:-0}" = 1 ] || continue
	for option in -focus=work_1 -hide=work_1 -tagroot=user -divide_by=7 \
		-tagshow=user -noinlines -lines -show_from=work_2 \
		-prune_from=work_5; do
		add "options of $report" "$report" "$option" labels.pb.gz
	done
done
add "comments" -comments -add_comment='said here' labels.pb.gz
add "comments" -top -add_comment='said here' labels.pb.gz
for file in inlines.pb.gz names.pb.gz cpu.pb.gz; do
	re=$(pattern_of "$file")
	add "sources" "-list=$re" -source_path="$root" -trim_path=/src "$file"
	add "sources" "-list=$re" -noinlines -source_path="/nowhere:$root" \
		-trim_path=/src/ "$file"
	add "sources" "-list=$re" -trim_path=/src -source_path=/nowhere "$file"
	add "sources" "-list=." -source_path="$root/module_1" "$file"
	add "sources" -top -lines -source_path=/x/module_1 "$file"
	add "sources" -top -files -trim_path=/src/module_2 "$file"
done
for number in 0x5 1_0 08 3000000000; do
	add "mistakes" -top -nodecount=$number cpu.pb.gz
done
for number in 0x5 0x1p-5 1_0 inf nan 1e-400; do
	add "mistakes" -tree -nodefraction=$number cpu.pb.gz
done
for file in cpu.pb.gz nothing.pb.gz; do
	add "mistakes" -top -focus='(' $file
	add "mistakes" -top -sample_index=7 $file
	add "mistakes" -top -sample_index=x $file
	add "mistakes" -top -divide_by=0 $file
	add "mistakes" -top -cum -flat $file
	add "mistakes" -top -tree $file
	add "mistakes" -top -nodecount=x $file
	add "mistakes" -top -no_such_flag $file
	add "mistakes" -top -base=cpu.pb.gz -diff_base=cpu.pb.gz $file
	add "mistakes" -top -normalize $file
	add "mistakes" -top -no_browser $file
	add "mistakes" -top -http=:0 $file
	add "mistakes" -top -list
	add "mistakes" -top cpu.pb.gz heap.pb.gz
	add "mistakes" -top -base=heap.pb.gz $file
done

# Sessions: what the prompt reads from standard input.
session() {
	file=$1
	shift
	name=session.$(($(wc -l <"$cases") + 1))
	printf '%s\n' "$@" >"$name"
	add "sessions" "<$name" "$file"
}
session cpu.pb.gz top5 'top 5 -cum' 'top20 -cum' 'list step_1$' \
	'peek step_1$' traces tags comments 'tree 3' 'text 4' raw dot quit
session labels.pb.gz 'focus=work_1' top 'focus=' 'sample_index=0' top3 o \
	'granularity=lines' 'top 4' 'sort=cum' 'top 3' 'nodecount=3' top \
	'unit=ms' top 'tagfocus=user:bob' top 'tagfocus=' 'tagroot=user' \
	'tree 5'
session cpu.pb.gz 'top step_2' 'top -step_2' 'top step_2 -step_21 3' \
	'trim=false' 'relative_percentages=true' 'focus=step_2' 'top 3' \
	'hide=step_2' 'top 3' 'call_tree=t' top5 'list nothing' 'list'
session heap.pb.gz 'sample_index=inuse_space' top 'sample_index=99' top \
	'divide_by=2' 'top 2' 'nodefraction=x' bogus 'top -bogus' 'peek' \
	'mean=1' top 'drop_negative' options
session inlines.pb.gz 'noinlines=true' top 'granularity=files' top \
	'granularity=addresses' 'top 7' 'show_from=Class_3' tree exit
session labels.pb.gz cum top5 'cum=true' top5 flat 'flat=x' top5 'flat=1' top5 \
	lines top5 'lines=T' top5 'functions=true' 'top99999999999' 'top00' \
	"$(printf '\302\240top\302\2053\342\200\211-cum')" 'nodecount5' \
	'nodecount=3000000000' 'tree 3000000000' 'nodecount=1_0' top \
	'nodecount=+4' tree 'nodefraction=0x1p-5' tree 'nodefraction=0x10' \
	tree 'nodefraction=1_0' 'tree' 'nodefraction=nan' 'tree' \
	'edgefraction=inf' 'tree'
session go-heap-1.pb.gz 'top 3 > saved' 'top 3' 'alloc_space' 'top 3' \
	'inuse_objects' top ' ' '# nothing' 'traces main'

# Every granularity with every order and every filter: 80 rows.
# product GROUP FILE REPORT [N]: row N alone, from 0
product() {
	re=$(pattern_of "$2")
	report=$3 row=0
	case $report in
	PEEK) report="-peek=$re" ;;
	LIST) report="-list=$re" ;;
	esac
	for detail in functions filefunctions files lines addresses; do
		for sort in flat cum; do
			for filter in trim "focus=$re" "ignore=$re" \
				"hide=$re" "show=$re" "show_from=$re" \
				"prune_from=$re" noinlines; do
				[ "${4:-$row}" -ne $row ] ||
					add "$1 ${report%%=*}" "$report" \
						"-$detail" "-$sort" \
						"-$filter" "$2"
				row=$((row + 1))
			done
		done
	done
}
for file in $product_files; do
	for report in $product_reports; do
		product "product: ${file#./}" "${file#./}" "$report"
	done
done
if [ "${PROFLAB_LONG:-0}" != 1 ]; then
	# Of each old format another row of each: all come to some.
	turn=0
	for file in *.txt *.prof; do
		for report in -tree -traces; do
			product "product: old formats" "$file" "$report" \
				$((turn * 37 % 80))
			turn=$((turn + 1))
		done
	done
fi

# ---- run them, as many at a time as there are processors -------------------
# What belongs to no single profile's reports comes later, in an order drawn by
# the seed.
deadline=
: "${DIFFERENTIAL_SEED:=$(date +%s)}"
if [ "${PROFLAB_LONG:-0}" = 1 ] && [ "${DIFFERENTIAL_FULL:-0}" != 1 ]; then
	deadline=$(($(date +%s) + ${DIFFERENTIAL_SECONDS:-150}))
	diag "DIFFERENTIAL_SEED=$DIFFERENTIAL_SEED"
fi
awk -v seed="$DIFFERENTIAL_SEED" -v deadline="$deadline" -v compare="$top_srcdir/tests/pprof-compare.sh" -v work="$work" \
	-v ours="$ours" -v theirs="$theirs" -F '\t' '
	BEGIN { srand(seed) }
	function quote(s) {
		gsub(/'\''/, "'\''\\'\'''\''", s)
		return "'\''" s "'\''"
	}
	{
		line = "sh " quote(compare) " " quote(work) " " quote(ours) \
			" " quote(theirs) " " NR
		for (i = 2; i <= NF; i++)
			line = line " " quote($i)
		first = $1 ~ /^(each report|sessions|mistakes|old)/
		if (deadline && !first)
			line = "[ $(date +%s) -lt " deadline \
				" ] || exit 0; " line
		printf "%d %.6f\t%s\n", !first, first ? NR : rand(), line
	}' "$cases" | sort -k 1,1n -k 2,2n | cut -f 2- >"$tmp/commands"
jobs=$(nproc 2>/dev/null || echo 2)
split -n "r/$jobs" "$tmp/commands" "$tmp/part."
for part in "$tmp"/part.*; do
	sh "$part" &
	own $!
	waited="${waited:-} $!"
done
for pid in $waited; do
	wait "$pid"
done

# ---- one line a group ------------------------------------------------------
cut -f 1 "$cases" | awk '!seen[$0]++' >"$tmp/groups"
compared=0
while IFS= read -r group; do
	differing=
	total=0
	for id in $(awk -F '\t' -v g="$group" '$1 == g { print NR }' \
		"$cases"); do
		[ ! -f "$work/$id.done" ] || total=$((total + 1))
		[ ! -f "$work/$id.diff" ] || differing="$differing $id"
	done
	[ $total -gt 0 ] || continue # no time was left for them
	compared=$((compared + total))
	[ -z "$differing" ]
	ok $? "$group: $total outputs equal"
	for id in $differing; do
		diag "$(cat "$work/$id.diff")"
	done
done <"$tmp/groups"
# Each report of each profile does not ask for the time.
least=$(cut -f 1 "$cases" | grep -c '^each report')
[ $compared -ge "$least" ]
ok $? "$compared of $(wc -l <"$cases") were compared"
done_testing
