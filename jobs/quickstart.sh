#!/bin/sh
# Sets everything up on a fresh Debian 12 and runs the main job once: packages, build, a network made on the spot,
# three MPI ranks that temper and verify, and a check of the archive they leave. Can be run again at any time.
set -eu
cd "$(dirname "$0")/.."
sh jobs/install-packages.sh
cmake --preset release -DIOA_BUILD_TESTS=OFF >/dev/null
cmake --build --preset release
if [ "$(id -u)" -eq 0 ]; then # Open MPI wants to be told that root means it, in containers for example
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
out=${1:-.build/quickstart}
mkdir -p "$out"
ioanneal=.build/release/bin/ioanneal
echo
$ioanneal generate mlp --widths 500,500,500,500 --density 0.1 --seed 7 -o "$out/net.h5"
echo
mpirun --oversubscribe -n 3 $ioanneal optimize "$out/net.h5" -o "$out/best.h5" --memory 32 --replicas 4 --seconds 20
echo
$ioanneal check "$out/best.h5" --network "$out/net.h5"
