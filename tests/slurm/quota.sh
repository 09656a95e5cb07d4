#!/usr/bin/env bash
# No space is left: the job fails with one line that says so, is not started over and over, and leaves its last checkpoint
# whole. With space again the same command goes on from there.
. "$IOA_SOURCE/tests/slurm/slurm.bash"

uninterrupted
mkdir small
mount -t tmpfs -o size=400k quota small
cp net.h5 small/
cd small || exit 1
run() { # NAME
    id=$(IOA_LAUNCHER=srun timeout 30 sbatch --parsable -N2 --ntasks-per-node=1 -t 10 --requeue --open-mode=append \
        --signal=B:USR1@5 -J "$1" --output="../$1.log" --wrap "exec ioanneal-job net.h5 -o best.h5 ${search[*]} --checkpoint-every 0.1")
    [ -n "$id" ] || fail "sbatch fails"
}
run full
freeze best.h5
cp best.ckpt ../last.ckpt
while dd if=/dev/zero bs=4k count=1 >>filler 2>/dev/null; do :; done
thaw best.h5
await 90 log_says ../full.log 'No space left on device'
await 90 is FAILED "$id"
log_says ../full.log 'the search goes on with the checkpoint before' || fail "a full disk ended the search at once"
log_says ../full.log 'a system error without progress|run 2' || fail "the log does not say why the job is given up"
[ "$(restarted "$id")" -le 1 ] || fail "a job without space was restarted $(restarted "$id") times"
[ ! -e best.h5 ] || fail "there is an archive"
expect_exit 0 ioa info best.ckpt
expect_text 'checkpoint of a search'
rm filler
run again
finished "$id"
log_says ../again.log '^resumed: ' || fail "it was not resumed"
cd ..
mv small/best.h5 .
umount small
same whole.h5 best.h5
