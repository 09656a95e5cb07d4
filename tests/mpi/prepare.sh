#!/usr/bin/env bash
# Stopped while the start is being constructed: the best order so far, or, with a checkpoint, afresh next time.
. "$IOA_SUPPORT/support.sh"

. "$IOA_SOURCE/tests/mpi/same.bash"
expect_exit 0 ioa generate mlp --widths 30,50,40,10 --density 0.1 --seed 3 -o net.h5
arguments=(net.h5 --memory 10,20 --rounds 6 --timing 0 -q)

expect_exit 0 mpi 3 optimize "${arguments[@]}" -o whole.h5
expect_exit 0 mpi 3 optimize "${arguments[@]}" -o early.h5 --deadline 0.001
expect_exit 0 ioa check early.h5 --network net.h5
expect_exit 0 ioa info early.h5 --json
cp "$out" "$scratch/early.json"
expect_json "$scratch/early.json" "len(d['schedules']) == 1"

expect_exit 75 mpi 3 optimize "${arguments[@]}" -o late.h5 --deadline 0.001 --checkpoint c.ckpt
[ -e late.h5 ] && fail "an archive was written"
expect_exit 0 mpi 2 optimize "${arguments[@]}" -o late.h5 --checkpoint c.ckpt --resume
same whole.h5 late.h5
[ -e c.ckpt ] && fail "the checkpoint was left behind"
expect_clean
