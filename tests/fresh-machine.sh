#!/bin/sh
# fresh-machine.sh - a bare Debian in a folder (debootstrap), a clone in it,
# and the two commands that a newcomer types.  What only this machine happens
# to have installed hides no missing step there.
# FRESH_MACHINE_COMMANDS="demo test" names the commands to run.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
: "${FRESH_MACHINE_COMMANDS:=demo}"

[ "$(id -u)" -eq 0 ] || skip_all "a chroot needs root"
PATH=$PATH:/usr/sbin:/sbin
command -v debootstrap >/dev/null 2>&1 || skip_all "debootstrap is not installed"
git -C "$top_srcdir" rev-parse HEAD >/dev/null 2>&1 ||
	skip_all "not a git checkout: there is nothing to clone"

root=$tmp/root
mounted=
release() {
	for dir in $mounted; do
		umount -l "$dir" 2>/dev/null
	done
	mounted=
}
trap 'release; finish' EXIT

mirror=$(sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \([^ ]*\).*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/debian* 2>/dev/null |
	head -n 1)
: "${mirror:=http://deb.debian.org/debian}"

check "debootstrap makes a bare system" \
	timeout 600 debootstrap --variant=minbase --include=git,ca-certificates \
	bookworm "$root" "$mirror"
[ "$tap_failed" -eq 0 ] || done_testing
for dir in proc dev sys; do
	mount --rbind "/$dir" "$root/$dir" && mount --make-rslave "$root/$dir" &&
		mounted="$root/$dir $mounted"
done
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "deb $mirror bookworm main" >"$root/etc/apt/sources.list"
check "the clone" git clone -q "$top_srcdir" "$root/home/proflab"
check "the system is bare" test ! -e "$root/usr/bin/gcc"

for command in $FRESH_MACHINE_COMMANDS; do
	# No judge is required there: what it needs, the project installs.
	chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/home/proflab/proflab "$command" \
		>"$tmp/$command.out" 2>&1
	status=$?
	ok "$status" "./proflab $command on the bare system"
	if [ "$status" -ne 0 ]; then
		tail -n 60 "$tmp/$command.out" | sed 's/^/# /'
	else
		tail -n 3 "$tmp/$command.out" | sed 's/^/# /'
	fi
done

# Nothing that was started there may still run.
left=
for exe in /proc/[0-9]*/root; do
	[ "$(readlink "$exe" 2>/dev/null)" = "$root" ] || continue
	pid=${exe%/root}
	left="$left ${pid#/proc/}"
done
[ -z "$left" ]
ok $? "no process was left behind$left"
release
done_testing
