# The benches still run: what they print has all its columns and figures in range. Their speeds are nobody's business here.
. "$IOA_SUPPORT/support.sh"

"$IOA_PROGRAM" generate mlp --widths 24,32,24 --density 0.2 --seed 3 -o net.h5 -q || fail "generate"

"$IOA_BINARY/tests/bench/bench_objectives" --orders 16 --rounds 1 --batch 32 net.h5 > "$out" 2> "$err"
code=$?
if [ $code = 77 ]; then
    note "$(cat "$err")"
else
    [ $code = 0 ] || fail "bench_objectives ended with $code: $(cat "$err")"
    # one row per objective, every correlation within [-1, 1], or "-" where an objective is the same for all orders
    awk -F'|' '/^\| *(objective|-)/ || !/^\|/ { next }
               { rows++; for (i = 3; i < NF; i++) if ($i + 0 < -1 || $i + 0 > 1 || $i !~ /[0-9]/ && $i != " - ") bad = 1; if (NF < 5) bad = 1 }
               END { exit !(rows >= 8 && !bad) }' "$out" || fail "bench_objectives printed: $(cat "$out")"
    grep -q '^| 32 min | [-0-9.]*[0-9] |' "$out" || fail "no row for 32 min"
fi

"$IOA_BINARY/tests/bench/bench_plans" net.h5 --batch 32 --rounds 1 auto/sorted/tile16 auto/csr/tile16 > "$out" 2> "$err" ||
    fail "bench_plans: $(cat "$err")"
[ "$(grep -c '^auto/.* [0-9.]* GF/s  x [0-9.]*  .* [0-9]* %' "$out")" = 2 ] || fail "bench_plans printed: $(cat "$out")"

# A file made by `compile` beside the plan that has its outputs; another network's is refused.
if "$IOA_PROGRAM" optimize net.h5 -m 32 --rounds 1 -o net-best.h5 -q > "$out" 2> "$err" &&
    "$IOA_PROGRAM" compile net-best.h5 --network net.h5 --isa avx2 -o net.so -q > "$out" 2> "$err" && grep -qw avx2 /proc/cpuinfo; then
    "$IOA_BINARY/tests/bench/bench_plans" net.h5 --batch 32 --rounds 1 auto/sorted/tile16 ./net.so > "$out" 2> "$err" ||
        fail "bench_plans of a file: $(cat "$err")"
    grep -q '^./net.so .* [0-9.]* GF/s  x [0-9.]*  file$' "$out" || fail "bench_plans printed: $(cat "$out")"
    "$IOA_PROGRAM" generate mlp --widths 24,32,24 --density 0.2 --seed 4 -o other.h5 -q || fail "generate"
    "$IOA_BINARY/tests/bench/bench_plans" other.h5 --batch 32 --rounds 1 auto/sorted/tile16 ./net.so > "$out" 2> "$err"
    [ $? = 2 ] && grep -q 'net.so: its outputs' "$err" || fail "bench_plans takes the file of another network: $(cat "$err")"
else
    note "no file was compiled: $(cat "$err")"
fi

[ -n "$python" ] || { note "python3 is missing"; exit 0; }
export PYTHONDONTWRITEBYTECODE=1 ASAN_OPTIONS=detect_leaks=0 # Open MPI leaks
bench=$IOA_SOURCE/tests/bench

# between MARK: what stands between the marks of page.md
between() {
    sed -n "/^<!-- $1 -->\$/,/^<!-- \/$1 -->\$/p" page.md | sed '1d;$d'
}
mark() {
    printf '<!-- %s -->\nold\n<!-- /%s -->\n' "$1" "$1"
}
{ echo before; mark methods; mark methods-short; mark kernels; mark kernels-short; mark studies; mark studies-short; echo after; } > page.md

"$python" "$bench/methods.py" --program "$IOA_PROGRAM" --mpirun "$MPIEXEC" --ranks 2 --seconds 0.3 --memory 10 --methods paper,construct,tempering \
    --results page.md --readme page.md net.h5 > "$out" 2> "$err" || fail "methods.py"
between methods-short | grep -qE '^\| net \| 10 \| [0-9,]+ \| [*0-9,]+ \| [*0-9,]+ \| [*0-9,]+ \| -?[0-9.]+ % \|$' || fail "methods.py: $(cat page.md)"
[ "$(between methods | grep -cE '^\| net \| MIN \| 10 \| (paper|construct|tempering) \| ')" = 3 ] || fail "methods.py: $(cat page.md)"

