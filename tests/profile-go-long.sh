#!/bin/sh
# profile-go-long.sh - profile-go.sh on many profiles.
PROFILE_GO_SEEDS=25 exec sh "$(dirname "$0")/profile-go.sh"
