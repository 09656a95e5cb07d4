"""instances.py PROGRAM SHARED: layered order, M = 3, 16, 100, 1000 under LRU, RR and MIN: `PROGRAM simulate` must equal
recount.py in every figure. Of networks with more than 300,000 connections only M = 100 is counted."""
import glob, importlib.util, json, os, subprocess, sys

import numpy as np

program, shared = sys.argv[1:]
spec = importlib.util.spec_from_file_location('recount', os.path.join(shared, 'tools', 'recount.py'))
recount = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(recount)

bad = done = 0
for path in sorted(glob.glob(os.path.join(shared, 'instances', '*.h5'))):
    net = recount.load(path)
    order = np.arange(net['W'])
    sizes = [3, 16, 100, 1000] if net['W'] <= 300_000 else [100]
    for policy in ('lru', 'rr', 'min'):
        text = subprocess.run([program, 'simulate', path, '--policy', policy, '--json', '--memory', ','.join(map(str, sizes))],
                              check=True, capture_output=True, text=True).stdout
        found = json.loads(text)
        for memory, got in zip(sizes, found if isinstance(found, list) else [found], strict=True):
            reads, writes = recount.count(net, order, memory, policy)
            want = dict(memory=memory, policy=policy, reads=reads, writes=writes, total=reads + writes, lower_bound=net['lb'],
                        upper_bound=net['ub'], excess=reads + writes - net['lb'])
            done += 1
            if got != want:
                bad += 1
                print(f'{path} M={memory} {policy}: simulate {got}, recount.py {want}')
print(f'{done} counts compared, {bad} differ')
sys.exit(1 if bad or not done else 0)
