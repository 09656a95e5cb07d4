"""Damaged copies of network and archive files, for tests of what is refused.

usage: craft.py FILE.h5 OUT.h5 KIND      makes a copy with one thing wrong; hashes are made to agree again where KIND
                                         is about the structure, so that the structure itself has to be judged
       craft.py --all FILE.h5 FOLDER     makes FOLDER/KIND.h5 of all kinds for what FILE is, and lists KIND, the exit code
                                         wanted, and a pattern for the message"""
import hashlib, shutil, sys

NETWORK = {  # kind: (exit code, what the one line must name)
    'self_loop': (2, 'indices'), 'backward': (2, 'indices'), 'unsorted': (2, 'indices'), 'duplicate': (2, 'indices'),
    'source_beyond': (2, 'indices'), 'indptr_falls': (2, 'indptr'), 'indptr_end': (2, 'indptr'),
    'indptr_start': (2, 'indptr'), 'nan_weight': (2, 'data'), 'inf_bias': (2, 'bias'), 'activation_99': (2, 'activation'),
    'input_with_incoming': (2, 'input'), 'input_twice': (2, 'inputs'), 'output_twice': (2, 'outputs'),
    'output_is_input': (2, 'output'), 'output_beyond': (2, 'outputs'), 'no_outputs': (2, 'outputs'),
    'topology_hash': (2, 'topology_sha256'), 'weights_hash': (2, 'weights_sha256'), 'no_data': (2, 'data'),
    'short_bias': (2, 'bias'), 'bias_text': (2, 'bias'), 'no_schema': (2, 'schema_name'),
    'other_schema': (2, 'something-else'), 'schema_2': (2, 'schema_version'), 'indices_2d': (2, 'indices'),
}
ARCHIVE = {
    'order_repeats': (2, 'order|step|connection'), 'order_illegal': (2, 'order|step|connection'),
    'order_beyond': (2, 'order|step|connection'), 'order_short': (2, 'order'), 'no_order': (2, 'order'),
    'memory_2': (2, 'memory'), 'policy_fifo': (2, 'policy'), 'no_network': (2, 'network'), 'no_schedules': (2, 'schedules'),
    'hash_short': (2, 'sha256|hash'), 'schema_2': (2, 'schema_version'), 'no_schema': (2, 'schema_name'),
}


def rehash(f, topology, weights):
    import numpy as np
    c, n = f['connections'], f['neurons']
    ip, src, i, o = (x[:].astype(t) for x, t in ((c['indptr'], '<i8'), (c['indices'], '<u4'), (n['inputs'], '<u4'), (n['outputs'], '<u4')))
    if topology:
        h = hashlib.sha256(np.array([len(ip) - 1, len(src), len(i), len(o)], '<u8').tobytes())
        for x in (ip, src, i, o): h.update(x.tobytes())
        f.attrs['topology_sha256'] = h.hexdigest()
    if weights:
        h = hashlib.sha256(c['data'][:].astype('<f4').tobytes() + n['bias'][:].astype('<f4').tobytes() + n['activation'][:].astype('u1').tobytes())
        if 'activation_param' in n: h.update(n['activation_param'][:].astype('<f4').tobytes())
        f.attrs['weights_sha256'] = h.hexdigest()


def replace(f, path, values):
    del f[path]
    f[path] = values


