#!/bin/sh
# usage: make.sh PROGRAM VERSION FOLDER - writes the man pages of the program and its commands.
set -eu
here=$(dirname "$0")
mkdir -p "$3"
"$1" --help | awk -v command= -v version="$2" -f "$here/page.awk" >"$3/ioanneal.1"
for command in $("$1" --help | awk '/^  [a-z]/ { print $1 }'); do
    "$1" "$command" --help | awk -v command="$command" -v version="$2" -f "$here/page.awk" >"$3/ioanneal-$command.1"
done
