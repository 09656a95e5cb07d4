#!/usr/bin/env bash
# Bad input: exit code 2, one line that names the file and what is wrong, nothing written.
# A read-only folder is not tried: the superuser, as whom tests often run, may write there anyway.
. "$IOA_SUPPORT/support.sh"

# Everything is made before the first refusal; from then on the folder must not change.
expect_exit 0 ioa generate mlp --widths 12,20,15,5 --density 0.3 --seed 1 -o net.h5
expect_exit 0 ioa generate mlp --widths 12,20,15,5 --density 0.3 --seed 2 -o other.h5
expect_exit 0 ioa optimize net.h5 -o best.h5 --memory 8,16 --rounds 2 --proposals 50 --replicas 3 --timing 0.05 -q
: >empty.h5
echo 'Not a network, a letter.' >text.h5
printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\1\0\0\0\1\0\10\6\0\0\0' >picture.h5
head -c 5000 /dev/zero >zeros.h5
printf '\211HDF\r\n\032\n' >signature.h5
(cat net.h5 && head -c 100 /dev/zero) >longer.h5
mkdir folder.h5
mkfifo pipe.h5
if [ -n "$h5python" ]; then
    "$h5python" -c 'import h5py, numpy as np
with h5py.File("foreign.h5", "w") as f: f["weights"] = np.ones((3, 4), "f4")
with h5py.File("x.h5", "w") as f: f["x"] = np.ones((3, 12), "f4")' || fail "h5py cannot write"
fi
cp net.h5 kept.h5
cp net.h5 "$scratch/kept"
before=$(listing)

