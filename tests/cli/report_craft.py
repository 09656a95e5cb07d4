"""Archives as strangers, accidents and later versions write them, for the tests of `ioanneal report`.

usage: report_craft.py FILE.h5 OUT.h5 KIND"""
import shutil, sys

import h5py
import numpy as np

EVIL = '</title></style><script>alert(1)</script><img src=x onerror=alert(2)>"\'&amp;{{style}}`touch pwned`$(touch pwned)\u202egnp\x1b[31m\n'


def timings(s):
    """Of a schedule; `search` beside them holds the times of the search itself."""
    return [m for name, m in s['measured'].items() if name != 'search']


def hostile(f):
    f['network'].attrs['name'] = EVIL[:120]
    for key in ('command', 'host'): f['provenance'].attrs[key] = EVIL
    f['provenance'].attrs['"><b>k</b>'] = '[{"<i>": "<b>", "n": 1e999}, [[[]]], "</td>"]'
    f['provenance'].attrs['broken'] = np.bytes_(b'\xff\xfe<\xc3')
    for s in f['schedules'].values():
        s.attrs['method'] = '<b>&"\'</b>'
        s['trace']['<b>\'"&'] = np.zeros(3)
        for m in timings(s):
            m.attrs['cpu'] = '<script>"cpu"</script>'
            m.attrs['kernel'] = '\'"><script>k</script>'
            m.attrs['flags'] = EVIL[:80]


def numbers(f):
    """Values no search writes."""
    for s in f['schedules'].values():
        for name, d in s['trace'].items():
            if d.dtype.kind != 'f' or d.size == 0: continue
            values = d[...]
            flat = values.reshape(-1)
            for i, v in enumerate((np.nan, np.inf, -np.inf, 1e308, -1e308, 1e-308, 5.0)): flat[i * 7 % flat.size] = v
            d[...] = values
        if 'replica' in s['trace']: s['trace/replica'][0] = 2**63
        for m in timings(s):
            m['seconds_schedule'][0] = np.nan
            m.attrs['speedup_order'] = np.array([1e-300, 1.0, 1e300])
            m.attrs['speedup_kernel'] = np.array([np.nan, np.inf, -1.0])
            m.attrs['gflops'] = np.inf
        s.attrs['baseline_total'] = np.uint64(1)


def later(f):
    """Columns and attributes of a version to come; some of ours are gone or have another shape."""
    for s in f['schedules'].values():
        t = s['trace']
        rounds = len(t['best'])
        t['move_shares'] = np.ones((rounds, 9))
        t['windows'] = np.arange(4)
        if 'elite' in t: del t['elite']
        t['elite'] = np.zeros((2, 2), 'u8')
        k = t['swap_probability'].shape[1]
        replaced = t['swap_probability'][:, :k - 1]
        del t['swap_probability'], t['temperature'], t['proposals'], t['correlation']
        t['swap_probability'] = replaced
        t['temperature'] = np.ones((rounds, k + 1))
        t['correlation'] = np.ones((3, 3))
        s.attrs['stages'] = 'unheard of'


def no_trace(f):
    for s in f['schedules'].values(): del s['trace']


def empty_trace(f):
    for s in f['schedules'].values():
        for name in list(s['trace']):
            shape, dtype = s['trace'][name].shape, s['trace'][name].dtype
            del s['trace'][name]
            s['trace'].create_dataset(name, shape=(0,) + shape[1:], dtype=dtype)


def bare(f):
    """What the format asks for and nothing else."""
    del f['provenance']
    for s in f['schedules'].values():
        del s['trace'], s['measured']
        for name in ('certified_bound', 'method', 'seed', 'rounds', 'planned_rounds', 'replicas', 'verified'):
            if name in s.attrs: del s.attrs[name]


def one_time(f):
    """A measurement of one repetition that knows the schedule's time alone."""
    for s in f['schedules'].values():
        for m in timings(s):
            for name in list(m): del m[name]
            m['seconds_schedule'] = np.array([0.25])
            for name in ('speedup_order', 'speedup_kernel', 'speedup_csr', 'speedup_mkl', 'gflops', 'cpu', 'candidates'):
                if name in m.attrs: del m.attrs[name]


def long(f):
    """A search of 40,000 rounds and 24 replicas."""
    rng = np.random.default_rng(1)
    rounds, k = 40000, 24
    for s in f['schedules'].values():
        lower = int(s.attrs['lower_bound'])
        del s['trace']
        t = s.create_group('trace')
        t['best'] = np.maximum.accumulate(np.sort(rng.integers(lower, lower + 5000, rounds))[::-1].astype('u8')[::-1])[::-1]
        t['energy'] = (lower + rng.integers(0, 5000, (rounds, k))).astype('f8')
        t['temperature'] = np.geomspace(1, 0.01, rounds)[:, None] * np.geomspace(1, 2, k)
        t['acceptance'] = rng.random((rounds, k))
        t['swap_probability'] = rng.random((rounds, k))
        t['replica'] = np.argsort(rng.random((rounds, k)), axis=1).astype('u8')


def many(f):
    """Twenty memory sizes."""
    for i in range(2, 20):
        f.copy('schedules/0001', f'schedules/{i:04}')
        f[f'schedules/{i:04}'].attrs['memory'] = np.uint64(16 + 3 * i)


source, target, kind = sys.argv[1:]
shutil.copyfile(source, target)
with h5py.File(target, 'r+') as archive: globals()[kind](archive)
