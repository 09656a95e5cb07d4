#!/usr/bin/env bash
# `ioanneal report`: the page is complete in itself, says what the archive says, survives whatever archives hold, and
# appears whole or not at all.
. "$IOA_SUPPORT/support.sh"

expect_exit 0 ioa generate mlp --widths 30,50,40,9 --density 0.2 --seed 3 -o net.h5
expect_exit 0 ioa generate mlp --widths 30,50,40,9 --density 0.2 --seed 4 -o other.h5
expect_exit 0 ioa optimize net.h5 -o best.h5 --memory 8,16 --rounds 40 --proposals 60 --replicas 6 --timing 0.1 -q
expect_exit 0 ioa optimize net.h5 -o start.h5 --memory 16 --method construct --timing 0 -q
expect_exit 0 ioa optimize net.h5 -o alone.h5 --memory 16 --method anneal --rounds 5 --proposals 20 --replicas 2 --timing 0 -q
expect_exit 0 ioa optimize net.h5 -o lru.h5 --memory 16 --policy lru --method construct --timing 0 -q
expect_exit 0 ioa merge best.h5 lru.h5 -o both.h5

# ---- without gnuplot: one line that says what to install; nothing written
before=$(listing)
mkdir "$scratch/no-programs" "$scratch/broken"
expect_exit 3 env PATH="$scratch/no-programs" "$IOA_PROGRAM" report best.h5 -o page.html
expect_one_line 'gnuplot.*apt-get install gnuplot-nox'
broken() { # SCRIPT: instead of gnuplot
    printf '#!/bin/sh\n%s\n' "$1" >"$scratch/broken/gnuplot"
    chmod +x "$scratch/broken/gnuplot"
    expect_exit 3 env PATH="$scratch/broken:$PATH" "$IOA_PROGRAM" report best.h5 -o page.html
    expect_one_line gnuplot
}
broken 'exit 1'
broken 'case $1 in --version) exit 0 ;; esac; echo "line 7: something is wrong" >&2; exit 1'
expect_one_line 'something is wrong'
broken 'case $1 in --version) exit 0 ;; esac; exec 0<&-; sleep 0.1; exit 0' # never reads what it is told
broken 'case $1 in --version) exit 0 ;; esac; cat >/dev/null; echo "<svg>"'
broken 'case $1 in --version) exit 0 ;; esac; cat >/dev/null; echo "viewBox=\"0 0 9 9\" </defs><g><"'
broken 'case $1 in --version) exit 0 ;; esac; kill -9 $$'
expect_listing "$before"

command -v gnuplot >/dev/null || skip "gnuplot is missing (Debian: gnuplot-nox)"
[ -n "$python" ] || skip "python3 is missing"

page() { # FILE [INFO]: the page holds up
    "$python" "$IOA_SOURCE/tests/cli/report_page.py" "$@" >"$out" 2>"$err" || fail "$1 is not as it should be"
}

report() { # ARGUMENTS...: makes page.html and checks it
    rm -f page.html
    expect_exit 0 ioa report "$@" -o page.html
    page page.html
}

holds() { # WORDS...
    for words in "$@"; do grep -qF -- "$words" page.html || fail "the page does not say: $words"; done
}

# ---- the page and its numbers
for archive in best start both; do
    ioa_json info $archive.h5
    cp "$json_file" "$scratch/$archive.json"
    report $archive.h5
    page page.html "$scratch/$archive.json"
done
report best.h5
cp page.html "$scratch/alone.html"
holds '--network NET.h5' 'Index process' 'Swap acceptance' 'Ladder' 'Cost over time, per rung'
report best.h5 --network net.h5
page page.html "$scratch/best.json"
holds 'Along the order, M = 8, MIN' 'order made for M = 16, MIN' 'certified'
cp page.html "$scratch/first.html"
report best.h5 --network net.h5
cmp -s page.html "$scratch/first.html" || fail "one archive, two pages"
# The curve over M: what `simulate` counts, at sizes the archive knows nothing of.
for memory in 4 32; do
    ioa_json simulate net.h5 --memory $memory
    layered=$(json "$json_file" "f\"{d['excess']:,}\"")
    holds "<tr><th scope=\"row\">$memory</th><td>$layered</td>"
