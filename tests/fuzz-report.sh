#!/bin/sh
# fuzz-report.sh - replay hostile profiles through every report.
# shellcheck source=tests/fuzz-lib.sh
. "$(dirname "$0")/fuzz-lib.sh"
replay_corpus report
done_testing
