#!/bin/sh
# lock-long.sh - a million rounds of wake-ups under the hooks, at every rate.
LOCK_ROUNDS=1000000 LOCK_SECONDS=300
export LOCK_ROUNDS LOCK_SECONDS
exec "${SHELL:-sh}" "$(dirname "$0")/lock-rates.sh"
