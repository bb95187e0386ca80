#!/bin/sh
# reader.sh - where proflab-pprof finds what it reads, and what it leaves
# behind: files, standard input, servers by URL and by name alone, several
# profiles, PPROF_TMPDIR, TZ, the tools that it calls.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
command -v curl >/dev/null || skip_all "curl is not installed"
pprof=$top_builddir/proflab-pprof
export HOME="$tmp" PPROF_TMPDIR="$tmp/saved" TZ=UTC
unset PPROF_BINARY_PATH PPROF_TOOLS
cd "$tmp" || exit 99
for kind in cpu heap; do
	"$top_builddir/tests/gen_profile" $kind >$kind.pb.gz || exit 99
done

# run ARGUMENT...: into out and err
run() {
	timeout 60 "$pprof" "$@" >out 2>err </dev/null
}
# fails PATTERN NAME ARGUMENT...: an error, with these words
fails() {
	fails_pattern=$1 fails_name=$2
	shift 2
	! run "$@" && grep -Eq -- "$fails_pattern" err
	ok $? "$fails_name"
}
# says PATTERN FILE NAME
says() {
	grep -Eq -- "$1" "$2"
	says_rc=$?
	ok $says_rc "$3"
	[ $says_rc -eq 0 ] || diag "$(cat out err)"
}

# ---- files and standard input ----------------------------------------------
run -top cpu.pb.gz
mv out expected
gzip -dc cpu.pb.gz >plain.pb
run -top plain.pb
check "a plain file is as a gzip file" cmp out expected
"$pprof" -top - <cpu.pb.gz >out 2>err
check "- is standard input" cmp out expected
gzip -dc <cpu.pb.gz | "$pprof" -top /dev/stdin >out 2>err
check "so is /dev/stdin, from a pipe" cmp out expected
run -top -output=written cpu.pb.gz
check "-output writes the report" cmp written expected
run -top cpu.pb.gz cpu.pb.gz
total=$(sed -n 's/.* of \([0-9.]*\)s total/\1/p' expected)
says " of $(awk -v t="$total" 'BEGIN { print 2 * t }')s total" out \
	"two profiles are added up"
run -top cpu.pb.gz nowhere.pb.gz
says '^nowhere.pb.gz: .*No such file' err "one that is not there is named"
says 'Fetched 1 source profiles out of 2' err "and the others are shown"
! run -list=no_such_function -output=unwritten cpu.pb.gz &&
	! grep -q '^Generating' err && [ ! -e unwritten ]
ok $? "a report that fails is not on its way into a file"
fails 'failed to fetch any source profiles' "none at all is an error" \
	-top nowhere.pb.gz
fails 'inconsistent samples type' "a base of another kind is an error" \
	-top -base=heap.pb.gz cpu.pb.gz
run -comments -add_comment='a word' cpu.pb.gz
says '^a word$' out "-add_comment"
run -top -buildid=0123abcd cpu.pb.gz
says '^Build ID: 0123abcd$' out "-buildid"
TZ=Asia/Tokyo run -top cpu.pb.gz
says '^Time: Nov 15, 2023 at 7:13am \(JST\)$' out "TZ"

