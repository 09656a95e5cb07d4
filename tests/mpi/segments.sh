#!/usr/bin/env bash
# Orders cut into segments: the same archive whoever anneals them, more workers than replicas included, and resumed.
. "$IOA_SUPPORT/support.sh"

. "$IOA_SOURCE/tests/mpi/same.bash"
expect_exit 0 ioa generate mlp --widths 60,80,60,20 --density 0.2 --seed 3 -o net.h5
arguments=(net.h5 --memory 12 --rounds 12 --replicas 2 --segments 5 --proposals 2000 --timing 0 -q)

optimize() { # ARCHIVE RANKS ARGUMENTS...
    local archive=$1 ranks=$2
    shift 2
    expect_exit 0 mpi "$ranks" optimize "${arguments[@]}" -o "$archive" "$@"
    expect_exit 0 ioa check "$archive" --network net.h5
}

for engine in levels priced exact; do
    policy=min
    [ $engine = exact ] && policy=lru # the levels within it, with less memory, under MIN
    optimize "$engine.h5" 1 --engine $engine --policy $policy
    for ranks in 3 4 7; do # workers: 2, 3, 6
        optimize "$engine$ranks.h5" $ranks --engine $engine --policy $policy
        same "$engine.h5" "$engine$ranks.h5"
    done
done

# Interrupted in the fine level and in the exact one, gone on with by more ranks.
for pause in 'priced min 7' 'exact lru 10'; do
    set -- $pause
    expect_exit 75 mpi 3 optimize "${arguments[@]}" --engine $1 --policy $2 -o part.h5 --checkpoint c.ckpt --pause-after $3
    expect_exit 0 mpi 6 optimize "${arguments[@]}" --engine $1 --policy $2 -o part.h5 --checkpoint c.ckpt --resume
    same "$1.h5" part.h5
done

# The number of segments decides results, so a checkpoint of another one is refused.
expect_exit 75 mpi 2 optimize "${arguments[@]}" -o part.h5 --checkpoint c.ckpt --pause-after 2
expect_exit 2 mpi 2 optimize "${arguments[@]}" --segments 4 -o part.h5 --checkpoint c.ckpt --resume
grep -q 'segments is 5 there, here it is 4' "$err" || fail "no word about segments: $(cat "$err")"
expect_clean
