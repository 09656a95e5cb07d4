#!/usr/bin/env bash
# An array over memory sizes and policies, then one job that merges what the tasks have left. One task is interrupted and
# requeued meanwhile: the merge waits for it.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

export IOA_MEMORIES='8 24' IOA_POLICIES='min lru' IOA_SEEDS=11 IOA_LAUNCHER=srun
array=$(timeout 30 sbatch --parsable -J sweep --array=0-3 --ntasks-per-node=1 --time=10 "$jobs/sweep.sbatch") || fail "sbatch fails"
merge=$(timeout 30 sbatch --parsable --dependency=afterany:"$array" "$jobs/merge.sbatch" "$array" 4) || fail "sbatch fails"
archive=sweep-${array}_2.h5
freeze "$archive"
task=$(sed -n 's/^job=//p' sweep-${array}_2.state)
timeout 10 scontrol requeue "${array}_2" || fail "SLURM does not requeue a task"
thaw "$archive"
for number in 0 1 3; do await 150 test -e sweep-${array}_$number.h5; done
finished "$merge"
log_says sweep-${array}_2.log '^resumed: |^ioanneal-job: run 2' || fail "the task was not started again"
[ "$(restarted "$task")" -eq 1 ] || fail "it was restarted $(restarted "$task") times"
expect_exit 0 ioa check sweep-$array.h5 --network net.h5
expect_exit 0 ioa info sweep-$array.h5
for schedule in 'M = 8 min' 'M = 8 lru' 'M = 24 min' 'M = 24 lru'; do expect_text "$schedule, "; done
# Each task's result is the one of the same search alone.
expect_exit 0 ioa optimize net.h5 -q "${search[@]/8,24/24}" -o whole.h5
same whole.h5 sweep-${array}_2.h5

# A task that failed for good: the others are merged, and the job says who is missing.
rm sweep-${array}_1.h5 sweep-$array.h5
merge=$(timeout 30 sbatch --parsable --dependency=afterany:"$array" "$jobs/merge.sbatch" "$array" 4) || fail "sbatch fails"
await 60 is FAILED "$merge"
log_says merge-$merge.log "missing: sweep-${array}_1\.h5" || fail "the missing task is not named"
expect_exit 0 ioa check sweep-$array.h5 --network net.h5
# An array of another length than there are combinations is refused.
wrong=$(timeout 30 sbatch --parsable -J wrong --array=0-1 --ntasks-per-node=1 --time=10 "$jobs/sweep.sbatch") || fail "sbatch fails"
await 60 is FAILED "${wrong}_0"
log_says wrong-${wrong}_0.log 'there are 4 combinations: submit it with --array=0-3' || fail "the log does not say what is wrong"
