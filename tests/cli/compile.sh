#!/usr/bin/env bash
# A schedule compiled to a file, linked into a C program that knows nothing else, gives what `run` gives; its memory
# instructions are what `simulate` counts.
. "$IOA_SUPPORT/support.sh"

command -v cc >/dev/null || skip "no compiler driver 'cc'"
expect_exit 0 ioa generate mlp --widths 40,70,60,9 --density 0.3 --activation relu --seed 3 -o net.h5
expect_exit 0 ioa optimize net.h5 -o best.h5 --memory 16,32 --rounds 2 --proposals 50 --replicas 3 --timing 0.05 -q

cat >main.c <<'C'
#include "net.h"
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    enum { BATCH = 21 };
    static float x[BATCH * IOANNEAL_NET_INPUTS], y[BATCH * IOANNEAL_NET_OUTPUTS], z[BATCH * IOANNEAL_NET_OUTPUTS];
    for (int i = 0; i < BATCH * IOANNEAL_NET_INPUTS; i++) x[i] = (float)(i * 7919 % 1000) / 1000.0f - 0.3f;
    void *scratch = aligned_alloc(64, IOANNEAL_NET_SCRATCH_BYTES);
    ioanneal_net(x, y, BATCH);
    ioanneal_net_with(x, z, BATCH, scratch);
    free(scratch);
    for (int i = 0; i < BATCH * IOANNEAL_NET_OUTPUTS; i++) {
        if (y[i] != z[i]) return 1;
        printf("%.9g\n", y[i]);
    }
    return 0;
}
C

# runs_here ISA
runs_here() {
    case $1 in
    avx512) grep -qw avx512dq /proc/cpuinfo && grep -qw avx512vl /proc/cpuinfo ;;
    avx2) grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo ;;
    *) false ;;
    esac
}

compare() { # ISA KIND: ./program prints what `run` writes
    expect_exit 0 ./program
    [ -n "$h5python" ] || return 0
    cp "$out" "$scratch/y.txt"
    "$h5python" - "$scratch/y.txt" <<'PY' || fail "$1, $2: other outputs than those of run"
import sys
import h5py, numpy as np
y = np.loadtxt(sys.argv[1]).reshape(21, 9)
with h5py.File('y.h5') as f: expected = f['y'][:]
assert np.abs(y - expected).max() <= 1e-4 * max(1, np.abs(expected).max()) and np.abs(expected).max() > 0
PY
}

# The same without a C library, for an emulator: outputs as raw floats on standard output.
cat >bare.c <<'C'
#include "net.h"
enum { BATCH = 21 };
static float x[BATCH * IOANNEAL_NET_INPUTS], y[BATCH * IOANNEAL_NET_OUTPUTS];
static void call(long number, long a, long b, long c)
{
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
}
void _start(void)
{
    for (int i = 0; i < BATCH * IOANNEAL_NET_INPUTS; i++) x[i] = (float)(i * 7919 % 1000) / 1000.0f - 0.3f;
    ioanneal_net(x, y, BATCH);
    call(64, 1, (long)y, sizeof y);
    call(93, 0, 0, 0);
}
C

# NEON under an emulator, where there is one; files net.S and net.h are there.
emulate_neon() {
    local emulator
    emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || { note "neon: no qemu-aarch64"; return; }
    { command -v clang && command -v ld.lld; } >/dev/null || { note "neon: no clang with ld.lld"; return; }
    [ -n "$h5python" ] || { note "neon: $no_h5python"; return; }
    expect_exit 0 clang --target=aarch64-linux-gnu -O1 -ffreestanding -nostdlib -static -fuse-ld=lld -o bare bare.c net.S
    expect_exit 0 "$emulator" ./bare
    cp "$out" "$scratch/y.raw"
    "$h5python" - "$scratch/y.raw" <<'PY' || fail "neon: other outputs than those of run"
import sys
import h5py, numpy as np
y = np.fromfile(sys.argv[1], '<f4').reshape(21, 9)
with h5py.File('y.h5') as f: expected = f['y'][:]
assert np.abs(y - expected).max() <= 1e-4 * max(1, np.abs(expected).max()) and np.abs(expected).max() > 0
PY
    echo "neon ran under $emulator"
}

if [ -n "$h5python" ]; then
    "$h5python" -c 'import h5py, numpy as np
x = (np.arange(21 * 40) * 7919 % 1000).astype("f4") / np.float32(1000) - np.float32(0.3)
with h5py.File("x.h5", "w") as f: f["x"] = x.reshape(21, 40)' || fail "h5py cannot write"
    expect_exit 0 ioa run net.h5 --input x.h5 --output y.h5
fi

for isa in avx512 avx2 neon; do
    memory=32
    [ $isa = avx2 ] && memory=16
    ioa_json compile best.h5 --network net.h5 --isa $isa --exact -o net.S
    cp "$json_file" "$scratch/code.json"
    expect_json "$scratch/code.json" "d['memory'] == $memory and d['schedule_memory'] == $memory and d['segments'] == 1"
    ioa_json simulate net.h5 --schedule best.h5 --memory $memory
    if have_json; then
        [ "$(json "$scratch/code.json" "(d['reads'], d['writes'], d['extra_reads'])")" = \
          "$(json "$json_file" "(d['reads'], d['writes'], 0)")" ] || fail "$isa: another I/O than simulate counts"
    fi
    if [ $isa = neon ]; then
        emulate_neon
        continue
    fi
    if ! runs_here $isa; then
        note "$isa does not run here"
        continue
    fi
    expect_exit 0 cc -o program main.c net.S
    compare $isa .S
    for kind in o so; do
        expect_exit 0 ioa compile best.h5 --network net.h5 --isa $isa --segment 300 -o net.$kind
        expect_exit 0 cc -o program main.c ./net.$kind
        compare $isa .$kind
    done
done

# A bundle alone; the files of the network's own archive come out.
expect_exit 0 ioa compile best.h5 --network net.h5 -o net.S
expect_exit 0 ioa pack best.h5 --network net.h5 -o bundle.h5
expect_exit 0 ioa compile bundle.h5 -o again.S
cmp net.S again.S && cmp net.h again.h || fail "a bundle is compiled to something else"
rm again.S again.h

before=$(listing)
expect_exit 2 ioa compile best.h5 --network net.h5 -o net.exe
expect_one_line 'must end in .S, .o or .so'
for name in 3d int; do
    expect_exit 2 ioa compile best.h5 --network net.h5 -o net.S --name $name
    expect_one_line 'not a name'
done
expect_exit 2 ioa compile best.h5 --network net.h5 -o net.S --isa mmx
expect_one_line '--isa wants'
expect_exit 2 ioa compile best.h5 -o net.S
expect_one_line '--network'
expect_exit 3 env CC=no-such-compiler "$IOA_PROGRAM" compile best.h5 --network net.h5 -o new.o
expect_one_line 'no-such-compiler'
cat >"$scratch/full-cc" <<'SH'
#!/bin/sh
echo 'x.s: Assembler messages:' >&2
echo "x.s: Fatal error: can't close x.o: No space left on device" >&2
exit 1
SH
chmod +x "$scratch/full-cc"
expect_exit 3 env CC="$scratch/full-cc" "$IOA_PROGRAM" compile best.h5 --network net.h5 -o new.o
expect_one_line 'No space left on device'
expect_listing "$before"
