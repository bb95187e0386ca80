#!/bin/sh
# fuzz-metrics.sh - replay the corpus of the /metrics reader's fuzz target.
# shellcheck source=tests/fuzz-lib.sh
. "$(dirname "$0")/fuzz-lib.sh"
replay_corpus metrics
done_testing
