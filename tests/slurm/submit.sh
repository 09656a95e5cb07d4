#!/usr/bin/env bash
# submit.sh and status.sh on a real queue: one job, a sweep with its merge, and what is shown of them meanwhile.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

submit() {
    sh "$jobs/submit.sh" net.h5 --seed 11 --rounds 150 --replicas 3 --options '--proposals 2000 --timing 0 --checkpoint-every 0.1' "$@"
}
status() {
    sh "$jobs/status.sh" "$@"
}
unset IOA_NETWORK IOA_MEMORY IOA_SEED IOA_BUDGET IOA_REPLICAS IOA_END_MARGIN IOA_OPTIONS
uninterrupted
expect_exit 2 status
said 'no state files'
IOANNEAL=$IOA_BINARY/bin/ioanneal expect_exit 0 submit --memory 8,24 --nodes 2 --ranks 1 --time 10:00 --calibrate 1 --name one
expect_text '^submitted job [0-9]+; the result will be one-[0-9]+\.h5$'
id=$(grep -o 'job [0-9]*' "$out" | cut -d' ' -f2)
[ -e one-$id.sbatch ] || fail "the job was not kept"
freeze one-$id.h5
expect_exit 0 status
expect_text "^$id +RUNNING +1  8 +[0-9]+/150 +[0-9,]+ +[0-9]+:[0-9:]+ +0:(0[0-9]|10):[0-9]+  \./one-$id\.h5$"
thaw one-$id.h5
finished "$id"
same whole.h5 one-$id.h5
expect_exit 0 status one-$id.state
expect_text "^$id +finished +1 .* 8:[0-9,]+ 24:[0-9,]+ "

expect_exit 0 submit --sweep --memory 8,24 --ranks 1 --time 10:00 --calibrate 0 --name two
array=$(grep -o 'array [0-9]*' "$out" | cut -d' ' -f2)
merge=$(grep -o 'merge [0-9]*' "$out" | cut -d' ' -f2)
finished "$merge"
expect_exit 0 ioa check two-$array.h5 --network net.h5
expect_exit 0 status
[ "$(grep -c finished "$out")" -eq 3 ] || fail "not all jobs are shown as finished"

# Killed before anything was recorded about it: the view knows better than the state file.
expect_exit 0 submit --memory 8,24 --ranks 1 --time 10:00 --calibrate 0 --name three
id=$(grep -o 'job [0-9]*' "$out" | cut -d' ' -f2)
freeze three-$id.h5
kill -KILL "$(pgrep -f "ioanneal-job net.h5 -o three-$id.h5 ")"
thaw three-$id.h5
queue_is_empty() { [ -z "$(timeout 10 squeue -h)" ]; }
await 60 queue_is_empty
expect_exit 0 status three-$id.state
expect_text "^$id +gone "
