# docs.awk - take the fenced blocks out of a document.
#
#	awk -v dir=DIR -f docs.awk DOC
#
# Each block becomes DIR/1/N.block, its first line's number and what stands
# behind the fence DIR/1/N.about ("LINE KIND ..."), the expressions that its
# output must match DIR/1/N.prints.  Comments tell more about a block:
#
#	<!-- not run: REASON -->	before it	DIR/1/N.notrun
#	<!-- from FILE -->		before it	DIR/1/N.from
#	<!-- prints: RE -->		behind it	DIR/1/N.prints
#
#	<!-- given: COMMAND -->		run, though a reader does not see it: what
#					must be there for the blocks behind it
#	<!-- another shell -->		the blocks behind it run in a folder and a
#					shell of their own: DIR/PART/N.block
#
# What looks like a command outside of any block goes to DIR/stray.

BEGIN {
	part = 1
	system("mkdir -p " dir "/1")
}

function flush_comments() {
	notrun = ""
	from = ""
}

{
	line = $0
	sub(/^ */, "", line)
}

!inside && line ~ /^```/ {
	inside = 1
	n++
	indent = length($0) - length(line)
	name = sprintf("%s/%d/%d", dir, part, 1000 + n)
	info = substr(line, 4)
	print NR, info >(name ".about")
	printf "" >(name ".block")
	if (notrun != "")
		print notrun >(name ".notrun")
	if (from != "")
		print from >(name ".from")
	flush_comments()
	next
}

inside && line ~ /^```$/ {
	inside = 0
	close(name ".block")
	next
}

inside {
	text = $0
	for (i = 0; i < indent && text ~ /^ /; i++)
		text = substr(text, 2)
	print text >(name ".block")
	next
}

line ~ /^<!-- not run: .* -->$/ {
	notrun = substr(line, 15, length(line) - 18)
	next
}

line ~ /^<!-- given: .* -->$/ {
	n++
	name = sprintf("%s/%d/%d", dir, part, 1000 + n)
	print NR, "sh" >(name ".about")
	print substr(line, 13, length(line) - 16) >(name ".block")
	close(name ".block")
	next
}

line == "<!-- another shell -->" {
	part++
	system("mkdir -p " dir "/" part)
	next
}

line ~ /^<!-- from .* -->$/ {
	from = substr(line, 11, length(line) - 14)
	next
}

line ~ /^<!-- prints: .* -->$/ {
	print substr(line, 14, length(line) - 17) >(name ".prints")
	next
}

/^(    |\t)[ \t]*([$] )?(\.\/|proflab-|curl |go |make( |$)|LD_PRELOAD=|PPROF_|sudo |apt-get |cc |c\+\+ )/ {
	print FILENAME ":" NR ": " $0 >(dir "/stray")
}

line != "" { flush_comments() }

END {
	if (inside)
		print FILENAME ": a fence is not closed" >(dir "/stray")
}
