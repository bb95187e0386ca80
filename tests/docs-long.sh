#!/bin/sh
# docs-long.sh - the write-ups of the solutions, command by command, as docs.sh
# does it for the documents that everybody reads.
: "${top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
DOCS=$(cd "$top_srcdir" && ls solutions/*.md)
# shellcheck source=tests/docs.sh
. "$(dirname "$0")/docs.sh"
