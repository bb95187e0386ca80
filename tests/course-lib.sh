# course-lib.sh - for tests that play the learner: a copy of the course and of
# its build, in which workloads may be changed and rebuilt.  Sourced after
# lib.sh; never run.
# shellcheck shell=sh
: "${top_srcdir:?}" "${top_builddir:?}" "${tmp:?}"

# scratch_course: sets scratch (the copy; scratch/proflab is its runner), and
# exports what the runner and make need to work in it.
scratch_course() {
	scratch=$tmp/course
	scratch_build=$scratch
	mkdir "$scratch"
	# What make asks for before it builds a server, and what the runner reads.
	(cd "$top_srcdir" && tar cf - --exclude=./build --exclude=./.git \
		--exclude=./_build --exclude=./_inst \
		--exclude=./autom4te.cache --exclude='./tests/*/*' \
		--exclude=./.proflab --exclude=./answers --exclude='*.log' \
		--exclude='./*.tar.*' --exclude="./proflab-*/*" .) |
		(cd "$scratch" && tar xf -) || return 1
	chmod -R u+w "$scratch"
	if [ "$top_builddir" != "$top_srcdir" ]; then
		# In the same place below it: where configure was called by a
		# relative name, what make knows of headers is relative, too.
		scratch_build=$tmp/build
		course_top=$(cd "$top_srcdir" && pwd)
		course_build=$(cd "$top_builddir" && pwd)
		case $course_build in
		"$course_top"/*) scratch_build=$scratch${course_build#"$course_top"} ;;
		esac
		mkdir -p "$scratch_build"
		(cd "$top_builddir" && tar cf - --exclude='./tests/*' \
			--exclude='./bench/*' --exclude='./calibrate' \
			--exclude='./proflab-*/*' .) |
			(cd "$scratch_build" && tar xf -) || return 1
	fi
	# The folders are overridden: the makefile has the original's in it.
	MAKEFLAGS="srcdir=$scratch top_srcdir=$scratch abs_srcdir=$scratch abs_top_srcdir=$scratch VPATH=$scratch"
	MAKEFLAGS="$MAKEFLAGS abs_builddir=$scratch_build abs_top_builddir=$scratch_build"
	unset MFLAGS MAKELEVEL MAKEOVERRIDES
	PROFLAB_BUILD=$scratch_build
	PROFLAB_STATE=$tmp/state
	PROFLAB_ANSWERS=$tmp/answers
	export MAKEFLAGS PROFLAB_BUILD PROFLAB_STATE PROFLAB_ANSWERS
	# The originals are kept at the first command.
	"$scratch/proflab" list >/dev/null
}

# solve NAME...: the solution in the workload's place.
solve() {
	for solved in "$@"; do
		cp "$top_srcdir/solutions/$solved.c" \
			"$scratch/src/workloads/$solved.c"
	done
}

# said NAME TEXT: is it in what the last command said?
said() {
	grep -qF -- "$2" "$tmp/out"
	said_status=$?
	ok "$said_status" "$1"
	[ "$said_status" -eq 0 ] || sed 's/^/# /' "$tmp/out"
}
