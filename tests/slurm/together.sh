#!/usr/bin/env bash
# together.sh NAME...: the SLURM tests of these names, `NAME` or `NAME:ARGUMENT:..`, three at a time, each on a cluster of its
# own: they wait for SLURM more than they compute. A line for each, and the output of those that fail. IOA_SLURM_TESTS in the
# environment stands for the names.
set -u
# shellcheck disable=SC2086
[ -z "${IOA_SLURM_TESTS:-}" ] || set -- $IOA_SLURM_TESTS
here=$(dirname "$0")
output=$(mktemp -d "${TMPDIR:-/tmp}/ioa-together.XXXXXX") || exit 1
trap 'rm -rf "$output"' EXIT
trap 'kill $(jobs -pr) 2>/dev/null; exit 143' TERM INT HUP

run() { # NAME:ARGUMENT:..
    local words code=0 began=$SECONDS
    IFS=: read -ra words <<<"$1"
    bash "$here/${words[0]}.sh" "${words[@]:1}" >"$output/$1" 2>&1 </dev/null || code=$?
    echo "$1: exit code $code after $((SECONDS - began)) s"
    [ $code -eq 0 ] || cat "$output/$1"
    echo $code >"$output/$1.code"
}

for name; do
    while [ "$(jobs -pr | wc -l)" -ge 3 ]; do wait -n; done
    run "$name" &
done
wait
skipped=0
for name; do
    code=$(cat "$output/$name.code" 2>/dev/null || echo none)
    case $code in
    0) ;;
    77) skipped=77 ;;
    *) exit 1 ;;
    esac
done
exit $skipped
