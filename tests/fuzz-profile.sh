#!/bin/sh
# fuzz-profile.sh - replay the corpus of the profile decoder's fuzz target.
# shellcheck source=tests/fuzz-lib.sh
. "$(dirname "$0")/fuzz-lib.sh"
replay_corpus profile
done_testing
