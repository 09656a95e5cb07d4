#!/usr/bin/env bash
# From weight files to results, by every subcommand, on a network the test writes itself.
. "$IOA_SUPPORT/support.sh"

# matrix ROWS COLUMNS SEED [transpose]: a MatrixMarket file of about a third of all weights, always the same
matrix() {
    awk -v rows="$1" -v columns="$2" -v seed="$3" -v transpose="${4:-}" 'BEGIN {
        x = seed
        for (i = 1; i <= rows; i++)
            for (j = 1; j <= columns; j++) {
                x = (x * 1103515 + 12345) % 2147483
                keep[i, j] = x % 3 == 0 || j == 1 + i % columns
                x = (x * 1103515 + 12345) % 2147483
                value[i, j] = x / 2147483 - 0.5
                count += keep[i, j]
            }
        print "%%MatrixMarket matrix coordinate real general"
        print "% written by a test"
        print (transpose ? columns " " rows : rows " " columns) " " count
        for (i = 1; i <= rows; i++)
            for (j = 1; j <= columns; j++)
                if (keep[i, j]) printf "%d %d %.8e\n", (transpose ? j : i), (transpose ? i : j), value[i, j]
    }'
}

vector() { # LENGTH
    awk -v n="$1" 'BEGIN {
        print "%%MatrixMarket matrix array real general"
        print n " 1"
        for (i = 1; i <= n; i++) printf "%.6f\n", (i % 5 - 2) / 10
    }'
}

matrix 30 12 1 >w1.mtx
matrix 85 30 2 >w2.mtx
matrix 5 85 3 >w3.mtx
matrix 30 12 1 transpose >t1.mtx
matrix 85 30 2 transpose >t2.mtx
matrix 5 85 3 transpose >t3.mtx
vector 30 >b1.mtx
vector 85 >b2.mtx
vector 5 >b3.mtx

# ---- import
count=$(cat w1.mtx w2.mtx w3.mtx | grep -c "e[-+]")
ioa_json import w1.mtx w2.mtx w3.mtx --bias b1.mtx,b2.mtx,b3.mtx --activation relu,tanh,identity --name little -o net.h5
expect_json "$json_file" "d['format'] == 'mtx' and d['neurons'] == 132 and d['connections'] == $count and len(d['layers']) == 3"
expect_json "$json_file" "[(l['inputs'], l['outputs'], l['activation']) for l in d['layers']] == [(12, 30, 'relu'), (30, 85, 'tanh'), (85, 5, 'identity')]"
expect_exit 0 ioa import t1.mtx t2.mtx t3.mtx --layout in-out --bias b1.mtx,b2.mtx,b3.mtx --activation relu,tanh,identity --name little -o turned.h5
expect_text 'layer 1 .*12 -> 30'
cmp -s net.h5 turned.h5 || fail "the transposed files do not give the same network file"
expect_exit 2 ioa import t1.mtx t2.mtx t3.mtx -o wrong.h5 # sizes do not fit the other way round
expect_one_line 't[12]\.mtx'
expect_exit 2 ioa import w1.mtx w2.mtx --bias b1.mtx,b1.mtx -o wrong.h5
expect_one_line 'b1\.mtx'
expect_exit 2 ioa import w1.mtx w2.mtx --activation relu,swoosh -o wrong.h5
expect_one_line 'swoosh'
expect_exit 2 ioa import w1.mtx w2.mtx --activation relu,relu,relu -o wrong.h5
expect_one_line 'activation'
[ ! -e wrong.h5 ] || fail "a refused import wrote its file"
expect_exit 0 ioa import w1.mtx w2.mtx w3.mtx --prune 0.1 -o pruned.h5
ioa_json info pruned.h5
expect_json "$json_file" "d['connections'] == 36 + 255 + 43" # of 360, 2,550 and 425, rounded

printf '4, 3, 6\n0 2 3 5 6\n0 2 1 0 1 2\n' >p1.smtx
printf '2, 4, 5\n0 3 5\n0 1 3 1 2\n' >p2.smtx
ioa_json import p1.smtx p2.smtx --bias-value 0.25 -o pattern.h5
expect_json "$json_file" "d['format'] == 'smtx' and d['neurons'] == 9 and d['connections'] == 11"
expect_json "$json_file" "[(l['inputs'], l['outputs'], l['connections']) for l in d['layers']] == [(3, 4, 6), (4, 2, 5)]"

