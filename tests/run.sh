#!/bin/sh
# Installs what the tests need, builds, and runs the default suite (everything but the label "slow").
set -eu
cd "$(dirname "$0")/.."
sh jobs/install-packages.sh test
cmake --preset release -DIOA_BUILD_TESTS=ON >/dev/null
cmake --build --preset release
ctest --preset release -j "$(nproc)"