# as_network FILE PATTERN, as_archive FILE PATTERN: every subcommand that reads one refuses the file, and names it
as_network() {
    local name=${1//./\\.}
    refuse "$name: " "$2" -- info "$1"
    refuse "$name: " "$2" -- simulate "$1" --memory 8
    refuse "$name: " "$2" -- run "$1" --input x.h5 --output new.h5
    refuse "$name: " "$2" -- bench "$1" --seconds 0.1
    refuse "$name: " "$2" -- check best.h5 --network "$1"
}

as_archive() {
    local name=${1//./\\.}
    refuse "$name: " "$2" -- check "$1" --network net.h5
    refuse "$name: " "$2" -- merge "$1" -o new.h5
    refuse "$name: " "$2" -- merge best.h5 "$1" -o new.h5
    refuse "$name: " "$2" -- simulate net.h5 --memory 8 --schedule "$1"
    refuse "$name: " "$2" -- run net.h5 --schedule "$1" --input x.h5 --output new.h5
    refuse "$name: " "$2" -- bench net.h5 --schedule "$1" --seconds 0.1
}

# ---- foreign files
for kind in as_network as_archive; do
    $kind missing.h5 'no such file'
    $kind empty.h5 'is empty'
    $kind text.h5 'is not an HDF5 file'
    $kind picture.h5 'is not an HDF5 file'
    $kind zeros.h5 'is not an HDF5 file'
    $kind signature.h5 'truncated|damaged'
    $kind folder.h5 'not a regular file|folder'
    $kind pipe.h5 'not a regular file'
    $kind /dev/null 'not a regular file'
    [ -z "$h5python" ] || $kind foreign.h5 'schema_name'
done
[ -n "$h5python" ] || note "a foreign HDF5 file: $no_h5python"
refuse 'best\.h5: ' 'ioanneal-archive' -- simulate best.h5 --memory 8 # an archive where a network is wanted
refuse 'best\.h5: ' 'ioanneal-archive' -- bench best.h5
refuse 'best\.h5: ' 'ioanneal-archive' -- check best.h5 --network best.h5
refuse 'best\.h5: ' 'ioanneal-archive' -- optimize best.h5 -o new.h5 --memory 8
as_archive net.h5 'ioanneal-network'
refuse 'net\.h5: is an ioanneal file already' -- import net.h5 -o new.h5

# ---- truncated and damaged files
truncated() { # FILE FUNCTION
    local size length
    size=$(stat -c %s "$1")
    for length in 1 8 20 96 512 $((size / 3)) $((size / 2)) $((size - 1000)) $((size - 1)); do
        head -c "$length" "$1" >cut.h5
        "$2" cut.h5 'truncated|damaged|not an HDF5 file'
        rm cut.h5
    done
}
truncated net.h5 as_network
truncated best.h5 as_archive
expect_exit 0 ioa info longer.h5 # bytes behind the end do no harm
expect_listing "$before"

# ---- wrong in content: hashes agree, structure does not
craft() {
    "$h5python" "$IOA_SOURCE/tests/support/craft.py" "$@" || fail "craft.py $*"
}
if [ -n "$h5python" ]; then
    mkdir "$scratch/networks" "$scratch/archives"
    craft --all net.h5 "$scratch/networks" >"$scratch/kinds"
    while read -r kind code pattern; do
        mv "$scratch/networks/$kind.h5" bad.h5
        expect_exit "$code" ioa simulate bad.h5 --memory 8
        expect_one_line 'bad\.h5: ' "$pattern"
        expect_exit "$code" ioa run bad.h5 --input x.h5 --output new.h5
        expect_one_line 'bad\.h5: ' "$pattern"
        rm bad.h5
    done <"$scratch/kinds"
    craft --all best.h5 "$scratch/archives" >"$scratch/kinds"
    while read -r kind code pattern; do
        mv "$scratch/archives/$kind.h5" bad.h5
        expect_exit "$code" ioa run net.h5 --schedule bad.h5 --input x.h5 --output new.h5
        expect_one_line 'bad\.h5: ' "$pattern"
        rm bad.h5
    done <"$scratch/kinds"
    # An archive that contradicts itself is bad input, but to `check`, which says what does not hold.
    "$h5python" -c 'import h5py, shutil
shutil.copyfile("best.h5", "bad.h5")
with h5py.File("bad.h5", "r+") as f: a = f["schedules/0001"].attrs; a["total"] = a["total"] + a["total"].dtype.type(1)' || fail "h5py cannot write"
    contradicts='bad\.h5: schedules/0001: total [0-9]+ is not the sum'
    refuse "$contradicts" -- run net.h5 --schedule bad.h5 --input x.h5 --output new.h5
    refuse "$contradicts" -- bench net.h5 --schedule bad.h5 --seconds 0.1
    refuse "$contradicts" -- simulate net.h5 --memory 8 --schedule bad.h5
    refuse "$contradicts" -- info bad.h5
    refuse "$contradicts" -- merge best.h5 bad.h5 -o new.h5
    refuse "$contradicts" -- pack bad.h5 --network net.h5 -o new.h5
    refuse "$contradicts" -- compile bad.h5 --network net.h5 -o new.S
    expect_exit 1 ioa check bad.h5 --network net.h5
    expect_one_line "$contradicts"
    rm bad.h5
    # What `check` is for: an archive that is whole but does not tell the truth. Exit code 1.
    for kind in claim claim_baseline claim_bound order_illegal order_repeats; do
        craft best.h5 bad.h5 $kind
        expect_exit 1 ioa check bad.h5 --network net.h5
        grep -q FAILED "$out" || grep -q 'bad\.h5' "$err" || fail "check does not say what failed"
        expect_exit 1 ioa check bad.h5 --network net.h5 --json
        expect_json "$out" "d['passed'] is False and d['schedules'][0]['passed'] is False and d['schedules'][0]['reason'] and d['schedules'][1]['passed']"
        rm bad.h5
    done
else
    note "cycles, ids out of order, false claims: $no_h5python"
fi

# ---- another topology
another='best\.h5: belongs to another topology'
refuse "$another" -- check best.h5 --network other.h5
refuse "$another" -- simulate other.h5 --memory 8 --schedule best.h5
refuse "$another" -- bench other.h5 --schedule best.h5
[ ! -e x.h5 ] || refuse "$another" -- run other.h5 --schedule best.h5 --input x.h5 --output new.h5
expect_exit 0 ioa optimize other.h5 -o "$scratch/other-best.h5" --memory 8 --method construct --timing 0 -q
refuse 'topology' -- merge best.h5 "$scratch/other-best.h5" -o new.h5

# ---- targets that cannot be written
printf '%%%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 0.5\n2 2 0.5\n' >"$scratch/w.mtx"
unwritable() { # TARGET PATTERN: for every subcommand that writes
    local name=${1//./\\.}
    refuse "$name: " "$2" -- import "$scratch/w.mtx" -o "$1"
    refuse "$name: " "$2" -- generate mlp --widths 5,4,2 --density 0.5 -o "$1"
    refuse "$name: " "$2" -- optimize net.h5 -o "$1" --memory 8 --method construct --timing 0
    refuse "$name: " "$2" -- merge best.h5 -o "$1"
    [ ! -e x.h5 ] || refuse "$name: " "$2" -- run net.h5 --input x.h5 --output "$1"
}
unwritable nowhere/new.h5 'No such file|no such'
unwritable folder.h5 'folder'
unwritable folder.h5/ 'folder'
unwritable text.h5/new.h5 'Not a directory'
unwritable pipe.h5 'not a regular file'
unwritable "$(printf 'x%.0s' $(seq 300)).h5" 'too long'
refuse 'empty' -- generate mlp --widths 5,4,2 -o ''

# ---- an input is never the output, whatever it is called
is_input='is an input and cannot be the output too'
ln -s net.h5 "$scratch/alias.h5" && mv "$scratch/alias.h5" .
refuse 'net\.h5' "$is_input" -- optimize net.h5 -o net.h5 --memory 8 --method construct --timing 0
refuse 'alias\.h5' "$is_input" -- optimize net.h5 -o alias.h5 --memory 8 --method construct --timing 0
refuse 'best\.h5' "$is_input" -- pack best.h5 --network net.h5 -o best.h5
[ ! -e x.h5 ] || refuse 'x\.h5' "$is_input" -- run net.h5 --input x.h5 --output x.h5
rm alias.h5

# ---- a refused or failed write keeps the file that was there
refuse 'no such file' -- import "$scratch/missing.mtx" -o kept.h5
refuse 'no such file' -- optimize missing.h5 -o kept.h5 --memory 8
refuse 'unknown kind' -- generate lstm -o kept.h5
refuse 'topology' -- merge best.h5 "$scratch/other-best.h5" -o kept.h5
cmp -s kept.h5 "$scratch/kept" || fail "a refused command changed its target"

# ---- weight files
cd "$scratch" && mkdir weights && cd weights || exit 1
before_weights=$(listing)
bad_weights() { # NAME PATTERN CONTENT
    printf "$3" >"../$1"
    refuse "${1//./\\.}" "$2" -- import "../$1" -o new.h5
}
head='%%%%MatrixMarket matrix coordinate real general\n'
bad_weights text.mtx 'MatrixMarket' 'hello\n'
bad_weights none.mtx 'empty' ''
bad_weights png.mtx '.' '\211PNG\r\n\032\n\0\0\0'
bad_weights short.mtx 'short\.mtx' "${head}2 2 3\n1 1 0.5\n2 2 0.5\n"
bad_weights long.mtx 'long\.mtx' "${head}2 2 1\n1 1 0.5\n2 2 0.5\n"
bad_weights beyond.mtx '[:, ](line )?4' "${head}2 2 2\n1 1 0.5\n3 2 0.5\n" # the line of the offence
bad_weights zero.mtx 'zero\.mtx' "${head}2 2 1\n0 1 0.5\n"
bad_weights twice.mtx 'twice|duplicate' "${head}2 2 3\n1 1 0.5\n2 2 0.5\n1 1 0.25\n"
bad_weights nan.mtx 'nan\.mtx' "${head}2 2 1\n1 1 nan\n"
bad_weights word.mtx 'word\.mtx' "${head}2 2 1\n1 one 0.5\n"
bad_weights complex.mtx 'complex' '%%%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n'
bad_weights huge.mtx 'huge\.mtx' "${head}4000000000 4000000000 4000000000000\n1 1 0.5\n"
bad_weights text.smtx 'text\.smtx' 'hello\n'
bad_weights short.smtx 'short\.smtx' '2, 2, 3\n0 1 3\n0 1\n'
bad_weights falls.smtx 'falls\.smtx' '2, 2, 2\n0 2 1\n0 1\n'
bad_weights beyond.smtx 'beyond\.smtx' '2, 2, 2\n0 1 2\n0 5\n'
bad_weights unknown.bin '\.bin|format' 'x'
expect_listing "$before_weights"
cd "$work" || exit 1
expect_listing "$before"