# ---- info, simulate
ioa_json info net.h5
expect_json "$json_file" "d['kind'] == 'network' and d['name'] == 'little' and (d['neurons'], d['inputs'], d['outputs']) == (132, 12, 5)"
expect_json "$json_file" "d['lower_bound'] == d['connections'] + d['active_neurons'] + d['outputs']"
expect_json "$json_file" "len(d['topology_sha256']) == 64"
expect_exit 0 ioa info net.h5
expect_text 'little'
for policy in lru rr min; do
    for order in layered blocks greedy; do
        ioa_json simulate net.h5 --memory 10 --policy $policy --order $order
        expect_json "$json_file" "all(k in d for k in ('reads', 'writes', 'total', 'lower_bound', 'upper_bound', 'excess'))"
        expect_json "$json_file" "d['total'] == d['reads'] + d['writes'] and d['excess'] == d['total'] - d['lower_bound'] >= 0"
        [ $order != layered ] || expect_json "$json_file" "d['total'] <= d['upper_bound']"
    done
done
ioa_json simulate net.h5 --memory 100000
expect_json "$json_file" "d['excess'] == 0" # everything fits
ioa_json simulate net.h5 --memory 8,16
expect_json "$json_file" "[x['memory'] for x in d] == [8, 16]"
ioa_json simulate net.h5 --cache 2KiB --batch 16
expect_json "$json_file" "d['memory'] == 32"
expect_exit 0 ioa simulate net.h5 --memory 8
expect_text 'M = 8 .*reads .*writes .*total .*lower bound .*excess '

# Whole numbers have all their digits, where doubles end at 2^53.
expect_exit 0 ioa optimize net.h5 -o seed.h5 --memory 10 --method construct --seed 18446744073709551615 --timing 0 -q
expect_exit 0 ioa info seed.h5 --json
expect_text '"seed":[[:space:]]*18446744073709551615'

# ---- optimize, check
search='--rounds 4 --proposals 300 --replicas 4 --seed 5 --timing 0'
ioa_json optimize net.h5 -o start.h5 --memory 10 --method construct --timing 0 -q
expect_json "$json_file" "d['archive'] == 'start.h5' and d['schedules'][0]['verified'] is True"
ioa_json optimize net.h5 -o best.h5 --memory 10,20 $search -q
[ -s "$err" ] && fail "-q leaves something on standard error"
expect_json "$json_file" "[s['memory'] for s in d['schedules']] == [10, 20]"
expect_json "$json_file" "all(s['lower_bound'] <= s['total'] <= s['start_total'] <= s['baseline_total'] for s in d['schedules'])"
expect_json "$json_file" "all(s['excess'] == s['total'] - s['lower_bound'] and s['rounds'] == 4 and s['verified'] for s in d['schedules'])"
expect_exit 0 ioa optimize net.h5 -o shown.h5 --memory 10 --rounds 2 --proposals 100 --timing 0.2
for text in 'layered order' 'start ' 'best ' 'lower bound' 'verified ' 'measured ' '^archive: shown.h5$'; do expect_text "$text"; done
[ -s "$err" ] || fail "no log on standard error"
for archive in start.h5 best.h5 shown.h5; do
    expect_exit 0 ioa check $archive --network net.h5
    expect_text 'passed; legal, recounted'
    ioa_json check $archive --network net.h5
    expect_json "$json_file" "d['passed'] is True and all(s['legal'] and s['recounted'] and s['exact'] for s in d['schedules'])"
done
expect_exit 0 ioa info best.h5
expect_text 'schedule 0001: M = 20'
ioa_json info best.h5
cp "$json_file" "$scratch/info.json"
expect_json "$scratch/info.json" "d['kind'] == 'archive' and len(d['schedules']) == 2 and all(s['seed'] == 5 and s['replicas'] == 4 for s in d['schedules'])"
if have_json; then
    for memory in 10 20; do
        ioa_json simulate net.h5 --memory $memory --schedule best.h5
        total=$(json "$scratch/info.json" "[s['total'] for s in d['schedules'] if s['memory'] == $memory][0]")
        expect_json "$json_file" "d['total'] == $total"
    done
