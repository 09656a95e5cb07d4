#!/usr/bin/env bash
# A job of higher priority takes the nodes: the job before it stops, waits, and goes on with what it had.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
submit srun low --signal=B:USR1@5
freeze low-$id.h5
cat >high.sbatch <<'S'
#!/bin/sh
echo "high ran"
S
high=$(timeout 30 sbatch --parsable -p high -J high --nodes=2 --exclusive --output=high.log high.sbatch) || fail "sbatch fails"
await 60 log_says low-$id.log 'SIGUSR1: the program is told to stop|SIGTERM: the program is told to stop'
thaw low-$id.h5
finished "$high"
log_says high.log '^high ran$' || fail "the other job did not run"
resumed_and_same "$id" low
[ "$(restarted "$id")" -ge 1 ] || fail "it was not restarted"
