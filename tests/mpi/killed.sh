#!/usr/bin/env bash
# killed.sh TIMES: kill -9 of a random rank at a random moment, again and again, each time resumed on another number of ranks.
# No kill damages a file, and what comes out in the end is what an undisturbed search finds.
. "$IOA_SUPPORT/support.sh"
. "$IOA_SOURCE/tests/mpi/resume.bash"

times=$1
RANDOM=${IOA_TEST_SEED:-4}
search=(net.h5 -q --memory 8,24 --rounds 60 --proposals 3000 --seed 11 --timing 0 --replicas 5)
expect_exit 0 mpi 2 optimize "${search[@]}" -o whole.h5
kills=0 finished=0 resumed=0
while [ $kills -lt "$times" ] || [ $finished -eq 0 ] || [ -e c.ckpt ] || [ -e c.ckpt.prev ]; do
    ranks=$((1 + RANDOM % 4))
    launch $ranks "${search[@]}" -o part.h5 --checkpoint c.ckpt --checkpoint-every 0.02 --resume
    if [ $kills -lt "$times" ]; then
        sleep "0.$((300 + RANDOM % 700))"
        [ $((RANDOM % 3)) -gt 0 ] || sleep "0.$((RANDOM % 1000))"
        victim=$(rank_process $((1 + RANDOM % ranks)))
        [ -z "$victim" ] || kill -9 "$victim" 2>/dev/null && kills=$((kills + 1))
    fi
    code=0
    wait "$launcher" || code=$?
    grep -q 'resumed: ' "$err" && resumed=$((resumed + 1))
    grep -q 'previous generation' "$err" && fail "a kill damaged the checkpoint"
    grep -Eq '^ioanneal' "$err" && fail "a resumed run complains"
    rm -rf "${segments:?}"/* # of the killed
    [ -e part.h5 ] || continue
    same whole.h5 part.h5 # whole even if the kill came right after it
    finished=$((finished + 1))
    rm -f part.h5 c.ckpt c.ckpt.prev # those are left if it came right before they are removed
done
[ $resumed -gt 0 ] || fail "no run was resumed"
echo "$kills kills, $resumed resumptions, $finished searches finished"
# The next run tidies up what the killed ones left.
expect_exit 0 mpi 1 optimize "${search[@]}" --rounds 1 -o part.h5 --checkpoint c.ckpt
expect_listing "net.h5
part.h5
whole.h5"
