#!/usr/bin/env bash
# Two jobs at once in one folder, one under each launcher, over two nodes; a third with neither. Files are named by job.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
for launcher in srun mpirun; do
    submit $launcher both
    declare "$launcher=$id"
done
for launcher in srun mpirun; do # each has ranks on both nodes, each rank in the name space of its node
    await 60 test -e both-${!launcher}.ckpt
    freeze both-${!launcher}.h5
    for rank in $(ranks_of both-${!launcher}.h5); do readlink "/proc/$rank/ns/uts"; done | sort -u >nodes
    [ "$(wc -l <nodes)" -eq 2 ] || fail "$launcher: ranks on $(wc -l <nodes) nodes instead of two"
    rm nodes
done
timeout 20 squeue -h -t running -o %i | wc -l | grep -qx 2 || fail "the two jobs do not run at the same time"
for launcher in srun mpirun; do thaw both-${!launcher}.h5; done
for launcher in srun mpirun; do
    finished ${!launcher}
    same whole.h5 both-${!launcher}.h5
    log_says both-${!launcher}.log "launched with: $launcher" || fail "job ${!launcher} did not use $launcher"
    log_says both-${!launcher}.log ' 2 ranks, the last one verifies' || fail "job ${!launcher} does not have two ranks"
    [ "$(restarted ${!launcher})" -eq 0 ] || fail "a job that was done was started again"
    expect_exit 0 h5dump -a /provenance/slurm_job_id both-${!launcher}.h5
    expect_text "\"${!launcher}\""
done
# The launcher that is taken when none is named; bad input ends a job for good, with one line.
submit '' plain
finished $id
same whole.h5 plain-$id.h5
log_says plain-$id.log 'launched with: srun --mpi=pmix' || fail "srun knows pmix, but was not taken"
IOA_NETWORK=none.h5 submit mpirun bad
await 60 is FAILED $id
log_says bad-$id.log 'none\.h5: no such file' || fail "the log does not say what is wrong"
log_says bad-$id.log 'not started again: exit code 2' || fail "exit code 2 is not the end"
timeout 10 scontrol show job -o "$id" | grep -q 'ExitCode=2:0' || fail "the job's exit code is not 2"
ls >files
expected="both-$srun.h5 both-$srun.log both-$srun.state both-$mpirun.h5 both-$mpirun.log both-$mpirun.state"
for name in $expected; do grep -qx "$name" files || fail "$name is missing"; done
