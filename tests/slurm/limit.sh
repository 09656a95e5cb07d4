#!/usr/bin/env bash
# The time limit comes: SIGUSR1 before it, checkpoint, exit 75, requeued, resumed, and the archive is the one of an
# uninterrupted run. Under both launchers, over two nodes. What is finished is not requeued.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
for launcher in srun mpirun; do # the limit is five minutes, the signal comes as early as SLURM can send it
    submit $launcher $launcher --time=5 --signal=B:USR1@290
    freeze $launcher-$id.h5
    declare "$launcher=$id"
done
for launcher in srun mpirun; do # told to stop; from then on there is time
    await 60 log_says $launcher-${!launcher}.log 'SIGUSR1: the program is told to stop'
    timeout 10 scontrol update job=${!launcher} timelimit=20 || fail "SLURM does not change a limit"
    thaw $launcher-${!launcher}.h5
done
for launcher in srun mpirun; do await 60 log_says $launcher-${!launcher}.log 'given back to the scheduler'; done
for launcher in srun mpirun; do
    resumed_and_same ${!launcher} $launcher
    log_says $launcher-${!launcher}.log '^stopped early \(a signal\)' || fail "$launcher: not stopped by the signal"
    [ "$(restarted ${!launcher})" -eq 1 ] || fail "$launcher: $(restarted ${!launcher}) restarts instead of one"
done

# Given back by hand once it is finished: it notices, and leaves the archive alone.
cp srun-$srun.h5 before.h5
timeout 10 scontrol requeue $srun || fail "SLURM does not requeue a finished job"
await 60 log_says srun-$srun.log 'is there: this job is done'
finished $srun
cmp -s before.h5 srun-$srun.h5 || fail "the archive was written again"

# No signal at all: the program looks at the clock.
IOA_END_MARGIN=118 submit srun clock --time=2
await 60 log_says clock-$id.log '^stopped early \(the deadline\)'
await 60 log_says clock-$id.log 'given back to the scheduler'
