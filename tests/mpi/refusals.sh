#!/usr/bin/env bash
# optimize on two ranks: bad input gives exit code 2 and one line, from whichever rank sees it, and leaves nothing behind.
. "$IOA_SUPPORT/support.sh"

expect_exit 0 ioa generate mlp --widths 12,20,5 --density 0.3 --seed 1 -o net.h5
expect_exit 0 ioa optimize net.h5 -o archive.h5 --memory 8 --method construct --timing 0 -q
echo 'Not a network, a letter.' >text.h5
head -c $(($(stat -c %s net.h5) / 2)) net.h5 >cut.h5
mkdir folder.h5
cp archive.h5 "$scratch/kept"
if [ -n "$h5python" ]; then
    for kind in backward source_beyond topology_hash no_schema; do
        "$h5python" "$IOA_SOURCE/tests/support/craft.py" net.h5 $kind.h5 $kind || fail "craft.py $kind"
    done
else
    note "cycles, ids out of order, foreign HDF5: $no_h5python"
fi
before=$(listing)

# refuse PATTERN... -- ARGUMENTS...
refuse() {
    local patterns=()
    while [ "$1" != -- ]; do
        patterns+=("$1")
        shift
    done
    shift
    expect_exit 2 mpi 2 optimize "$@"
    expect_one_line --mpi "${patterns[@]}"
    expect_listing "$before"
    expect_clean
}

refuse 'missing\.h5: no such file' -- missing.h5 -o new.h5 --memory 8
refuse 'text\.h5: is not an HDF5 file' -- text.h5 -o new.h5 --memory 8
refuse 'cut\.h5: is truncated' -- cut.h5 -o new.h5 --memory 8
refuse 'archive\.h5: .*ioanneal-archive' -- archive.h5 -o new.h5 --memory 8
if [ -n "$h5python" ]; then
    refuse 'backward\.h5: .*indices' -- backward.h5 -o new.h5 --memory 8
    refuse 'source_beyond\.h5: .*indices' -- source_beyond.h5 -o new.h5 --memory 8
    refuse 'topology_hash\.h5: .*topology_sha256' -- topology_hash.h5 -o new.h5 --memory 8
    refuse 'no_schema\.h5: .*schema_name' -- no_schema.h5 -o new.h5 --memory 8
fi
refuse 'nowhere/new\.h5: .*No such file' -- net.h5 -o nowhere/new.h5 --memory 8
refuse 'folder\.h5: is a folder' -- net.h5 -o folder.h5 --memory 8
refuse 'text\.h5/new\.h5: .*Not a directory' -- net.h5 -o text.h5/new.h5 --memory 8
# Refused before MPI starts: the first rank speaks for all.
refuse 'too small|at least 3' -- net.h5 -o new.h5 --memory 2
refuse "unknown option '--frobnicate'" -- net.h5 -o new.h5 --memory 8 --frobnicate
refuse '--method wants' -- net.h5 -o new.h5 --memory 8 --method magic
expect_exit 0 mpi 2 optimize --help
[ "$(grep -c '^usage: ' "$out")" -eq 1 ] || fail "help is printed by every rank"
# A refused run keeps the archive that was there.
refuse 'missing\.h5: ' -- missing.h5 -o archive.h5 --memory 8
cmp -s archive.h5 "$scratch/kept" || fail "the archive was changed"