# ---- servers -----------------------------------------------------------------
start_server "$top_builddir/proflab-server" || exit 99
host=${server_url#http://}
# As Go's: 5 seconds more than it says; so, beside the others.
(
	timeout 60 "$pprof" -top -seconds=50 -timeout=1 "$host" >late 2>&1
	echo $? >late.status
) &
own $!
late=$!
curl -fsS -m 60 -o answer "$server_url/leaky?size=2000"
run -top -seconds=1 "$host"
says "^Fetching profile over HTTP from $server_url/debug/pprof/profile\?seconds=1$" \
	err "a host alone is its CPU profile, over -seconds"
says '^Type: cpu$' out "and it comes"
saved=$(sed -n 's/^Saved profile in //p' err)
[ "${saved%/*}" = "$tmp/saved" ] && [ -s "$saved" ]
ok $? "it is saved in PPROF_TMPDIR: ${saved##*/}"
mv out live
run -top "$saved"
check "what was saved shows the same" cmp out live
run -top "$server_url/debug/pprof/heap"
says ' create_leaky_structures$' out "a URL: the heap"
run -top "$host/debug/pprof/heap"
says ' create_leaky_structures$' out "the same without http://"
run -top -seconds=1 "$server_url/debug/pprof/heap"
says '^Fetching.*/heap\?seconds=1$' err "-seconds of a heap: the difference"
run -top "$server_url/debug/pprof/heap?debug=1"
says '^Type: inuse_space$' out "the text of before profile.proto"
! grep -q 'Main binary' err
ok $? "no binary is expected of a server"
run -top "$server_url/debug/pprof/heap?gc=%zz&debug=1&gc;=1&a=%00+b"
says '^Fetching.*/heap\?a=%00\+b&debug=1$' err \
	"what is no query by Go's rules is left out"
run -top "$server_url/debug/pprof/hea p(1)?"
says '^Fetching.*/hea%20p%281%29\?$' err "a path is escaped as Go escapes it"
fails 'No such file' "one with a bad escape is no URL, as for Go" \
	-top "$server_url/debug/pprof/heap%zz"
run -top "$server_url/debug/pprof/nix"
says 'server response: 404 Not Found - Unknown profile' err \
	"the server's own words"
! grep -q '^$' err
ok $? "and no empty line behind them"
run -top "$server_url/debug/pprof/heap" "$server_url/debug/pprof/heap"
says 'create_leaky_structures$' out "two servers at once"

# ---- a server on a socket ------------------------------------------------------
"$top_builddir/proflab-server" -listen "unix:$tmp/s.sock" >socket.log 2>&1 &
own $!
wait_for 20 curl -fsS -m 5 --unix-socket "$tmp/s.sock" -o answer \
	'http://x/leaky?size=2000'
run -top "unix:$tmp/s.sock:/debug/pprof/heap"
says ' create_leaky_structures$' out "unix:PATH:/NAME"
run -top -seconds=1 "unix:$tmp/s.sock"
says '^Type: cpu$' out "unix:PATH: the CPU profile"
says "/profile\?seconds=1 at $tmp/s.sock\$" err "and says which socket it asks"
fails '^unix:/nowhere: connect to socket /nowhere: No such file' \
	"a socket that is not there" -top unix:/nowhere

# ---- https -----------------------------------------------------------------
# A server that trusts its own authority alone, and asks who comes.
certify() { # NAME: a key and a certificate by the authority
	openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" \
		-subj "/CN=$1" 2>req.err &&
		printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >ext &&
		openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key \
			-CAcreateserial -days 2 -extfile ext -out "$1.pem" \
			2>x509.err
}
if command -v openssl >openssl.where; then
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem \
		-days 2 -subj '/CN=an authority' 2>ca.err && certify server &&
		certify client
	openssl s_server -accept 127.0.0.1:0 -HTTP -cert server.pem \
		-key server.key -CAfile ca.pem -Verify 1 -verify_return_error \
		>tls.log 2>tls.err &
	own $!
	wait_for 20 grep -q '^ACCEPT' tls.log
	https=https://$(sed -n 's/^ACCEPT //p' tls.log | head -n 1)
	# What -HTTP sends is the file: header and all.
	printf 'HTTP/1.0 200 OK\r\n\r\n' | cat - cpu.pb.gz >answer.http
	run -top -tls_ca=ca.pem -tls_cert=client.pem -tls_key=client.key \
		"$https/answer.http"
	check "-tls_ca, -tls_cert, -tls_key" cmp out expected
	fails 'https://.*(alert|recv)' "-tls_ca alone: it asks who comes" \
		-top -tls_ca=ca.pem "$https/answer.http"
	fails 'https://.*certificate' "without -tls_ca it is not trusted" \
		-top -tls_cert=client.pem -tls_key=client.key \
		"$https/answer.http"
	fails 'https://.*CA cert' "a certificate that is not there" \
		-top -tls_ca=nowhere.pem "$https/answer.http"
else
	skip "-tls_ca, -tls_cert, -tls_key" "openssl is not installed"
fi

# ---- sources, and the tools it calls -----------------------------------------
curl -fsS -m 60 -o live-heap.pb.gz "$server_url/debug/pprof/heap"
run -list='^create_leaky_structures$' live-heap.pb.gz
says '^ROUTINE =+ create_leaky_structures in .*/leaky.c$' out "-list"
says 'malloc' out "with its source"
mkdir -p elsewhere/src/workloads
sed 's/malloc/mall0c/' "$top_srcdir/src/workloads/leaky.c" \
	>elsewhere/src/workloads/leaky.c
source=$(sed -n 's/^ROUTINE =* create_leaky_structures in //p' out)
run -list='^create_leaky_structures$' -source_path="$tmp/elsewhere" \
	-trim_path="${source%/src/workloads/leaky.c}" live-heap.pb.gz
says 'mall0c' out "-source_path and -trim_path: another tree"
mkdir tools
for tool in objdump nm addr2line; do
	printf '#!/bin/sh\necho "$0" >>"%s/called"\nexec %s "$@"\n' "$tmp" \
		"$(command -v $tool)" >tools/$tool
	chmod +x tools/$tool
done
run -disasm='^create_leaky_structures$' live-heap.pb.gz
says 'call.*malloc' out "-disasm"
fails '^no local file for /opt/app/bin/server' "-disasm: what binary it lacks" \
	-disasm=step cpu.pb.gz
run -tools="$tmp/tools" -disasm='^create_leaky_structures$' live-heap.pb.gz
says "^$tmp/tools/objdump$" called "-tools: whose objdump"

wait $late
[ "$(cat late.status)" = 2 ] && grep -q 'no answer within 6 s' late
ok $? "-timeout ends the wait"

# ---- the prompt -----------------------------------------------------------
printf '%s\n' 'top3' 'focus=step_1$' 'top3 >to_file' 'list step_1$' o nonsense \
	quit | "$pprof" cpu.pb.gz >out 2>err
says '\(pprof\) Showing nodes' out "the prompt: top"
says '^Active filters:' to_file "an option, and > file"
says 'focus += step_1\$' err "o shows the options"
says 'nonsense' err "what is not known is named"
printf '%s\n' cum nodefraction=0x10 edgefraction=1_0e-1_2 nodecount=3000000000 \
	divide_by=3e6 nodecount7 o | "$pprof" cpu.pb.gz >out 2>err
says '^unknown config field "cum"$' err "cum alone is no option, as for Go"
says '^strconv.ParseFloat: parsing "0x10": invalid syntax$' err \
	"a number that Go refuses"
says 'edgefraction += 1e-11' err "one that Go takes"
says 'nodecount += 3000000000' err "a large one"
says 'divide_by += 3e\+06' err "shown as Go shows it"
says '^did you mean: nodecount=7$' err "digits that belong to an option"
done_testing