done
ioa_json report best.h5 --network net.h5 -o page.html
expect_json "$json_file" "d['report'] == 'page.html' and d['schedules'] == 2 and d['figures'] > 10 and d['bytes'] == $(stat -c %s page.html)"
expect_exit 0 ioa pack best.h5 --network net.h5 -o bundle.h5
report bundle.h5
holds 'Along the order, M = 8, MIN'
report both.h5 --network net.h5
holds 'Policy MIN' 'Policy LRU' 'M = 16, LRU'
report best.h5 alone.h5 start.h5 --network net.h5
holds 'M = 16, MIN (archive 2)' 'Archive 3: <bdi>start.h5' 'every replica stays on its own' '--method construct'
report start.h5
holds 'No trace' 'Nothing was measured' '--timing' 'ioanneal bench'

# ---- what is refused
expect_exit 2 ioa report
expect_one_line 'archive files'
expect_exit 2 ioa report best.h5
expect_one_line '-o REPORT.html is needed'
rm page.html
before=$(listing)
refused() { # PATTERN ARGUMENTS...
    local pattern=$1
    shift
    expect_exit 2 ioa report "$@"
    expect_one_line "$pattern"
}
refused 'missing\.h5: ' missing.h5 -o page.html
refused 'net\.h5: .*ioanneal-network' net.h5 -o page.html
refused 'belongs to another topology' best.h5 --network other.h5 -o page.html
expect_exit 0 ioa optimize other.h5 -o "$scratch/other-best.h5" --memory 16 --method construct --timing 0 -q
refused 'belongs to topology' best.h5 "$scratch/other-best.h5" -o page.html
refused 'is an input and cannot be the output too' best.h5 -o best.h5
refused 'is an input and cannot be the output too' best.h5 --network net.h5 -o net.h5
refused 'nowhere/page\.html: ' best.h5 -o nowhere/page.html
expect_listing "$before"

# ---- names that would like to be commands
evil='a";touch pwned;$(touch pwned)`touch pwned`|x <b>&.h5'
cp best.h5 "$evil"
report "$evil"
holds 'a&quot;;touch pwned;$(touch pwned)`touch pwned`|x &lt;b&gt;&amp;.h5'
rm "$evil"
expect_exit 0 ioa report best.h5 -o '$(touch pwned) "|touch pwned; <p>.html'
page '$(touch pwned) "|touch pwned; <p>.html'
rm '$(touch pwned) "|touch pwned; <p>.html'
[ ! -e pwned ] || fail "a name was run as a command"

# ---- disk full: the page that was there stays
cp "$scratch/first.html" page.html
limited() { (ulimit -f 20; trap '' XFSZ; ioa "$@"); }
expect_exit 3 limited report best.h5 --network net.h5 -o page.html -q # a slow machine would show progress
expect_one_line 'page\.html: .*File too large'
cmp -s page.html "$scratch/first.html" || fail "a failed report has changed the page that was there"
rm page.html

# ---- archives of strangers, accidents and later versions
if [ -n "$h5python" ]; then
    for kind in hostile numbers later no_trace empty_trace bare one_time long many; do
        "$h5python" "$IOA_SOURCE/tests/cli/report_craft.py" best.h5 crafted.h5 $kind || fail "report_craft.py $kind"
        report crafted.h5 --network net.h5
        case $kind in
        hostile)
            holds '&lt;script&gt;alert(1)&lt;/script&gt;' '&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;' '{{style}}'
            expect_exit 0 ioa info crafted.h5
            ! grep -q "$(printf '\033')" "$out" || fail "info hands control characters to the terminal"
            ;;
        later) holds '<code>move_shares</code>' '<code>windows</code>' 'no column <code>temperature</code>' ;;
        no_trace | empty_trace) holds 'No trace' ;;
        bare) holds 'No trace' 'Nothing was measured' '/provenance' 'not verified' 'not recorded' ;;
        one_time) holds 'not measured' ;;
        long) holds '8 of 24 shown' '8 of 24 replicas are drawn' 'rounds is drawn' ;;
        many) holds 'The first 4 schedules' '6 of 20 orders' ;;
        esac
    done
    "$h5python" "$IOA_SOURCE/tests/support/craft.py" best.h5 crafted.h5 claim || fail "craft.py claim"
    report crafted.h5 --network net.h5
    holds 'The archive is wrong'
    report best.h5 --network net.h5
    ! grep -q 'The archive is wrong' page.html || fail "a good archive is called wrong"
    "$h5python" "$IOA_SOURCE/tests/support/craft.py" best.h5 crafted.h5 order_illegal || fail "craft.py order_illegal"
    refused 'crafted\.h5: schedule 0000: ' crafted.h5 --network net.h5 -o page.html
    [ ! -e pwned ] || fail "words of a file were run as a command"
else
    note "hostile and incomplete archives: $no_h5python"
fi
expect_clean
