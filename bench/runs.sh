#!/bin/sh
# How long the README's first command takes: a first run on a machine without the site, and a second one.
#
#   bench/runs.sh [EXTRA ANSIBLE ARGUMENTS]
#
# Needs root, and that the bundled site is not deployed (make uninstall SITE_ARGS="-e remove_data=true").
# Prints both times in seconds, their ratio, and the tasks that took longest in the second run.
set -eu
cd "$(dirname "$0")/.."
[ ! -e /srv/gazette ] || { echo "gazette is deployed already: uninstall it first" >&2; exit 2; }

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
run() {
    begun=$(date +%s.%N)
    ANSIBLE_FORCE_COLOR=0 ANSIBLE_CALLBACKS_ENABLED=split_summary,ansible.posix.profile_tasks \
        make site SITE_ARGS="$*" >"$log/out" 2>&1 || { cat "$log/out"; exit 1; }
    ended=$(date +%s.%N)
    echo "$begun $ended" | awk '{ printf "%.1f", $2 - $1 }'
}
first=$(run "$@")
second=$(run "$@")
echo "first run   $first s"
echo "second run  $second s   $(echo "$first $second" | awk '{ printf "%.2f", $2 / $1 }') of the first"
grep -E '^localhost +:' "$log/out"
sed -n '/TASKS RECAP/,$p' "$log/out" | grep -E '^(PLAYBOOK|[a-z].* -+ [0-9.]+s)' | head -12
