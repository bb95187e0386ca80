#!/bin/sh
# pprof-differential.sh - proflab-pprof prints what go tool pprof prints, byte
# for byte.
#
# Judge: Debian's go tool pprof.  Profiles: those that gen_profile makes, and
# real ones of tests/corpus/pprof.  Each report of each profile, each option,
# and every granularity with every order and every filter.  make check tries
# options on -top alone, and that product on one profile; PROFLAB_LONG=1 (make
# check-long, by pprof-differential-long.sh) tries them on all.
#
# Exceptions, all of them:
# - -call_tree with -dot or -callgrind: the Go tool's own order changes from
#   run to run; so does the order of values that differ in their sign alone.
# - -proto and -topproto are compared by their meaning.
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
cd "$profiles" || exit 99

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
	names*) echo '(helper|Method|quoted|Foo::)' ;;
	negative*) echo 'diff_[1-3]' ;;
	recursion*) echo 'Loop_[12]' ;;
	units*) echo 'unit_1' ;;
	*) echo 'main|runtime' ;;
	esac
}

if [ "${PROFLAB_LONG:-0}" = 1 ]; then
	reports='-top -text -tree -traces -raw -comments -tags -dot -callgrind
	-proto -topproto'
	option_reports='-top -tree -traces -dot'
	product_files=$(ls ./*.pb.gz)
	product_reports='-top -tree -traces -dot PEEK LIST'
else
	reports='-top -tree -traces -raw -tags -dot -callgrind'
	option_reports=-top
	product_files=inlines.pb.gz
	product_reports=-top
fi

for file in *.pb.gz; do
	re=$(pattern_of "$file")
	for report in $reports; do
		add "each report: $file" "$report" "$file"
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

# Every granularity with every order and every filter.
for file in $product_files; do
	re=$(pattern_of "${file#./}")
	for report in $product_reports; do
		case $report in
		PEEK) report="-peek=$re" ;;
		LIST) report="-list=$re" ;;
		esac
		for detail in functions filefunctions files lines addresses; do
			for sort in flat cum; do
				for filter in trim "focus=$re" "ignore=$re" \
					"hide=$re" "show=$re" "show_from=$re" \
					"prune_from=$re" noinlines; do
					add "product: ${file#./} ${report%%=*}" \
						"$report" "-$detail" "-$sort" \
						"-$filter" "${file#./}"
				done
			done
		done
	done
done

# ---- run them, as many at a time as there are processors -----------------------
awk -v compare="$top_srcdir/tests/pprof-compare.sh" -v work="$work" \
	-v ours="$ours" -v theirs="$theirs" -F '\t' '
	function quote(s) {
		gsub(/'\''/, "'\''\\'\'''\''", s)
		return "'\''" s "'\''"
	}
	{
		line = "sh " quote(compare) " " quote(work) " " quote(ours) \
			" " quote(theirs) " " NR
		for (i = 2; i <= NF; i++)
			line = line " " quote($i)
		print line
	}' "$cases" >"$tmp/commands"
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

# ---- one line a group --------------------------------------------------------------
cut -f 1 "$cases" | awk '!seen[$0]++' >"$tmp/groups"
while IFS= read -r group; do
	differing=
	total=0
	for id in $(awk -F '\t' -v g="$group" '$1 == g { print NR }' \
		"$cases"); do
		total=$((total + 1))
		[ ! -f "$work/$id.diff" ] || differing="$differing $id"
	done
	[ -z "$differing" ]
	ok $? "$group: $total outputs equal"
	for id in $differing; do
		diag "$(cat "$work/$id.diff")"
	done
done <"$tmp/groups"
done_testing
