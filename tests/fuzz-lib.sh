# fuzz-lib.sh - for the fuzz-*.sh: lib.sh, and the replay of a fuzz target's corpus.
# Sourced; never run.
# shellcheck shell=sh source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

# replay_corpus NAME: tests/fuzz_NAME over tests/corpus/NAME, be it a program
# that reads files or, with --enable-fuzzing, libFuzzer's.
replay_corpus() {
	target=$top_builddir/tests/fuzz_$1
	corpus=$top_srcdir/tests/corpus/$1
	n=$(find "$corpus" -type f | wc -l)
	[ "$n" -ge 20 ]
	ok $? "the corpus is there ($n inputs)"
	if "$target" -help=1 2>&1 | grep -q libFuzzer; then
		check "replayed by libFuzzer" "$target" -runs=0 "$corpus"
	else
		check "replayed" "$target" "$corpus"
	fi
}