fi
for policy in lru rr; do
    expect_exit 0 ioa optimize net.h5 -o $policy.h5 --memory 10 --policy $policy $search -q
    expect_exit 0 ioa check $policy.h5 --network net.h5
done

# An existing archive is replaced as a whole.
cp best.h5 again.h5
expect_exit 0 ioa optimize net.h5 -o again.h5 --memory 30 --method construct --timing 0 -q
ioa_json info again.h5
expect_json "$json_file" "[s['memory'] for s in d['schedules']] == [30]"

# ---- merge
expect_exit 0 ioa merge start.h5 lru.h5 best.h5 -o merged.h5
expect_text 'merged.h5: 3 schedules'
ioa_json merge start.h5 lru.h5 best.h5 -o merged.h5
expect_json "$json_file" "d['schedules'] == 3"
expect_exit 0 ioa check merged.h5 --network net.h5
ioa_json info merged.h5
if have_json; then
    best=$(json "$scratch/info.json" "d['schedules'][0]['total']")
    expect_json "$json_file" "[s['total'] for s in d['schedules'] if s['memory'] == 10 and s['policy'] == 'min'] == [$best]"
fi
expect_exit 0 ioa merge best.h5 start.h5 -o best-first.h5 # the sequence of the files does not matter
raw_order best.h5 0000 >"$scratch/a"
raw_order best-first.h5 0000 >"$scratch/b"
cmp -s "$scratch/a" "$scratch/b" || fail "merge did not keep the better schedule"

# A merged archive merged again, onto itself, still says which search each schedule is from.
origin() { # ARCHIVE
    h5dump -a /provenance/schedule_0000 "$1" | grep -A 1 '(0): "' || fail "$1 does not say where its schedule came from"
}
cp merged.h5 more.h5
expect_exit 0 ioa merge more.h5 start.h5 -o more.h5
origin merged.h5 >"$scratch/a"
origin more.h5 >"$scratch/b"
grep -q 'h5: ioanneal optimize' "$scratch/a" && cmp -s "$scratch/a" "$scratch/b" || fail "merging again loses where schedules came from"

# The provenance says of every memory size how to repeat its search.
sizes=$(seq -s , 4 33)
expect_exit 0 ioa generate mlp --widths 60,60,60 --density 0.1 -o wide.h5
expect_exit 0 ioa optimize wide.h5 -o wide-best.h5 --memory "$sizes" --rounds 1 --proposals 10 --replicas 1 --timing 0 -q
if [ -n "$h5python" ]; then
    "$h5python" -c 'import h5py, json, sys
with h5py.File("wide-best.h5") as f: search = json.loads(f["provenance"].attrs["search"])
sys.exit([s["memory"] for s in search] != list(range(4, 34)) or any("--rounds 1" not in s["repeat"] for s in search))' ||
        fail "the provenance does not say how to repeat the search of every memory size"
fi
rm wide.h5 wide-best.h5

# ---- pack
expect_exit 0 ioa pack best.h5 --network net.h5 -o bundle.h5
expect_text 'bundle.h5: .* 2 schedules'
expect_exit 0 ioa check bundle.h5
expect_text 'bundle.h5: network and schedules belong together'
expect_exit 0 ioa check bundle.h5 --network bundle.h5
expect_exit 0 ioa info bundle.h5
expect_text 'schedule 0001: M = 20'
expect_text 'layered order under min'
ioa_json info bundle.h5
expect_json "$json_file" "d['kind'] == 'bundle' and len(d['schedules']) == 2 and d['contents']['kind'] == 'network'"
expect_json "$json_file" "d['contents']['topology_sha256'] == d['topology_sha256']"
expect_exit 0 ioa simulate bundle.h5 --memory 10 --schedule bundle.h5
ioa_json bench bundle.h5 --batch 8 --seconds 0.2
expect_json "$json_file" "'speedup_order' in d"
expect_exit 2 ioa pack best.h5 --network pruned.h5 -o no-bundle.h5
expect_one_line 'topology'
expect_exit 2 ioa pack best.h5 -o no-bundle.h5
expect_one_line '--network'
[ ! -e no-bundle.h5 ] || fail "a refused pack wrote its file"

