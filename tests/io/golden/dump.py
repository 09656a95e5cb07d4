"""Every attribute and every dataset of HDF5 files as text, one line each, by h5py alone: what readers must find.

usage: dump.py FILE.h5 ...      numbers in hexadecimal floating point where they are no integers"""
import sys

import h5py
import numpy as np


def text(value):
    if isinstance(value, (bytes, str)):
        return value.decode() if isinstance(value, bytes) else value
    array = np.asarray(value)
    if array.dtype.kind == 'O' or array.dtype.kind == 'S':
        return ' '.join(text(v) for v in array.ravel())
    return ' '.join(float(v).hex() if array.dtype.kind == 'f' else str(v) for v in array.ravel().tolist())


def dump(name, item):
    for key in sorted(item.attrs):
        print(f'{name}@{key} = {text(item.attrs[key])}')
    if isinstance(item, h5py.Dataset):
        print(f'{name} [{",".join(map(str, item.shape))}] = {text(item[()])}')
    else:
        for key in sorted(item):
            dump(f'{name}/{key}' if name else key, item[key])


for path in sys.argv[1:]:
    print(f'# {path}')
    with h5py.File(path, 'r') as f:
        dump('', f)
