#!/usr/bin/env bash
# No signal before the time limit, and the program does not look at the clock: SIGTERM at the limit, and the job comes back
# all the same, with a checkpoint written at the last moment or by the clock before.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
for launcher in srun mpirun; do
    IOA_END_MARGIN=0 submit $launcher $launcher --time=1 --signal=B:CONT@1
    freeze $launcher-$id.h5
    declare "$launcher=$id"
done
for launcher in srun mpirun; do
    await 150 log_says $launcher-${!launcher}.log 'given back to the scheduler'
    timeout 10 scontrol update job=${!launcher} timelimit=20 || fail "SLURM does not change a limit"
    log_says $launcher-${!launcher}.log 'DUE TO TIME LIMIT' || fail "$launcher: the limit did not end it"
done
for launcher in srun mpirun; do resumed_and_same ${!launcher} $launcher; done
