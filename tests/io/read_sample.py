"""A second reader, written from io/FORMAT.md: checks a network and an archive that the library wrote."""
import hashlib
import sys

import h5py
import numpy as np

folder = sys.argv[1]
with h5py.File(f'{folder}/net.h5', 'r') as f:
    assert f.attrs['schema_name'] == 'ioanneal-network' and f.attrs['schema_version'] == '1.0'
    c = f['connections']
    assert c.attrs['encoding-type'] == 'csr_matrix' and c.attrs['encoding-version'] == '0.1.0'
    data, indices, indptr = c['data'][:], c['indices'][:], c['indptr'][:]
    assert (data.dtype, indices.dtype, indptr.dtype) == (np.float32, np.uint32, np.int64)
    n = len(indptr) - 1
    assert list(c.attrs['shape']) == [n, n] and indptr[0] == 0 and indptr[-1] == len(data) == len(indices)
    try:
        from scipy.sparse import csr_matrix
        m = csr_matrix((data, indices, indptr), shape=(n, n))
        assert m.nnz == len(data) and m.has_sorted_indices
        assert (m.tocoo().row > m.tocoo().col).all()
    except ImportError:
        print('no scipy: read as arrays only')
    neurons = f['neurons']
    names = h5py.check_enum_dtype(neurons['activation'].dtype)
    assert names['relu'] == 1 and names['square'] == 15 and len(names) == 16
    inputs, outputs = neurons['inputs'][:], neurons['outputs'][:]
    h = hashlib.sha256(np.array([n, len(data), len(inputs), len(outputs)], '<u8').tobytes())
    for x in (indptr, indices, inputs, outputs):
        h.update(x.tobytes())
    topology = h.hexdigest()
    assert topology == f.attrs['topology_sha256']
    parts = [data, neurons['bias'][:], neurons['activation'][:]]
    if 'activation_param' in neurons:
        parts.append(neurons['activation_param'][:])
    assert hashlib.sha256(b''.join(p.tobytes() for p in parts)).hexdigest() == f.attrs['weights_sha256']

with h5py.File(f'{folder}/archive.h5', 'r') as f:
    assert f.attrs['schema_name'] == 'ioanneal-archive'
    assert f['network'].attrs['topology_sha256'] == topology
    assert sorted(f['schedules']) == ['0000', '0001']
    for s in f['schedules'].values():
        a = s.attrs
        assert sorted(s['order'][:]) == list(range(len(data))) and s['order'].dtype == np.uint32
        assert a['total'] == a['reads'] + a['writes'] and int(a['excess']) == int(a['total']) - int(a['lower_bound'])
        assert a['policy'] in ('lru', 'rr', 'min') and a['verified'] == 1
        assert s['trace/best'].shape == (3,) and s['trace/energies'].shape == (3, 4)
    m = f['schedules/0000/measured/0000']
    assert m['seconds_schedule'].shape == (5,) and list(m.attrs['speedup_csr']) == [1.25, 1.5, 1.75]
    assert f['provenance'].attrs['command'] == 'ioanneal optimize "a b"'
print('network and archive agree with io/FORMAT.md')
