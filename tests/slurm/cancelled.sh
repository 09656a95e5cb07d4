#!/usr/bin/env bash
# The user cancels a job: it is not given back, and its checkpoint is good for a job submitted later.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
for launcher in srun mpirun; do
    submit $launcher cancelled
    freeze cancelled-$id.h5
    thaw cancelled-$id.h5
    timeout 10 scancel "$id"
    await 60 is CANCELLED "$id"
    await 60 log_says cancelled-$id.state '^outcome=stopped$'
    [ -z "$(timeout 10 squeue -h)" ] || fail "something is still in the queue"
    [ -e cancelled-$id.ckpt ] && [ ! -e cancelled-$id.h5 ] || fail "a checkpoint and no archive are expected"
    log_says cancelled-$id.log 'given back to the scheduler' && fail "a cancelled job was given back"
    # Another job goes on where it was: same options, same archive.
    again=$(IOA_LAUNCHER=$launcher timeout 30 sbatch --parsable -N1 -n2 -t 10 -J again --output=%x-%j.log \
        --wrap "exec ioanneal-job net.h5 -o cancelled-$id.h5 ${search[*]}") || fail "sbatch fails"
    finished "$again"
    log_says again-$again.log '^resumed: ' || fail "it was not resumed"
    same whole.h5 cancelled-$id.h5
done