# ---- bench
ioa_json bench net.h5 --schedule best.h5 --batch 32 --seconds 0.3
fields="('batch', 'threads', 'kernel', 'tile', 'gflops', 'limit', 'limit_share', 'executed_gflops', 'fma_memory_share', 'fma_memory_computing', 'fma_memory_reach', 'limits', 'baseline', 'repeats', 'speedup_order', 'speedup_kernel', 'speedup_vs_csr', 'speedup_vs_mkl', 'max_abs_error', 'max_rel_error', 'cpu')"
expect_json "$json_file" "all(k in d for k in $fields)"
expect_json "$json_file" "d['batch'] == 32 and d['gflops'] > 0 and d['repeats'] > 0 and d['max_rel_error'] < 1e-3"
expect_json "$json_file" "all(0 < d[k]['q1'] <= d[k]['median'] <= d[k]['q3'] for k in ('speedup_order', 'speedup_kernel', 'speedup_vs_csr'))"
expect_json "$json_file" "d['speedup_vs_csr']['median'] >= 1" # plain CSR is a candidate to the end
expect_json "$json_file" "len(d['candidates']) > 1 and d['max_rel_error'] <= d['error_bound'] and d['nonzero'] > 0"
expect_exit 0 ioa bench net.h5 --batch 8 --seconds 0.2
expect_text 'against CSR'
expect_exit 0 ioa bench net.h5 --batch 40 --seconds 0.2 --plan portable/rows/tile32
expect_text 'kernel portable/rows/tile32:'
expect_exit 2 ioa bench net.h5 --batch 8 --plan portable/nonsense
expect_one_line 'is no plan'
expect_exit 0 ioa check best.h5 --network net.h5 --plan portable/sorted/tile16
expect_text 'portable/sorted/tile16'

# ---- several levels of memory at once
expect_exit 0 ioa optimize net.h5 -o levels.h5 --levels 8:1.0,20:0.25 --rounds 3 --proposals 500 --replicas 3 --timing 0.2 --json
expect_exit 0 ioa check levels.h5 --network net.h5
expect_exit 0 ioa info levels.h5
expect_text 'levels 8:1.000:min,20:0.250:lru'
ioa_json check levels.h5 --network net.h5
expect_json "$json_file" "d['passed']"
for memory in 8 20; do
    policy=min; [ $memory = 20 ] && policy=lru
    ioa_json simulate net.h5 --schedule levels.h5 --memory $memory --policy $policy
    cp "$json_file" "$scratch/level-$memory.json"
done
ioa_json optimize net.h5 -o levels.h5 --levels 8:1.0,20:0.25 --rounds 3 --proposals 500 --replicas 3 --timing 0 -q
expect_json "$json_file" "all(l['reads'] + l['writes'] == json.load(open('$scratch/level-%d.json' % l['memory']))['total'] for l in d['schedules'][0]['levels'])"
expect_json "$json_file" "d['schedules'][0]['total'] == (1000 * sum(w * (l['reads'] + l['writes']) for w, l in zip((1, 0.25), d['schedules'][0]['levels'])) + 500) // 1000"
expect_exit 0 ioa merge levels.h5 best.h5 -o both.h5
expect_text 'both.h5: 3 schedules'
expect_exit 0 ioa optimize net.h5 -o machine.h5 --machine avx2 --method construct --timing 0 -q
expect_text 'M = 16, min'

# ---- run
if [ -n "$h5python" ]; then
    "$h5python" -c 'import h5py, numpy as np