mkdir masks masks/ffn
printf '3, 4, 5\n0 2 3 5\n0 2 1 0 3\n' > masks/ffn/a.smtx
printf '2, 3, 4\n0 2 4\n0 1 1 2\n' > masks/ffn/b.smtx
printf '2, 3, 0\n0 0 0\n\n' > masks/pruned-away.smtx
"$python" "$bench/unseen.py" --program "$IOA_PROGRAM" --quick --masks masks --json unseen.json > "$out" 2> "$err" || fail "unseen.py: $(cat "$err")"
grep -q "pruned-away.*: no connections" "$err" || fail "unseen.py says nothing of a mask without connections: $(cat "$err")"
[ "$(grep -cE '^\| (mlp-narrow|radixnet-8-8-8-permuted|dag-skips-thin) \| 7001 \| [0-9,]+ \| 16 \|( [0-9,]+ \|){7} [-+0-9.]+ % \| (worse)? ?\|$' "$out")" = 3 ] ||
    fail "unseen.py printed: $(cat "$out")"
"$python" - unseen.json > before.json <<'END' || fail "unseen.json"
import json, sys
with open(sys.argv[1]) as f:
    rows = json.load(f)
for row in rows:
    if row["methods"]:
        row["methods"]["tempering"]["excess"] *= 2
json.dump(rows, sys.stdout)
END
"$python" "$bench/unseen.py" --from unseen.json --before before.json > "$out" 2> "$err" || fail "unseen.py --from"
[ "$(grep -c '^| .* | -50.0 % |' "$out")" = 4 ] || fail "unseen.py --before printed: $(cat "$out")"
"$python" "$bench/unseen.py" --from before.json > "$out" 2> "$err" || fail "unseen.py --from"
[ "$(grep -c '| worse |$' "$out")" = 3 ] || fail "unseen.py flags nothing: $(cat "$out")"

mkdir work
"$IOA_PROGRAM" optimize net.h5 -o work/net.schedule.h5 --memory 16 --rounds 4 --timing 0 -q > "$out" 2> "$err" || fail "optimize"
"$python" "$bench/kernels.py" --program "$IOA_PROGRAM" --work work --given-only --seconds 0.2 --batches 1,16 --json kernels.json net.h5 > "$out" 2> "$err" ||
    fail "kernels.py"
"$python" "$bench/kernels.py" --from kernels.json --results page.md --readme page.md > "$out" 2> "$err" || fail "kernels.py --from"
[ "$(between kernels | grep -c '^| net | \(1\|16\) | ')" = 2 ] || fail "kernels.py: $(cat page.md)"
[ "$(between kernels-short | grep -cE '^\| (1|16) \| [01] of 1 \| [0-9.]+, least ')" = 2 ] || fail "kernels.py: $(cat page.md)"

# Figures of which the table is known: the excess of layered is 400, of the paper's search 300, of ours 200 and 100.
cat > studies.json <<'END'
[{"study": "width", "x": 100, "case": "100 wide", "policy": "lru", "memory": 100, "connections": 500, "lower_bound": 1000, "layered": 1400,
  "construct": 1250, "certified": 1010, "paper": {"total": 1300, "proposals": 40}, "equal": {"total": 1200, "proposals": 39},
  "ours": {"total": 1100, "proposals": 5000}},
 {"study": "width", "x": 200, "case": "200 wide", "policy": "lru", "memory": 100, "connections": 500, "lower_bound": 1000, "layered": 1000,
  "construct": 1000, "certified": 1000, "paper": {"total": 1000, "proposals": 0}, "equal": {"total": 1000, "proposals": 0},
  "ours": {"total": 1000, "proposals": 0}}]
END
"$python" "$bench/studies.py" --from studies.json --results page.md --readme page.md > "$out" 2> "$err" || fail "studies.py --from"
between studies | grep -qxF '| 100 wide | LRU | 1.400 | 1.300 | 1.250 | 1.200 | 1.100 | 1.010 | 40 | 39 | 5,000 |' || fail "studies.py: $(cat page.md)"
between studies-short | grep -qE '^\| .* \| 25 / 50 / 75 % \| - \| - \|$' || fail "studies.py: $(cat page.md)"
if command -v gnuplot > /dev/null; then
    "$python" "$bench/studies.py" --from studies.json --plots plots > "$out" 2> "$err" || fail "studies.py --plots"
    grep -q '<svg' plots/width.svg && grep -q 'proven bound' plots/width.svg || fail "no figure"
else
    note "gnuplot is missing"
fi

[ "$(head -n 1 page.md)" = before ] && [ "$(tail -n 1 page.md)" = after ] || fail "what is outside of the marks has changed: $(cat page.md)"
echo "no marks" > bare.md
"$python" "$bench/studies.py" --from studies.json --readme bare.md > "$out" 2> "$err" && fail "a page without marks was written"
grep -q 'bare.md' "$err" && [ "$(cat bare.md)" = "no marks" ] || fail "a page without marks"
