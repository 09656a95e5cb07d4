#!/usr/bin/env bash
# The network is held once per node: the same archive however ranks are spread over nodes, and where no memory can be shared.
. "$IOA_SUPPORT/support.sh"

. "$IOA_SOURCE/tests/mpi/same.bash"
expect_exit 0 ioa generate mlp --widths 30,50,40,10 --density 0.1 --seed 3 -o net.h5
arguments=(net.h5 --memory 10,20 --rounds 8 --replicas 3 --timing 0 -q)

optimize() { # ARCHIVE RANKS
    expect_exit 0 mpi "$2" optimize "${arguments[@]}" -o "$1"
    cp "$err" "$scratch/notes"
    expect_exit 0 ioa check "$1" --network net.h5
    [ "$1" = one.h5 ] || same one.h5 "$1"
}

optimize one.h5 4
for most in 1 2 3; do
    export IOANNEAL_RANKS_PER_NODE=$most # passed on to ranks on this machine
    optimize "nodes$most.h5" 5
done

# A file that is not a network is refused once, by one line, whatever the number of nodes.
head -c 2000 net.h5 >short.h5
export IOANNEAL_RANKS_PER_NODE=2
expect_exit 2 mpi 4 optimize short.h5 -o none.h5 --memory 10
[ "$(grep -c 'short.h5' "$err")" -eq 1 ] || fail "not one line about the damaged file: $(cat "$err")"
[ -e none.h5 ] && fail "an archive was written"
unset IOANNEAL_RANKS_PER_NODE

# Memory that cannot be shared: every rank holds its own.
export OMPI_MCA_osc_sm_backing_directory=$work/missing
optimize private.h5 4
arguments=("${arguments[@]/-q/-v}")
optimize private.h5 3
grep -q 'every rank holds the network by itself' "$scratch/notes" || fail "no word about memory that is not shared"
expect_clean
