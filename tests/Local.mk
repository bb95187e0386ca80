# tests: what belongs to no single module; a module's own tests stand in its
# Local.mk.
EXTRA_DIST += tests/testing.h tests/lib.sh
EXTRA_DIST += tests/layers.sh tests/headers.sh tests/shell.sh
TESTS += tests/layers.sh tests/headers.sh tests/shell.sh

LONG_TESTS += tests/promtool-long.sh
EXTRA_DIST += tests/promtool-long.sh tests/fresh-machine.sh
