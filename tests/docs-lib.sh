# docs-lib.sh - for docs.sh: installs what was built, and runs the parts of a
# document in shells of their own.  Sourced; never run.
# shellcheck shell=sh
: "${tmp:?}" "${top_srcdir:?}" "${top_builddir:?}" "${CC:?}" "${CXX:?}"

# ---- the installed tree, and stand-ins for what needs a person --------------
inst=$tmp/inst
# One at a time: libtool links libpprof-http again, in its place in the build
# (tests/http-embed.sh holds the same lock).
flock "$top_builddir/Makefile" make -C "$top_builddir" \
	DESTDIR="$inst" install >"$tmp/install.log" 2>&1
installed=$?
ok $installed "make install"
[ $installed -eq 0 ] || diag "$(grep -B 8 'Error [0-9]' "$tmp/install.log")"
prefix=$(sed -n 's/^prefix = //p' "$top_builddir/Makefile")
bin=$tmp/bin
mkdir "$bin"

# stand_in NAME, its text on standard input
stand_in() {
	{
		echo '#!/bin/sh'
		cat
	} >"$bin/$1"
	chmod +x "$bin/$1"
}
for name in proflab-server proflab-server-fixed; do
	stand_in $name <<SH
exec "$inst$prefix/bin/$name" -listen "127.0.0.1:\$PORT_8080" "\$@"
SH
done
# A little load is enough, and many documents are read at the same time.
stand_in proflab-load <<SH
exec "$inst$prefix/bin/proflab-load" -url="http://127.0.0.1:\$PORT_8080" \\
	-concurrency=2 "\$@"
SH
# -http serves until it is interrupted: ask for the page once, then interrupt.
# The time to wait for an answer is for a machine that does other things, too.
stand_in proflab-pprof <<SH
real=$inst$prefix/bin/proflab-pprof
for word in "\$@"; do
	case \$word in
	-http=*) ;;
	*) continue ;;
	esac
	"\$real" -timeout=60 -no_browser "\$@" &
	pid=\$!
	for i in \$(seq 400); do
		curl -fs -o /dev/null "http://127.0.0.1:\${word##*:}/" && break
		kill -0 \$pid || exit 1
		sleep 0.05
	done
	curl -fsS "http://127.0.0.1:\${word##*:}/" | grep -i '<html'
	status=\$?
	kill \$pid
	wait \$pid
	exit \$status
done
exec "\$real" -timeout=60 "\$@"
SH
# The collector goes on for ever, too; reports are as they are.
stand_in proflab-collect <<SH
[ "\$1" = report ] || set -- -rounds 1 -seconds 1 "\$@"
exec "$inst$prefix/bin/proflab-collect" "\$@"
SH
# watch runs its command for ever: once is enough.
stand_in watch <<'SH'
while [ $# -gt 1 ]; do shift; done
exec sh -c "$1"
SH
for name in chrome google-chrome chromium firefox sensible-browser xdg-open; do
	stand_in $name <<'SH'
for file in "$@"; do :; done
exec test -s "${file#file://}"
SH
done
# These run what is called cc or c++ itself, or have ccache look for it: not in
# this folder, or they would run each other for ever.
stand_in cc <<SH
PATH="$PATH" exec $CC "\$@"
SH
stand_in c++ <<SH
PATH="$PATH" exec $CXX "\$@"
SH
check "cc is the compiler" env PATH="$bin:$PATH" timeout 20 cc --version

# ---- ports: below those that the kernel hands out by itself, and apart from --
# those of readme-commands.sh, which may run beside this; 300 for each docs.sh
port_is_free() {
	! grep -qi "$(printf ':%04X 0' "$1")" /proc/net/tcp /proc/net/tcp6
}
next_port=$((15000 + $$ % 25 * 300))
# take_port: sets port
take_port() {
	next_port=$((next_port + 1))
	until port_is_free $next_port; do
		next_port=$((next_port + 1))
	done
	port=$next_port
}

# ---- one document -----------------------------------------------------------
# shorten BLOCK: as shown, but for ports and lengths of time
shorten() {
	# The load outlasts the capture that it is for; one that nobody waits
	# for outlasts all of them, and ends with the document.
	load=1
	! grep -q 'seconds=' "$1" || load=2
	sed -E -e "s/([:=]|port )(8080|8081|8082|8083|6060|6061|6379)\>/\1\${PORT_\2}/g" \
		-e 's/\<localhost:/127.0.0.1:/g' \
		-e 's/([?&-]seconds=)[0-9]+/\11/g' \
		-e "s/(-duration[= ])[0-9]+[ms]/\1${load}s/g" \
		-e '/^proflab-load .* &$/s/(-duration[= ])[0-9]+s/\160s/' \
		-e 's/\<sleep [0-9]+/sleep 0.1/g' \
		-e 's/min_age=[0-9]+s/min_age=50ms/g' \
		-e 's,/var/lib/proflab/,,g' \
		-e 's/\$\{PORT_([0-9]+)\}/@\1@/g' "$1" |
		sed "$port_script"
}

# needs BLOCK: what it calls and is not installed
needs() {
	for program in go jq watch redis-server redis-benchmark sqlite3 xz dot perf \
		python3; do
		grep -qE "(^|[ |(])(/usr/bin/)?$program( |\$)" "$1" &&
			! command -v $program >/dev/null 2>&1 &&
			echo $program
	done
	return 0
}

# make_script FOLDER: what runs its blocks in order, in one shell
make_script() {
	cat <<SH
# Whatever was started ends with this shell: it leads a group of its own.
trap 'trap "" TERM; kill 0' EXIT
trap 'exit 1' TERM
block() {
	echo "\$1" >'$1/now'
	exec >"$1/\$1.out" 2>"$1/\$1.err" </dev/null
}
answers() {
	for i in \$(seq 400); do
		status=0
		curl -s -o /dev/null --max-time 5 "http://127.0.0.1:\$1/" ||
			status=\$?
		[ \$status -eq 7 ] || return 0
		sleep 0.05
	done
	echo "nothing listens on port \$1" >&2
	return 1
}
# The blocks in a shell of their own: who waits hears a signal at once, who runs
# a program only when that ends.
{
set -e
SH
	for about in "$1"/*.about; do
		[ -f "$about" ] || continue
		name=${about%.about}
		[ ! -f "$name.notrun" ] || continue
		[ ! -f "$name.skip" ] || continue
		read -r _ kind file <"$about"
		echo "block $(basename "$name")"
		case $kind in
		sh)
			shorten "$name.block"
			sed -n -E '/(proflab-server|:6060).* &( |$)/{
				s/.*:6060.*/answers @6060@/
				s/.*proflab-server.*/answers @8080@/
				p
			}' "$name.block" | sed "$port_script"
			;;
		pprof)
			echo "proflab-pprof $file <<'END' 2>&1 | tee prompt"
			cat "$name.block"
			echo END
			# An unknown command is told, and no failure.
			echo "! grep -iE 'unrecognized|no matches found|error' prompt"
			;;
		esac
	done
	echo "echo 9999 >'$1/now'"
	echo "} & wait \$!"
}

