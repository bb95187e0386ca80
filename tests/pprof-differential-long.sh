#!/bin/sh
# pprof-differential-long.sh - what pprof-differential.sh leaves out: see there.
PROFLAB_LONG=1
export PROFLAB_LONG
exec sh "$(dirname "$0")/pprof-differential.sh"
