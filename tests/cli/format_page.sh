#!/usr/bin/env bash
# io/FORMAT.md, "With other tools": every command and every program there runs as it stands and finds what the program says.
. "$IOA_SUPPORT/support.sh"

command -v h5dump >/dev/null && command -v h5diff >/dev/null || skip "h5dump is missing (Debian: hdf5-tools)"
[ -n "$h5python" ] || skip "$no_h5python"
"$h5python" -c 'import scipy.sparse' 2>/dev/null || skip "SciPy is missing (Debian: python3-scipy)"

expect_exit 0 ioa generate mlp --widths 9,14,11,4 --density 0.4 --seed 3 --activation tanh -o net.h5
expect_exit 0 ioa optimize net.h5 -o best.h5 --memory 8,32 --rounds 3 --proposals 50 --replicas 2 --timing 0.05 -q
expect_exit 0 ioa pack best.h5 --network net.h5 -o bundle.h5

# Blocks of the section, in their sequence: 1.sh, 2.python, ..
awk -v to="$scratch/block" '
    /^# / { inside = $0 == "# With other tools" }
    inside && /^```[a-z]/ { kind = substr($0, 4); number++; next }
    inside && /^```$/ { kind = ""; next }
    inside && kind != "" { print >(to number "." kind) }' "$IOA_SOURCE/io/FORMAT.md"
[ "$(ls "$scratch"/block* | wc -l)" -eq 6 ] || fail "the section has other blocks than those judged below"

mkdir "$scratch/bin" && ln -s "$IOA_PROGRAM" "$scratch/bin/ioanneal"
export PATH=$scratch/bin:$PATH PYTHONPATH=$IOA_SOURCE/io/python PYTHONDONTWRITEBYTECODE=1
block() { # NAME: all of it; what it prints is in $out
    case $1 in
    *.sh) expect_exit 0 bash -e "$scratch/block$1" ;;
    *) expect_exit 0 "$h5python" "$scratch/block$1" ;;
    esac
}

ioa_json info net.h5
cp "$json_file" "$scratch/net.json"
connections=$(json "$scratch/net.json" "d['connections']")
ioa_json info best.h5
cp "$json_file" "$scratch/best.json"

block 1.sh
expect_text "$(json "$scratch/net.json" "d['topology_sha256']")"
expect_text '"csr_matrix"'
expect_text "\\(0\\): $(json "$scratch/best.json" "d['schedules'][0]['total']")"
expect_text 'dataset +/schedules/0001/order'
[ "$(stat -c %s order.raw)" -eq $((4 * connections)) ] || fail "h5dump wrote another order"
"$h5python" -c 'import h5py, numpy as np, sys
with h5py.File("best.h5") as f: sys.exit(not np.array_equal(np.fromfile("order.raw", "<u4"), f["schedules/0000/order"][:]))' ||
    fail "h5dump and h5py read different orders"
block 2.python
[ "$(cat "$out")" = "(38, 38) $connections ['identity', 'tanh'] inputs 9" ] || fail "another network"
block 3.python
expect_text "^0000 8 min $(json "$scratch/best.json" "d['schedules'][0]['total']") "
expect_text "^0001 32 min $(json "$scratch/best.json" "d['schedules'][1]['total']") "
expect_text '^ioanneal optimize net.h5 -o best.h5'
block 4.python
block 5.sh
expect_text 'DATASPACE  SIMPLE \{ \( 5, 4 \)'
"$h5python" -c 'import h5py, numpy as np, ioanneal, sys
with h5py.File("x.h5") as x, h5py.File("y.h5") as y:
    sys.exit(not np.abs(ioanneal.read_network("net.h5").run(x["x"][:]) - y["y"][:]).max() < 1e-6)' || fail "other outputs than in Python"
block 6.python
expect_text "^\\(38, 38\\) $(json "$scratch/best.json" "d['schedules'][1]['total']") "