# start_part FOLDER: in the background; adds its process to `running`
start_part() {
	mkdir -p "$1.work/doc"
	cp -r "$top_srcdir/doc/examples" "$1.work/doc/"
	cp -r "$top_srcdir/exercises" "$1.work/"
	chmod -R u+w "$1.work"
	port_script=
	ports=
	for public in 8080 8081 8082 8083 6060 6061 6379; do
		take_port
		port_script="$port_script;s/@$public@/$port/g"
		ports="$ports PORT_$public=$port"
	done
	for about in "$1"/*.about; do
		[ -f "$about" ] || continue
		name=${about%.about}
		missing=$(needs "$name.block")
		[ -z "$missing" ] || echo "$missing" >"$name.skip"
	done
	make_script "$1" >"$1/script"
	# shellcheck disable=SC2086 # a list of assignments
	(
		cd "$1.work" || exit 99
		exec env $ports HOME="$1.work" PATH="$bin:$inst$prefix/bin:$PATH" \
			LD_LIBRARY_PATH="$inst$prefix/lib" \
			PKG_CONFIG_PATH="$inst$prefix/lib/pkgconfig" \
			PKG_CONFIG_SYSROOT_DIR="$inst" \
			setsid sh "$1/script" </dev/null >"$1/all.out" 2>&1
	) &
	own $!
	running="$running $!"
}

# What no test of this kind can run; each has its own.
may_stay_unrun='./proflab
./bootstrap
sudo
make
apt-get
docker'

judge_block() { # DOCUMENT NAME LAST
	read -r line kind _ <"$2.about"
	title="$1:$line: $(grep -v '^$' "$2.block" | head -n 1 | cut -c 1-60)"
	case $kind in
	'' | text | go) return ;;
	c | c++)
		from=$top_srcdir/$(cat "$2.from" 2>/dev/null)
		[ -f "$from" ] && awk '
			FNR == NR { want[n++] = $0; next }
			{ have[m++] = $0 }
			END {
				for (i = 0; i + n <= m; i++) {
					for (k = 0; k < n && have[i + k] == want[k]; k++)
						;
					if (k == n)
						exit 0
				}
				exit 1
			}' "$2.block" "$from"
		ok $? "$title: is in ${from#"$top_srcdir/"}"
		return
		;;
	sh | pprof) ;;
	*)
		ok 1 "$title: a fence of kind \"$kind\""
		return
		;;
	esac
	if [ -f "$2.notrun" ]; then
		first=$(head -n 1 "$2.block" | cut -d ' ' -f 1)
		echo "$may_stay_unrun" | grep -qxF -- "$first"
		ok $? "$title: not run: $(cat "$2.notrun")"
		return
	fi
	if [ -f "$2.skip" ]; then
		skip "$title" "$(cat "$2.skip") is not installed"
		return
	fi
	[ "$(basename "$2")" -lt "$3" ]
	rc=$?
	ok $rc "$title"
	[ $rc -eq 0 ] || {
		diag "$(tail -n 15 "$2.out" "$2.err" "$(dirname "$2")/all.out" \
			2>/dev/null)"
		return 0
	}
	[ -f "$2.prints" ] || return 0
	while read -r expression; do
		grep -qE -- "$expression" "$2.out"
		rc=$?
		ok $rc "$title: prints $expression"
		[ $rc -eq 0 ] || diag "$(head -n 30 "$2.out")"
	done <"$2.prints"
}
