#!/bin/sh
# operations.sh - the alerts on recorded series, the judge of a learner's
# alerts, the dashboard, and that all of them speak of figures that there are.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
exercise=$top_srcdir/exercises/5-production-monitoring
: "${PROMTOOL:=promtool}"
export PROMTOOL
PROFLAB_BUILD=$top_builddir
PROFLAB_STATE=$tmp/state
export PROFLAB_BUILD PROFLAB_STATE

have() {
	command -v "$1" >/dev/null 2>&1
}

# ---- figures that there are ----
start_server "$top_builddir/proflab-server"
curl -fsS "$server_url/metrics" | sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' |
	sort >"$tmp/families"
names_of() {
	grep -ohE '\b(proflab|pprof|process)_[a-z0-9_]+' "$@" |
		sed 's/_seconds_\(bucket\|sum\|count\)$/_seconds/' | sort -u
}
for file in alerts.yml.in answers.example dashboard.json judgements; do
	unknown=$(names_of "$exercise/$file" | comm -23 - "$tmp/families" | tr '\n' ' ')
	[ -z "$unknown" ]
	ok $? "$file: each figure is in /metrics $unknown"
done
unknown=$(sed -n "s/^ *- series: '\([a-z0-9_]*\).*/\1/p" "$exercise"/recorded/*.series |
	sed 's/_seconds_\(bucket\|sum\|count\)$/_seconds/; /^up$/d' | sort -u |
	comm -23 - "$tmp/families" | tr '\n' ' ')
[ -z "$unknown" ]
ok $? "recorded/: each figure is in /metrics $unknown"
# The handbook has a section for each alert, where the alert says it is.
lost=
# shellcheck disable=SC2013 # names, without blanks
for anchor in $(sed -n 's/.*operations.md#\([a-z]*\).*/\1/p' "$exercise/alerts.yml.in"); do
	sed -n 's/^### //p' "$top_srcdir/doc/operations.md" | tr '[:upper:]' '[:lower:]' |
		grep -qx "$anchor" || lost="$lost $anchor"
done
[ -z "$lost" ]
ok $? "each alert has its section in doc/operations.md$lost"

# ---- rules ----
if have "$PROMTOOL"; then
	# With windows in minutes: below, as a learner's, and in the long test.
	sh "$exercise/test-rules" seconds >"$tmp/rules"
	ok $? "alerts.yml.in on the recordings ($(grep -c ^ok "$tmp/rules") statements)"
	grep '^not ok' "$tmp/rules" | sed 's/^/# /'
	# That it can fail: without "for:" and windows it is another rule.
	mkdir "$tmp/bad"
	cp -R "$exercise/." "$tmp/bad"
	chmod -R u+w "$tmp/bad"
	sed -i 's/> @LEAK_BYTES@/> -1/' "$tmp/bad/alerts.yml.in"
	! sh "$tmp/bad/test-rules" seconds >"$tmp/rules"
	ok $? "a leak alert that fires on anything is refused"
	check "and it is said where" grep -q '^not ok .*silent on leak-fixed: ProflabHeapGrows' "$tmp/rules"

	# ---- a learner's answers ----
	! "$exercise/check" --replay "$exercise/answers.example" >"$tmp/example"
	ok $? "the rules that are inherited do not pass"
	for alert in MemoryLeak ThreadLeak HighErrorRatio SlowRequests \
		LockContention ServerDown; do
		check "$alert is wrong as it is given" grep -q "^FAIL  $alert" "$tmp/example"
	done
	"$exercise/render" minutes | sed 's/ProflabHeapGrows/MemoryLeak/
		s/ProflabThreadsGrow/ThreadLeak/; s/ProflabErrors/HighErrorRatio/
		s/ProflabSlow/SlowRequests/; s/ProflabLockWait/LockContention/
		s/ProflabDown/ServerDown/' >"$tmp/right"
	check "right ones do" "$exercise/check" --replay "$tmp/right"
	# YAML as others write it: quotes, lines of Windows, a dash of its own.
	sed "s/- alert: MemoryLeak/-\\n        alert: 'MemoryLeak'/" "$tmp/right" |
		sed "s/\$/\\r/" >"$tmp/other"
	check "written otherwise, too" "$exercise/check" --replay --only MemoryLeak "$tmp/other"
	if have jq; then
		mkdir "$tmp/own"
		cp "$tmp/right" "$tmp/own/5"
		sed 's/"editable": false/"editable": true/' \
			"$exercise/dashboard.json" >"$tmp/own/dashboard.json"
		! "$exercise/check" --replay --only ServerDown "$tmp/own/5" >"$tmp/out" 2>&1
		ok $? "a learner's own dashboard is looked at"
		check "and judged" grep -q 'editable must be false' "$tmp/out"
	else
		skip "a learner's own dashboard is looked at" "jq is not installed"
	fi
	while IFS='|' read -r name only change words; do
		sed "$change" "$tmp/right" >"$tmp/wrong"
		"$exercise/check" --replay --only "$only" "$tmp/wrong" >"$tmp/out" 2>&1
		[ $? -eq 1 ] && tr '\n' ' ' <"$tmp/out" | tr -s ' ' | grep -q "$words"
		ok $? "wrong: $name"
	done <<'TABLE'
nothing at all|MemoryLeak|d|There is no alert in answers/5 any more
no rule file|MemoryLeak|s/^groups:/grups:/|It is no valid rule file
hours|MemoryLeak|s/\[15m\]/[1h]/|must be written in whole minutes, and not like \[1h\]
seconds behind for|MemoryLeak|s/for: 5m/for: 30s/|not like for: 30s
a name is gone|ThreadLeak|s/alert: ThreadLeak/alert: Threads/|There is no alert of that name
never|MemoryLeak|s/> 20e6/> 20e12/|MemoryLeak is silent on leak-faulty Memory grows
any growth|ThreadLeak|s/> 3$/> -1/|ThreadLeak fires on
TABLE
else
	skip "rules on recordings" "promtool is not installed"
fi

for set in LEAK_BYTES=abc LEAK_BYTES=200MB ERROR_RATIO=5% LOCK_SECONDS=0,1 P99_SECONDS=-1; do
	status "a threshold that is none" 2 env "$set" "$exercise/render" minutes
	check "is told: $set" grep -q "${set%%=*} is \"${set#*=}\": must be a number" "$tmp/out"
done
check "one that is stands in the rules" sh -c \
	"LEAK_BYTES=200e6 '$exercise/render' minutes | grep -q '> 200e6'"

# ---- the dashboard ----
if have jq; then
	check "the dashboard keeps the linter's rules" \
		"$exercise/lint-dashboard" "$exercise/dashboard.json"
	while IFS='#' read -r change words; do
		jq "$change" "$exercise/dashboard.json" >"$tmp/dashboard.json"
		"$exercise/lint-dashboard" "$tmp/dashboard.json" >"$tmp/out" 2>&1
		[ $? -eq 1 ] && grep -q -- "$words" "$tmp/out"
		ok $? "the linter sees: $words"
		[ -s "$tmp/out" ] || diag "it said nothing"
	done <<'TABLE'
.editable = true#editable must be false
del(.templating.list[0])#exactly one variable of type datasource
.templating.list[0].label = "DS"#labelled "Data Source"
del(.templating.list[1])#there must be a variable job
.templating.list[2].multi = false#instance: must be multi
.templating.list[2].allValue = "*"#instance: allValue must be
.templating.list[1].refresh = 1#job: must be asked again
.panels[3].title = ""#no title
del(.panels[3].description)#Requests: no description
del(.panels[3].fieldConfig.defaults.unit)#Requests: no unit
.panels[3].datasource.uid = "prom1"#Requests: must use
.panels[3].targets = []#Requests: no targets
.panels[3].targets[0].expr |= sub("job=~[^,]*, "; "")#Requests: a series without job
.panels[3].targets[0].expr |= sub("instance=~"; "instance=")#Requests: a series without instance
.panels[3].targets[0].expr |= sub("__rate_interval"; "__interval")#rates must be over
.panels[3].targets[0].expr = "proflab_http_requests_total{job=~\"$job\", instance=~\"$instance\"}"#a counter must be in rate
.panels[3].id = 1#two panels have the same id
TABLE
else
	skip "the dashboard" "jq is not installed"
fi

# ---- what is given as an example ----
if have "$PROMTOOL"; then
	cp "$exercise/prometheus.yml" "$tmp"
	"$exercise/render" minutes >"$tmp/alerts.yml"
	check "prometheus.yml is one" "$PROMTOOL" check config "$tmp/prometheus.yml"
else
	skip "prometheus.yml is one" "promtool is not installed"
fi
"$top_builddir/proflab-collect" -help >"$tmp/help"
for file in proflab-collect.service proflab-collect.cron; do
	unknown=
	# shellcheck disable=SC2013 # words
	for flag in $(grep -oE '(^| )-[a-z][a-z-]+' "$exercise/$file" | sort -u); do
		grep -q "^  $flag\b" "$tmp/help" || unknown="$unknown $flag"
	done
	[ -z "$unknown" ]
	ok $? "$file: proflab-collect has its options$unknown"
done
# The handbook and the walk-through: options and profiles that there are.
for program in collect monitor server load pprof; do
	"$top_builddir/proflab-$program" -help >"$tmp/help-$program" 2>&1
done
"$top_builddir/proflab-collect" report -help >>"$tmp/help-collect"
grep -ohE 'proflab-(collect|monitor|server|load|pprof) [^`|>#]*' \
	"$top_srcdir/doc/operations.md" "$exercise/README.md" >"$tmp/shown"
unknown=
while read -r program words; do
	for word in $words; do
		case $word in
		-[a-z]*) ;;
		*) continue ;;
		esac
		flag=${word%%[=),;.]*}
		grep -qE -- "(^| )$flag\\b" "$tmp/help-${program#proflab-}" ||
			unknown="$unknown $program:$flag"
	done
