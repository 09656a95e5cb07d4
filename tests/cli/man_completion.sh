#!/usr/bin/env bash
# Man pages say what --help says, without complaints of a formatter; the completion knows commands, options and values.
. "$IOA_SUPPORT/support.sh"

program=$IOA_PROGRAM
sh "$IOA_SOURCE/optimizer/man/make.sh" "$program" 0 pages || fail "the man pages cannot be made"
for command in $("$program" --help | awk '/^  [a-z]/ { print $1 }'); do
    page=pages/ioanneal-$command.1
    [ -s "$page" ] || fail "no page for $command"
    for section in NAME SYNOPSIS 'SEE ALSO'; do grep -q "^\.SH $section" "$page" || fail "$page has no section $section"; done
    for option in $("$program" "$command" --help | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        grep -qF -- "$(printf '%s' "$option" | sed 's/-/\\-/g')" "$page" || fail "$page does not mention $option"
    done
done
grep -q 'ioanneal\\-optimize' pages/ioanneal.1 || fail "ioanneal.1 does not list the commands"
cp "$IOA_SOURCE/io/man/libioanneal.3" pages/
if command -v groff >/dev/null; then
    for page in pages/*; do
        complaints=$(groff -man -Tutf8 -ww -z "$page" 2>&1)
        [ -z "$complaints" ] || fail "$page: $complaints"
    done
fi

. "$IOA_SOURCE/optimizer/completion/ioanneal.bash"
completes() { # WANTED WORDS...: the last word is to be completed
    local wanted=$1
    shift
    COMP_WORDS=("$program" "$@")
    COMP_CWORD=$#
    _ioanneal
    [ "${COMPREPLY[*]}" = "$wanted" ] || fail "completing '$*' gives '${COMPREPLY[*]}', not '$wanted'"
}
completes optimize opt
completes 'pack' pa
completes --memory optimize net.h5 --mem
completes '--policy' simulate net.h5 --po
completes 'min' simulate net.h5 --policy m
completes 'out-in' import w.mtx --layout o
completes 'radixnet' generate rad
completes 'keras keras3' import w.keras --format ker
completes 'twins' simulate net.h5 --order tw
completes 'interval' optimize net.h5 --engine int
completes 'paper' optimize net.h5 --method p
completes 'neon' compile best.h5 --isa n
grep -q '^\.SH ORDERS' pages/ioanneal-simulate.1 && grep -q '^\.B twins' pages/ioanneal-simulate.1 || fail "the page of simulate does not list the orders"
completes '' import fi
