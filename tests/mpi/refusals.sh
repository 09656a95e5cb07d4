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

refused=(mpi 2 optimize)
refused_line=(--mpi)
keeps() { # as refuse; and nothing is written or left behind
    refuse "$@"
    expect_listing "$before"
    expect_clean
}

keeps 'missing\.h5: no such file' -- missing.h5 -o new.h5 --memory 8
keeps 'text\.h5: is not an HDF5 file' -- text.h5 -o new.h5 --memory 8
keeps 'cut\.h5: is truncated' -- cut.h5 -o new.h5 --memory 8
keeps 'archive\.h5: .*ioanneal-archive' -- archive.h5 -o new.h5 --memory 8
if [ -n "$h5python" ]; then
    keeps 'backward\.h5: .*indices' -- backward.h5 -o new.h5 --memory 8
    keeps 'source_beyond\.h5: .*indices' -- source_beyond.h5 -o new.h5 --memory 8
    keeps 'topology_hash\.h5: .*topology_sha256' -- topology_hash.h5 -o new.h5 --memory 8
    keeps 'no_schema\.h5: .*schema_name' -- no_schema.h5 -o new.h5 --memory 8
fi
keeps 'nowhere/new\.h5: .*No such file' -- net.h5 -o nowhere/new.h5 --memory 8
keeps 'folder\.h5: is a folder' -- net.h5 -o folder.h5 --memory 8
keeps 'text\.h5/new\.h5: .*Not a directory' -- net.h5 -o text.h5/new.h5 --memory 8
# Refused before MPI starts: the first rank speaks for all.
keeps 'too small|at least 3' -- net.h5 -o new.h5 --memory 2
keeps "unknown option '--frobnicate'" -- net.h5 -o new.h5 --memory 8 --frobnicate
keeps '--method wants' -- net.h5 -o new.h5 --memory 8 --method magic
expect_exit 0 mpi 2 optimize --help
[ "$(grep -c '^usage: ' "$out")" -eq 1 ] || fail "help is printed by every rank"
# A refused run keeps the archive that was there.
keeps 'missing\.h5: ' -- missing.h5 -o archive.h5 --memory 8
cmp -s archive.h5 "$scratch/kept" || fail "the archive was changed"
