# The benches still run: what they print has all its columns and figures in range. Their speeds are nobody's business here.
. "$IOA_SUPPORT/support.sh"

"$IOA_PROGRAM" generate mlp --widths 24,32,24 --density 0.2 --seed 3 -o net.h5 -q || fail "generate"

"$IOA_BINARY/tests/bench/bench_objectives" --orders 16 --rounds 1 --batch 32 net.h5 > "$out" 2> "$err"
code=$?
if [ $code = 77 ]; then
    note "$(cat "$err")"
else
    [ $code = 0 ] || fail "bench_objectives ended with $code: $(cat "$err")"
    # one row per objective, every correlation within [-1, 1]
    awk -F'|' '/^\| *(objective|-)/ || !/^\|/ { next }
               { rows++; for (i = 3; i < NF; i++) if ($i + 0 < -1 || $i + 0 > 1 || $i !~ /[0-9]/) bad = 1; if (NF < 5) bad = 1 }
               END { exit !(rows >= 8 && !bad) }' "$out" || fail "bench_objectives printed: $(cat "$out")"
    grep -q '^| 32 min |' "$out" || fail "no row for 32 min"
fi

"$IOA_BINARY/tests/bench/bench_plans" net.h5 --batch 32 --rounds 1 auto/sorted/tile16 auto/csr/tile16 > "$out" 2> "$err" ||
    fail "bench_plans: $(cat "$err")"
[ "$(grep -c '^auto/.* [0-9.]* GF/s  x [0-9.]*  .* [0-9]* %' "$out")" = 2 ] || fail "bench_plans printed: $(cat "$out")"
