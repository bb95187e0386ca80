#!/bin/sh
# symbol-long.sh - thirty times the mutations of check_object_hostile.
MUTATIONS=${MUTATIONS:-50000}
export MUTATIONS
exec "${top_builddir:-.}/tests/check_object_hostile"