done <"$tmp/shown"
[ "$(wc -l <"$tmp/shown")" -gt 15 ] && [ -z "$unknown" ]
ok $? "what the handbook calls has these options$unknown"
lost=
# shellcheck disable=SC2013 # words
for path in $(grep -ohE '/debug/pprof/[a-z]+' "$top_srcdir/doc/operations.md" \
	"$exercise/README.md" | sort -u); do
	curl -fsS -o "$tmp/profile" "$server_url$path?seconds=1" || lost="$lost $path"
done
[ -z "$lost" ]
ok $? "and the profiles that it asks for are there$lost"
# Neither Parca nor Alloy is in Debian. Both refuse a key that they do not know:
# these are those of Parca's pkg/config, and of pyroscope.scrape and .write.
known_keys() { # FILE KEY...
	keys_of=$1
	shift
	sed 's,#.*,,; s,^ *//.*,,; s/"[^"]*"//g' "$exercise/$keys_of" |
		grep -oE '[a-z_.]+ *[:={]' | tr -d ' :={' | sort -u >"$tmp/keys"
	unknown=$(printf '%s\n' "$@" | sort | comm -23 "$tmp/keys" - | tr '\n' ' ')
	[ -s "$tmp/keys" ] && [ -z "$unknown" ]
	ok $? "$keys_of: keys that there are $unknown"
}
known_keys parca.yaml object_storage bucket type config directory \
	scrape_configs job_name scrape_interval scrape_timeout static_configs \
	targets profiling_config pprof_config enabled path delta \
	memory block goroutine mutex process_cpu threads wall
known_keys pyroscope.alloy pyroscope.scrape pyroscope.write targets forward_to \
	scrape_interval delta_profiling_duration profiling_config \
	profile.process_cpu profile.memory profile.goroutine profile.mutex \
	profile.block profile.custom enabled path delta endpoint url
# What Parca and Alloy are told to ask for is answered.
lost=
# shellcheck disable=SC2013 # words
for path in $(grep -ohE '/debug/pprof/[a-z]+' "$exercise/parca.yaml" \
	"$exercise/pyroscope.alloy" | sort -u); do
	curl -fsS -o "$tmp/profile" "$server_url$path?seconds=1" || lost="$lost $path"
done
[ -z "$lost" ]
ok $? "the paths in parca.yaml and pyroscope.alloy are served$lost"
done_testing
