#!/usr/bin/env bash
# Checkpoints that must be refused, and disks that are full.
. "$IOA_SUPPORT/support.sh"
. "$IOA_SOURCE/tests/mpi/resume.bash"

expect_exit 0 ioa optimize "${search[@]}" -o whole.h5
pause() { # ROUNDS OPTIONS...
    local rounds=$1
    shift
    expect_exit 75 ioa optimize "${search[@]}" -o part.h5 --checkpoint c.ckpt --resume --pause-after "$rounds" "$@"
}
finish() { # PATTERN
    expect_exit 0 ioa optimize "${search[@]}" -o part.h5 --checkpoint c.ckpt --resume
    said "$1"
    same whole.h5 part.h5
    rm part.h5
}
refuse() { # PATTERN OPTIONS...: on two ranks, one line, nothing written
    local pattern=$1 before
    shift
    before=$(listing)
    expect_exit 2 mpi 2 optimize "${search[@]}" -o part.h5 --checkpoint c.ckpt "$@"
    expect_one_line --mpi "$pattern"
    expect_listing "$before"
}
keep() { cp c.ckpt "$scratch/c" && cp c.ckpt.prev "$scratch/p"; }
restore() { cp "$scratch/c" c.ckpt && cp "$scratch/p" c.ckpt.prev; }

# ---- none yet; one there already
expect_exit 2 ioa optimize "${search[@]}" -o part.h5 --resume
expect_one_line 'need --checkpoint'
# The files of a checkpoint are replaced, and removed in the end: neither the archive nor the network may be one of them.
taken='is one of the files of the checkpoint'
mkdir folder && ln -s ../folder folder/again
before=$(listing)
for archive in c.ckpt ./c.ckpt c.ckpt.prev folder/../c.ckpt "$PWD/c.ckpt"; do
    expect_exit 2 ioa optimize "${search[@]}" -o "$archive" --checkpoint c.ckpt
    expect_one_line "^ioanneal optimize: $archive: $taken c\.ckpt"
done
expect_exit 2 ioa optimize "${search[@]}" -o folder/new.h5 --checkpoint folder/again/new.h5
expect_one_line "$taken"
expect_exit 2 ioa optimize "${search[@]}" -o part.h5 --checkpoint net.h5 --resume
expect_one_line "net\.h5: $taken"
mv net.h5 net.h5.prev
expect_exit 2 ioa optimize net.h5.prev "${search[@]:1}" -o part.h5 --checkpoint net.h5
expect_one_line "net\.h5\.prev: $taken"
mv net.h5.prev net.h5
expect_listing "$before"
rm -r folder
pause 7
said 'no checkpoint yet; the search starts afresh'
refuse 'c\.ckpt: a checkpoint is there already: add --resume'
pause 7 # two generations now
keep

# ---- another run's
refuse 'c\.ckpt: belongs to another run: seed is 11 there, here it is 12' --resume --seed 12
refuse 'belongs to another run: replicas' --resume --replicas 4
refuse 'belongs to another run: rounds' --resume --rounds 41
refuse 'belongs to another run: memories is 8,24 there' --resume --memory 8
refuse 'belongs to another run: policy' --resume --policy lru
refuse 'belongs to another run: method' --resume --method anneal
cp net.h5 "$scratch/net.h5"
expect_exit 0 ioa generate mlp --widths 30,50,40,10 --density 0.1 --seed 4 -o net.h5
refuse 'belongs to another run: topology_sha256' --resume
cp "$scratch/net.h5" net.h5

# ---- no checkpoint at all, or of another version
cp net.h5 c.ckpt && cp net.h5 c.ckpt.prev
refuse 'c\.ckpt: is a file of type "ioanneal-network"; an ioanneal-checkpoint was expected' --resume
echo 'A letter.' >c.ckpt
refuse 'c\.ckpt: is not an HDF5 file; the previous generation: c\.ckpt\.prev: ' --resume
if [ -n "$h5python" ]; then
    restore
    for file in c.ckpt c.ckpt.prev; do
        "$h5python" -c 'import h5py, sys; h5py.File(sys.argv[1], "r+").attrs["schema_version"] = "1.0"' $file
    done
    refuse 'c\.ckpt: has schema_version "1\.0"; this program reads 3\.x; the previous generation: c\.ckpt\.prev: ' --resume
fi

# ---- damaged: the previous generation is taken, and the result is the same
damage() { # FILE: a few bytes in the middle third become others
    "${python:-python3}" - "$1" "$2" <<'P'
import random, sys
random.seed(int(sys.argv[2]))
data = bytearray(open(sys.argv[1], 'rb').read())
for _ in range(64):
    at = random.randrange(len(data))
    data[at] ^= 1 << random.randrange(8)
open(sys.argv[1], 'wb').write(data)
P
}
restore
head -c $(($(stat -c %s c.ckpt) / 2)) "$scratch/c" >c.ckpt
finish 'c\.ckpt: is truncated.*; the previous generation is taken'
if [ -n "$python" ]; then
    restore
    damage c.ckpt 1
    finish 'the previous generation is taken'
    restore
    damage c.ckpt 2
    damage c.ckpt.prev 3
    refuse 'c\.ckpt: .*; the previous generation: c\.ckpt\.prev: ' --resume
else
    note "flipped bits: there is no Python"
fi
restore
rm c.ckpt # a crash between two renames on a file system without links
finish 'c\.ckpt: no such file; the previous generation is taken'

# ---- a newer run has taken over: the old one ends and leaves the file alone
rm -f c.ckpt c.ckpt.prev
long=(net.h5 --memory 8,24 --rounds 1000000 --proposals 300 --seed 11 --timing 0 --replicas 5 -o old.h5 --checkpoint c.ckpt --resume)
out=$scratch/old.out err=$scratch/old.err launch 2 "${long[@]}" --checkpoint-every 2
await test -e c.ckpt
expect_exit 75 ioa optimize "${long[@]}" -q --pause-after 3
cp c.ckpt "$scratch/newer"
ended 3
grep -q 'c\.ckpt: a newer run has taken over .*; this one ends' "$scratch/old.err" || fail "the old run does not say why it ends"
cmp -s c.ckpt "$scratch/newer" || fail "the old run has overwritten the newer one's checkpoint"
# of one SLURM job the one restarted more often is the newer one, whatever the clocks say
rm -f c.ckpt c.ckpt.prev
SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 expect_exit 75 ioa optimize "${long[@]}" -q --pause-after 3
SLURM_JOB_ID=7 expect_exit 3 ioa optimize "${long[@]}" -q --pause-after 3
said '^ioanneal optimize: c\.ckpt: a newer run has taken over \(host .*, SLURM job 7\); this one ends'
SLURM_JOB_ID=7 SLURM_RESTART_COUNT=2 expect_exit 75 ioa optimize "${long[@]}" -q --pause-after 3
rm -f c.ckpt c.ckpt.prev

# ---- disk full: what is there stays as it is; only a run that has to stop fails
pause 5
cp c.ckpt "$scratch/c"
small=$(($(stat -c %s c.ckpt) / 2048)) # blocks of 1024: half of what is needed
limited() { (ulimit -f "$small"; trap '' XFSZ; ioa "$@"); }
expect_exit 3 limited optimize "${search[@]}" -o part.h5 --checkpoint c.ckpt --resume --pause-after 5
said '^ioanneal optimize: c\.ckpt: .*File too large'
cmp -s c.ckpt "$scratch/c" || fail "a failed checkpoint has changed the file"
expect_clean
finish 'resumed: '
