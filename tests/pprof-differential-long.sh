#!/bin/sh
# pprof-differential-long.sh - the whole product of pprof-differential.sh:
# thousands of comparisons, for make check-long.
PROFLAB_LONG=1
export PROFLAB_LONG
exec sh "$(dirname "$0")/pprof-differential.sh"
