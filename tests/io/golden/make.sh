#!/bin/sh
# usage: make.sh PROGRAM FOLDER - writes the golden files of the program's version of the formats into a new folder.
# Run once per released version of the formats, by that version's program built from a clean revision:
#     tests/io/golden/make.sh .build/release/bin/ioanneal tests/io/golden/1.0
# What is there is never written again: test_golden.c holds every later reader to it. Needs mpirun and python3-h5py.
set -eu
program=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
mkdir "$2" # what is there stays
target=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# 9 - 14 - 11 - 4 neurons, about a third of all connections, every kind of number in them.
for layer in 1:9:14 2:14:11 3:11:4; do
    echo "$layer" | tr : ' ' | awk '{
        x = $1
        for (o = 1; o <= $3; o++) {
            for (i = 1; i <= $2; i++) {
                x = (x * 1103515 + 12345) % 2147483
                if (x % 3 == 0 || i == 1 + o % $2) entries[++n] = sprintf("%d %d %.9g", o, i, (x / 2147483 - 0.5) * 2)
            }
            biases[o] = sprintf("%.9g", (o % 5 - 2) / 10)
        }
        print "%%MatrixMarket matrix coordinate real general\n" $3 " " $2 " " n >("w" $1 ".mtx")
        for (k = 1; k <= n; k++) print entries[k] >("w" $1 ".mtx")
        print "%%MatrixMarket matrix array real general\n" $3 " 1" >("b" $1 ".mtx")
        for (k = 1; k <= $3; k++) print biases[k] >("b" $1 ".mtx")
    }'
done
"$program" import w1.mtx w2.mtx w3.mtx --bias b1.mtx,b2.mtx,b3.mtx \
    --activation leaky_relu:0.125,tanh,identity --name "golden, größer" -o net.h5 -q
search='--rounds 8 --proposals 40 --replicas 4 --seed 18446744073709551615 --timing 0.2 --batch 24 -q'
mpirun --oversubscribe -n 3 "$program" optimize net.h5 -o min.h5 --memory 6,12 $search
mpirun --oversubscribe -n 3 "$program" optimize net.h5 -o lru.h5 --memory 6 --policy lru $search
"$program" merge min.h5 lru.h5 -o archive.h5
"$program" check archive.h5 --network net.h5
"$program" pack archive.h5 --network net.h5 -o bundle.h5
/usr/bin/python3 -c 'import h5py, numpy as np
x = (np.arange(5 * 9) * 7919 % 1009 / 1009 - 0.5).astype("f4").reshape(5, 9)
with h5py.File("x.h5", "w") as f: f["x"] = x'
"$program" run bundle.h5 --input x.h5 --output y.h5
/usr/bin/python3 "$here/dump.py" net.h5 archive.h5 x.h5 y.h5 >expected.txt
cp net.h5 archive.h5 bundle.h5 x.h5 y.h5 expected.txt "$target/"
