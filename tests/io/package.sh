#!/bin/sh
# usage: package.sh TEST.py WRITER TOOL PACKAGE FOLDER [PYTHON] - runs the tests of the Python package; 77 without h5py.
# IOA_PYTHON names another Python, such as that of a virtual environment with keras, onnx, safetensors or torch.
set -e
python=${6:-${IOA_PYTHON:-/usr/bin/python3}}
if ! "$python" -c 'import h5py, numpy' 2>/dev/null; then
    echo "skipped: no $python with h5py and numpy (python3-h5py)"
    exit 77
fi
rm -rf "$5"
mkdir -p "$5"
"$2" "$5"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$4" "$python" "$1" "$5" "$3"