x = np.random.default_rng(1).standard_normal((77, 12)).astype("f4")
h5py.File("x.h5", "w")["x"] = x
h5py.File("narrow.h5", "w")["x"] = x[:, :11]
h5py.File("flat.h5", "w")["x"] = x[0]
h5py.File("named.h5", "w")["input"] = x
h5py.File("empty.h5", "w")["x"] = x[:0]' || fail "the inputs cannot be written"
    expect_exit 0 ioa run net.h5 --input x.h5 --output layered.h5
    expect_text 'layered.h5: 77 output vectors'
    ioa_json run net.h5 --schedule best.h5 --input x.h5 --output best-y.h5
    expect_json "$json_file" "d['rows'] == 77"
    plan=portable/shared-rows/tile32
    expect_exit 0 ioa run net.h5 --schedule best.h5 --memory 20 --input x.h5 --output best20-y.h5 --plan $plan
    expect_text "by $plan"
    expect_exit 0 ioa run bundle.h5 --memory 20 --input x.h5 --output bundle-y.h5 --plan $plan
    cmp -s bundle-y.h5 best20-y.h5 || fail "a bundle does not run like its network with its archive"
    expect_exit 0 ioa run net.h5 --schedule best.h5 --isa portable --input x.h5 --output portable-y.h5
    expect_exit 0 ioa run net.h5 --input empty.h5 --output empty-y.h5
    # The reference knows nothing of the program: dense matrices straight from the weight files.
    cat >"$scratch/reference.py" <<'PY'
import h5py, numpy as np
def dense(path):
    lines = [l.split() for l in open(path) if not l.startswith('%')]
    m = np.zeros((int(lines[0][0]), int(lines[0][1])))
    for i, j, v in lines[1:]: m[int(i) - 1, int(j) - 1] = np.float32(v)
    return m
def vector(path): return np.array([float(l) for l in open(path).read().split('\n')[2:] if l])
x = h5py.File('x.h5')['x'][:].astype('f8')
h = np.maximum(x @ dense('w1.mtx').T + vector('b1.mtx'), 0)
h = np.tanh(h @ dense('w2.mtx').T + vector('b2.mtx'))
want = h @ dense('w3.mtx').T + vector('b3.mtx')
for name in ('layered.h5', 'best-y.h5', 'best20-y.h5', 'portable-y.h5'):
    y = h5py.File(name)['y']
    assert y.shape == (77, 5) and y.dtype == 'f4', (name, y.shape, y.dtype)
    assert np.abs(y[:] - want).max() < 1e-5, (name, np.abs(y[:] - want).max())
assert np.abs(want).max() > 0.1
assert h5py.File('empty-y.h5')['y'].shape == (0, 5)
PY
    expect_exit 0 "$h5python" "$scratch/reference.py"
    expect_exit 2 ioa run net.h5 --input narrow.h5 --output none.h5
    expect_one_line 'narrow\.h5: /?x'
    expect_exit 2 ioa run net.h5 --input flat.h5 --output none.h5
    expect_one_line 'flat\.h5: /?x'
    expect_exit 2 ioa run net.h5 --input named.h5 --output none.h5
    expect_one_line 'named\.h5: /?x'
    expect_exit 2 ioa run net.h5 --input net.h5 --output none.h5
    expect_one_line 'net\.h5: /?x'
    [ ! -e none.h5 ] || fail "a refused run wrote its file"
    if [ -e "$IOA_SHARED/tools/recount.py" ]; then
        for archive in start best lru rr merged; do expect_exit 0 "$h5python" "$IOA_SHARED/tools/recount.py" net.h5 $archive.h5; done
    else
        note "recount.py is missing under $IOA_SHARED"
    fi
else
    note "run: $no_h5python"
fi

# ---- generate: the same seed gives the same bytes, another one another network
for kind in 'mlp --widths 20,20,5' 'radixnet --radices 4,4' 'compact-growth --neurons 60 --inputs 10 --memory 8 --fan-in 3'; do
    # shellcheck disable=SC2086
    {
        expect_exit 0 ioa generate $kind --seed 7 -o g1.h5
        expect_exit 0 ioa generate $kind --seed 7 -o g2.h5
        expect_exit 0 ioa generate $kind --seed 8 -o g3.h5
    }
    cmp -s g1.h5 g2.h5 || fail "generate $kind: one seed, two files"
    cmp -s g1.h5 g3.h5 && fail "generate $kind: two seeds, one file"
    expect_exit 0 ioa info g1.h5
done
# A network grown for M = 8 costs its lower bound there, and more below.
ioa_json simulate g1.h5 --memory 8
expect_json "$json_file" "d['excess'] == 0"
ioa_json simulate g1.h5 --memory 4
expect_json "$json_file" "d['excess'] > 0"
expect_clean
