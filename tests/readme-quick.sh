#!/bin/sh
# readme-quick.sh - the shortest of the texts, command by command; make
# check-long has them all.
: "${READMES:=2}"
# shellcheck source=tests/readme-commands.sh
. "$(dirname "$0")/readme-commands.sh"
