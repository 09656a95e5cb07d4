#!/usr/bin/env bash
# What stops a run: signals to the launcher or to any one rank, deadlines; and a rank that hangs.
. "$IOA_SUPPORT/support.sh"
. "$IOA_SOURCE/tests/mpi/resume.bash"

long=(net.h5 --memory 8,24 --rounds 1000000 --proposals 300 --seed 11 --timing 0 --replicas 5 -o part.h5)
ckpt=(--checkpoint c.ckpt --resume)
searching() { # the first rounds are over
    grep -q 'round [1-9]' "$err"
}

paused() { # by REASON; what is in the checkpoint can be resumed
    ended 75
    said "stopped early \($1\)"
    [ -e c.ckpt ] && [ ! -e part.h5 ] || fail "a checkpoint and no archive are expected"
    expect_clean
    expect_exit 75 mpi 2 optimize "${long[@]}" -q "${ckpt[@]}" --pause-after 1
    said 'resumed: '
    rm -f c.ckpt c.ckpt.prev
}

# ---- USR1: to the launcher, which forwards it; to one worker; to the verifier alone
launch 3 "${long[@]}" "${ckpt[@]}"
await searching
kill -USR1 "$launcher"
paused 'a signal'
for rank in 2 3; do
    launch 3 "${long[@]}" "${ckpt[@]}"
    await searching
    kill -USR1 "$(rank_process $rank)" && kill -USR1 "$(rank_process $rank)" # once more changes nothing
    paused 'a signal'
done

# ---- TERM without a launcher
ASAN_OPTIONS=detect_leaks=0 "$IOA_PROGRAM" optimize "${long[@]}" "${ckpt[@]}" >"$out" 2>"$err" </dev/null &
launcher=$!
await searching
kill -TERM "$launcher"
paused 'a signal'

# ---- deadlines: our own, SLURM's
launch 2 "${long[@]}" "${ckpt[@]}" --deadline 2
paused 'the deadline'
SLURM_JOB_END_TIME=$(($(date +%s) + 62)) launch 2 "${long[@]}" "${ckpt[@]}"
paused 'the deadline'
SLURM_JOB_END_TIME=$(($(date +%s) + 55)) expect_exit 0 ioa optimize net.h5 --memory 8 --rounds 2 --proposals 300 --timing 0 -o part.h5 \
    "${ckpt[@]}" --end-margin 0.5 # with the usual margin it would not have begun
rm part.h5

# ---- without a checkpoint the archive holds what was found
launch 2 "${long[@]}" --deadline 2
ended 0
said 'stopped early \(the deadline\); the archive holds what was found'
expect_exit 0 ioa check part.h5 --network net.h5
h5dump -n part.h5 | grep -q /schedules/0001/order && fail "the second size was begun after the deadline"
rm part.h5

# ---- a rank that hangs
launch 3 "${long[@]}" "${ckpt[@]}" --checkpoint-every 0.1 --hang-timeout 3
await searching
await test -e c.ckpt
kill -STOP "$(rank_process 2)"
ended 3
said 'no progress within --hang-timeout'
rm -rf "${segments:?}"/*
expect_exit 75 mpi 2 optimize "${long[@]}" -q "${ckpt[@]}" --pause-after 1
said 'resumed: '
