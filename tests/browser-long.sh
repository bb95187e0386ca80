#!/bin/sh
# browser-long.sh - tests/check_browser, for check-long: automake has rules
# for the logs of programs in TESTS alone.
: "${top_builddir:=$(cd "$(dirname "$0")/.." && pwd)}"
exec "$top_builddir/tests/check_browser"
