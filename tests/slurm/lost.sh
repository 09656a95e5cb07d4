#!/usr/bin/env bash
# lost.sh rank|node LAUNCHER: a rank, or a node with all that runs on it, goes without a word. The job is given back, by
# ioanneal-job or by SLURM, and resumes from the last checkpoint that was written by itself.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
submit "$2" lost
archive=lost-$id.h5
freeze "$archive"
case $1 in
rank)
    # shellcheck disable=SC2046
    kill -KILL $(ranks_of "$archive" | head -n 1)
    thaw "$archive"
    await 60 log_says lost-$id.log 'its last checkpoint is newer than its start'
    ;;
node) # the one that does not run the script
    batch=$(timeout 10 squeue -h -j "$id" -o %B)
    other=$([ "$batch" = n1 ] && echo n2 || echo n1)
    bash "$CLUSTER/node.sh" kill $other
    thaw "$archive"
    given_back() { [ "$(restarted "$id")" -ge 1 ] || is PENDING "$id" || log_says lost-$id.log 'given back to the scheduler'; }
    await 90 given_back
    (bash "$CLUSTER/node.sh" start $other &)
    ;;
esac
resumed_and_same "$id" lost
log_says lost-$id.log '^stopped early' && fail "there was time to stop in order"
exit 0