def damage_network(f, kind):
    import numpy as np
    src, ip, bias = f['connections/indices'], f['connections/indptr'], f['neurons/bias']
    inputs, outputs = f['neurons/inputs'], f['neurons/outputs']
    rows = np.diff(ip[:])
    wide = int(np.nonzero(rows >= 2)[0][0]); at = int(ip[wide])  # a row with two connections or more
    last = int(np.nonzero(rows)[0][-1])
    topology = weights = False
    if kind == 'self_loop': src[int(ip[last + 1]) - 1] = last; topology = True
    elif kind == 'backward': src[int(ip[wide + 1]) - 1] = wide + 1; topology = True
    elif kind == 'unsorted': a, b = int(src[at]), int(src[at + 1]); src[at] = b; src[at + 1] = a; topology = True
    elif kind == 'duplicate': src[at + 1] = int(src[at]); topology = True
    elif kind == 'source_beyond': src[int(ip[last + 1]) - 1] = len(ip) + 5; topology = True
    elif kind == 'indptr_falls': ip[wide + 1] = at - 1 if at else -1; topology = True
    elif kind == 'indptr_end': ip[len(ip) - 1] = len(src) + 1; topology = True
    elif kind == 'indptr_start': ip[0] = 1; topology = True
    elif kind == 'nan_weight': f['connections/data'][1] = np.nan; weights = True
    elif kind == 'inf_bias': bias[1] = np.inf; weights = True
    elif kind == 'activation_99': replace(f, 'neurons/activation', np.full(len(bias), 99, 'u1')); weights = True
    elif kind == 'input_with_incoming': inputs[0] = last if last not in outputs[:] else wide; topology = True
    elif kind == 'input_twice': inputs[1] = int(inputs[0]); topology = True
    elif kind == 'output_twice': outputs[1] = int(outputs[0]); topology = True
    elif kind == 'output_is_input': outputs[0] = int(inputs[0]); topology = True
    elif kind == 'output_beyond': outputs[0] = len(bias); topology = True
    elif kind == 'no_outputs': replace(f, 'neurons/outputs', np.zeros(0, 'u4')); topology = True
    elif kind == 'topology_hash': f.attrs['topology_sha256'] = '0' * 64
    elif kind == 'weights_hash': f['connections/data'][0] += 1
    elif kind == 'no_data': del f['connections/data']
    elif kind == 'short_bias': replace(f, 'neurons/bias', bias[:-1])
    elif kind == 'bias_text': replace(f, 'neurons/bias', [b'x'] * len(bias))
    elif kind == 'indices_2d': replace(f, 'connections/indices', src[:].reshape(1, -1))
    else: return False
    rehash(f, topology, weights)
    return True


def damage_archive(f, kind):
    import numpy as np
    s = f['schedules/0000']
    o = s['order'][:]
    if kind == 'order_repeats': s['order'][1] = o[0]
    elif kind == 'order_illegal': s['order'][...] = o[::-1]
    elif kind == 'order_beyond': s['order'][0] = len(o)
    elif kind == 'order_short': replace(f, 'schedules/0000/order', o[:-1])
    elif kind == 'no_order': del f['schedules/0000/order']
    elif kind == 'memory_2': s.attrs['memory'] = np.uint64(2)
    elif kind == 'policy_fifo': s.attrs['policy'] = 'fifo'
    elif kind == 'no_network': del f['network']
    elif kind == 'no_schedules':
        del f['schedules']; f.create_group('schedules')
    elif kind == 'hash_short': f['network'].attrs['topology_sha256'] = 'abc'
    elif kind == 'claim':  # a consistent lie: one read less than there are
        for k in ('reads', 'total', 'excess'): s.attrs[k] = s.attrs[k] - s.attrs[k].dtype.type(1)
    elif kind == 'claim_baseline': s.attrs['baseline_total'] = s.attrs['baseline_total'] + np.uint64(1)
    elif kind == 'claim_bound': s.attrs['upper_bound'] = s.attrs['upper_bound'] + np.uint64(1)
    else: return False
    return True


def craft(source, target, kind):
    import h5py
    shutil.copyfile(source, target)
    with h5py.File(target, 'r+') as f:
        if kind == 'no_schema': del f.attrs['schema_name']
        elif kind == 'other_schema': f.attrs['schema_name'] = 'something-else'
        elif kind == 'schema_2': f.attrs['schema_version'] = '2.0'
        elif not (damage_archive if 'schedules' in f else damage_network)(f, kind): sys.exit(f'unknown kind {kind}')


def craft_all(source, folder):
    import h5py
    with h5py.File(source) as f: kinds = ARCHIVE if 'schedules' in f else NETWORK
    for kind, (code, pattern) in kinds.items():
        craft(source, f'{folder}/{kind}.h5', kind)
        print(kind, code, pattern)


if __name__ == '__main__':
    craft_all(*sys.argv[2:]) if sys.argv[1] == '--all' else craft(*sys.argv[1:])
