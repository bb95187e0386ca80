# compare.awk - the table of ./proflab compare, from lines "before|after METRIC
# VALUE", one for each round.
#
# The noise is what a server differs by from itself, over its rounds: the larger
# of the two servers' spreads, as a factor.  A difference counts when every round
# of one side is below every round of the other, and the middle ones are further
# apart than the noise; else there is none that this run could show.
function sort_rounds(side, m,    n, i, j, t) {
	n = rounds[side, m]
	for (i = 1; i <= n; i++)
		sorted[i] = value[side, m, i]
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) {
			t = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = t
		}
	least[side] = sorted[1]
	most[side] = sorted[n]
	middle[side] = n % 2 ? sorted[(n + 1) / 2] \
		: (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# Below its floor a figure is as good as nothing: a tick, one sampled block.
function at_least(v, m) {
	return v > lowest[m] ? v : lowest[m]
}

function spread(side, m) {
	return at_least(most[side], m) / at_least(least[side], m)
}

function show(v, kind) {
	if (kind == "time")
		return v < 1e6 ? sprintf("%.0f us", v / 1e3) \
			: v < 1e9 ? sprintf("%.3g ms", v / 1e6) : sprintf("%.3g s", v / 1e9)
	if (kind == "bytes")
		return v < 1e6 ? sprintf("%.3g kB", v / 1e3) : sprintf("%.4g MB", v / 1e6)
	return v < 1e6 ? sprintf("%.0f", v) : sprintf("%.3g million", v / 1e6)
}

function show_factor(v) {
	return sprintf(v < 10 ? "%.2f x" : "%.0f x", v)
}

function show_ratio(v, verdict) {
	if (verdict == "within the noise")
		return "-"
	return v >= 1 ? show_factor(v) : "1/" show_factor(1 / v)
}

function row(m, label, kind, floor,    noise, ratio, verdict) {
	if (!rounds["before", m] || !rounds["after", m])
		return
	lowest[m] = floor
	sort_rounds("before", m)
	sort_rounds("after", m)
	noise = spread("before", m)
	if (spread("after", m) > noise)
		noise = spread("after", m)
	ratio = at_least(middle["before"], m) / at_least(middle["after"], m)
	verdict = "within the noise"
	if (at_least(least["before"], m) > at_least(most["after"], m) && ratio > noise)
		verdict = "less"
	else if (at_least(least["after"], m) > at_least(most["before"], m) && ratio * noise < 1)
		verdict = "more"
	if (json == "yes") {
		printf "%s\n  {\"metric\": \"%s\", \"before\": %.10g, \"after\": %.10g, \"ratio\": %.6g, \"noise\": %.6g, \"verdict\": \"%s\"}", \
			sep, m, middle["before"], middle["after"], ratio, noise, verdict
		sep = ","
		return
	}
	printf("%-24s %13s %13s %9s %8s   %s\n", label, \
		show(middle["before"], kind), show(middle["after"], kind), \
		show_ratio(ratio, verdict), show_factor(noise), verdict)
}

{ value[$1, $2, ++rounds[$1, $2]] = $3 }

END {
	if (json == "yes")
		printf "{\"scenario\": \"%s\", \"requests\": %d, \"before\": \"%s\", \"after\": \"%s\", \"metrics\": [", \
			scenario, requests, before_name, after_name
	else {
		printf "\nFor each request, the middle one of %d rounds:\n\n", rounds["before", "cpu"]
		printf "%-24s %13s %13s %9s %8s\n", "", substr(before_name, 1, 13), \
			substr(after_name, 1, 13), "ratio", "noise"
	}
	row("cpu", "CPU time", "time", 2e4)
	row("bytes", "bytes allocated", "bytes", 2e4)
	row("allocs", "allocations", "count", 300)
	row("lock_wait", "waiting for locks", "time", 1e5)
	row("p50", "latency: half below", "time", 5e4)
	row("p90", "  nine tenths below", "time", 5e4)
	row("p99", "  99 in 100 below", "time", 5e4)
	row("rss", "resident memory, at last", "bytes", 4e6)
	for (i = 1; i <= rounds["before", "requests"]; i++)
		if (value["before", "requests", i] < requests || value["after", "requests", i] < requests)
			short = 1
	if (json == "yes")
		print("\n], \"complete\": " (short ? "false" : "true") "}")
	else {
		if (short)
			print "\nNot all requests were answered in the time for a round: the machine was\nbusy, or the server is slower than it was at first.  Try --seconds 60."
		print "\nratio: before over after. noise: the farthest that a server is from itself\nover the rounds; a difference no larger than that is not one."
	}
}
