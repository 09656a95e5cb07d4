#!/bin/sh
# Installs the Debian packages ioanneal is built with, and gnuplot, which draws the plots of `ioanneal report`; with the argument "test" also those its tests use.
# Does nothing, and needs no rights, if they are all there. mpirun does not start without an ssh client, even on one host.
set -eu
packages="gcc libc6-dev cmake ninja-build pkg-config git openssh-client openmpi-bin libopenmpi-dev libhdf5-dev libhwloc-dev libssl-dev libcjson-dev zlib1g-dev gnuplot-nox"
if [ "${1:-}" = test ]; then
    packages="$packages g++ libcmocka-dev libpcg-cpp-dev hdf5-tools python3 python3-h5py python3-numpy python3-scipy clang"
    packages="$packages slurmctld slurmd slurm-client munge util-linux procps"
fi
missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "ask your administrator to install:$missing" >&2; exit 1; }
    as_root=sudo
fi
# Of the SLURM of the tests nothing is to run outside of them: no daemon is started by being installed, with systemd or
# without. Debian asks policy-rc.d, of which there is one in containers, but not on other machines.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap '$as_root rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
    $as_root chmod 755 $policy
fi
echo "installing:$missing"
$as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >/dev/null
