#!/bin/sh
# unwind.sh - unwind.c, built and run.
set -u
: "${top_builddir:=.}"
make -s -C "$top_builddir" bench/unwind || exit
exec "$top_builddir/bench/unwind"
