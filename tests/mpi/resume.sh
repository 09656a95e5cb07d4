#!/usr/bin/env bash
# A search that was interrupted and resumed, on any numbers of ranks and in any phase, ends with the same archive.
. "$IOA_SUPPORT/support.sh"
. "$IOA_SOURCE/tests/mpi/resume.bash"

expect_exit 0 mpi 3 optimize "${search[@]}" -o whole.h5
ckpt=(--checkpoint c.ckpt --resume)

# chain RANKS:ROUNDS ... RANKS: pauses after so many rounds on so many ranks, and finishes on the last one.
chain() {
    local leg
    for leg; do
        case $leg in
        *:*)
            expect_exit 75 mpi "${leg%:*}" optimize "${search[@]}" -o part.h5 "${ckpt[@]}" --pause-after "${leg#*:}"
            said 'stopped early \(--pause-after\)'
            [ -e c.ckpt ] && [ ! -e part.h5 ] || fail "$leg: a checkpoint and no archive are expected"
            ;;
        *)
            expect_exit 0 mpi "$leg" optimize "${search[@]}" -o part.h5 "${ckpt[@]}"
            said 'resumed: '
            ;;
        esac
    done
    same whole.h5 part.h5
    expect_exit 0 ioa check part.h5 --network net.h5
    rm part.h5
    expect_listing "net.h5
whole.h5" # the archive has taken the checkpoint's place
    expect_clean
}

chain 1:1 4          # before the plan has any influence
chain 4:12 1:9 2     # the coarse level
chain 2:30 7:8 1     # the fine level, the quench; more ranks than replicas
chain 3:40 2         # all rounds of the first size are done, not verified
chain 1:41 3         # the second size has begun
chain 2:57 4:20 1    # deep in the second size; one size already finished goes from run to run
chain 1:80 3         # everything but the last verification

# ---- other methods
for method in anneal paper; do
    search=(net.h5 -q --memory 8 --rounds 8 --proposals 200 --seed 11 --timing 0 --replicas 3 --method $method)
    expect_exit 0 mpi 1 optimize "${search[@]}" -o whole.h5
    chain 3:5 1
done

# ---- the engine of LRU: the levels with less memory, the exact level, its quench
search=(net.h5 -q --memory 16 --policy lru --rounds 40 --proposals 600 --seed 11 --timing 0 --replicas 3 --trial-rounds 8)
expect_exit 0 mpi 2 optimize "${search[@]}" -o whole.h5
chain 3:5 1:9 2:20 1

# ---- what a checkpoint tells
search=(net.h5 -q --memory 8,24 --rounds 40 --proposals 300 --seed 11 --timing 0 --replicas 5)
expect_exit 75 ioa optimize "${search[@]}" -o part.h5 "${ckpt[@]}" --pause-after 50
expect_exit 0 ioa info c.ckpt
expect_text 'checkpoint of a search for M = 8,24, min, tempering, seed 11, 5 replicas'
expect_text '  M = 8: done, excess [0-9]+$'
expect_text '  M = 24: round [0-9]+ of [0-9]+, best excess [0-9]+ \(start [0-9]+\), [0-9]+ s, about [0-9]+ s left$'
ioa_json info c.ckpt
expect_json "$json_file" "d['kind'] == 'checkpoint' and d['search']['memory'] == 24"
expect_json "$json_file" "d['search']['excess'] == d['search']['total'] - d['search']['lower_bound'] > 0"
expect_json "$json_file" "len(d['done']) == 1 and d['done'][0]['memory'] == 8"
rm c.ckpt*

# ---- by time: once the rounds are planned, they are what is done
search=(net.h5 -q --memory 8 --seconds 4 --proposals 1500 --seed 11 --timing 0 --replicas 3 --trial-rounds 10)
expect_exit 75 mpi 3 optimize "${search[@]}" -o part.h5 "${ckpt[@]}" --pause-after 6
expect_exit 75 mpi 1 optimize "${search[@]}" -o part.h5 "${ckpt[@]}" --pause-after 10 # the second plan is not made yet
expect_exit 0 mpi 2 optimize "${search[@]}" -o part.h5 "${ckpt[@]}"
expect_exit 0 h5dump -a /schedules/0000/planned_rounds part.h5
planned=$(grep -o '(0): [0-9]*' "$out" | cut -d' ' -f2)
expect_exit 0 h5dump -a /schedules/0000/rounds part.h5
done=$(grep -o '(0): [0-9]*' "$out" | cut -d' ' -f2)
expect_exit 0 mpi 1 optimize net.h5 -q --memory 8 --rounds "$planned" --stop-round "$done" --proposals 1500 --seed 11 --timing 0 \
    --trial-rounds 10 --replicas 3 -o again.h5
same part.h5 again.h5
