# addr2line.awk - what addr2line -a -i -f prints, or symbol_lookup, as one line an
# address: "0xADDR | function | file:line | function | ...", paths made plain.
function normal(p,   n, part, i, out, k, rooted) {
	rooted = substr(p, 1, 1) == "/"
	n = split(p, part, "/")
	k = 0
	for (i = 1; i <= n; i++) {
		if (part[i] == "" || part[i] == ".")
			continue
		if (part[i] == ".." && k > 0 && out[k] != "..") {
			k--
			continue
		}
		if (part[i] == ".." && rooted)
			continue
		out[++k] = part[i]
	}
	p = rooted ? "/" : ""
	for (i = 1; i <= k; i++)
		p = p (i > 1 ? "/" : "") out[i]
	return p
}
/^0x/ {
	if (record)
		print record
	sub(/^0x0*/, "0x")
	record = $0
	odd = 0
	next
}
!odd { record = record " | " $0; odd = 1; next }
{
	sub(/ \(discriminator [0-9]+\)$/, "")
	sub(/:\?$/, ":0")
	at = match($0, /:[0-9]+$/)
	record = record " | " normal(substr($0, 1, at - 1)) substr($0, at)
	odd = 0
}
END { if (record) print record }
