#!/bin/sh
# usage: python.sh READER WRITER FOLDER - writes samples and reads them with Python; 77 where that is missing.
set -e
python=/usr/bin/python3
if ! "$python" -c 'import h5py, numpy' 2>/dev/null; then
    echo "skipped: no $python with h5py and numpy (python3-h5py)"
    exit 77
fi
mkdir -p "$3"
"$2" "$3"
"$python" "$1" "$3"
