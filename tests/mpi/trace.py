"""trace.py ARCHIVE.h5 ROUNDS REPLICAS PROPOSALS: columns, shapes and invariants of every schedule's trace."""
import sys

import h5py, numpy as np

path, rounds, k, proposals = sys.argv[1], *map(int, sys.argv[2:])
narrow, wide = ('round', 'best', 'proposals', 'round_trips', 'barrier', 'swap_least', 'swap_mean', 'round_trips_share', 'excess', 'gap'), ('energy', 'temperature', 'acceptance', 'swap', 'swap_probability', 'replica')
with h5py.File(path) as f:
    for name, s in f['schedules'].items():
        a = dict(s.attrs)
        assert a['verified'] == 1 and a['total'] == a['reads'] + a['writes'] and a['excess'] == a['total'] - a['lower_bound']
        assert a['lower_bound'] <= a['total'] <= a['baseline_total'] <= a['upper_bound'], a
        assert a['rounds'] == rounds and a['replicas'] == k, a
        t = s['trace']
        if rounds == 0:
            assert all(len(c) == 0 for c in t.values())
            continue
        assert set(t) - {'elite'} == {*narrow, *wide, 'correlation', 'window', 'share'}, set(t)
        if 'elite' in t:  # no better than the best, ascending; some order was better than the start
            assert 1 <= len(t['elite']) <= 16 and (np.diff(t['elite'][:].astype('i8')) >= 0).all() and t['elite'][0] >= a['total']
        assert t['window'].shape == (rounds, 3 * k) and t['share'].shape == (rounds, 32 * k)
        times = s['measured/search']
        assert set(times) == {'annealing', 'slowest', 'exchanging'} and all(times[c].shape == (rounds,) for c in times)
        assert (times['slowest'][:] >= times['annealing'][:] * (1 - 1e-9)).all() and (times['annealing'][:] > 0).all()
        assert all(t[c].shape == (rounds,) for c in narrow), [(c, t[c].shape) for c in narrow]
        assert all(t[c].shape == (rounds, k) for c in wide), [(c, t[c].shape) for c in wide]
        assert t['correlation'].shape == (k,)
        t = {c: t[c][:] for c in t}
        assert (abs(t['correlation']) <= 1 + 1e-9).all()
        pairs = (t['swap'][:, :-1] >= 0).any(0)  # rungs of different groups never swap
        if pairs.any() and rounds <= 64:
            p = np.ma.masked_equal(t['swap_probability'][:, :-1], -1).mean(0).compressed()
            assert abs(t['barrier'][-1] - (1 - p).sum()) < 1e-9 and abs(t['swap_least'][-1] - p.min()) < 1e-9 and abs(t['swap_mean'][-1] - p.mean()) < 1e-9
        assert (np.diff(t['round'].astype('i8')) == 1).all()
        assert (np.diff(t['best'].astype('i8')) <= 0).all() and t['best'][-1] == a['total'], (t['best'], a['total'])
        drawn = np.diff(t['proposals'].astype('i8'), prepend=0)  # the fine level draws several per unit of effort
        assert (drawn > 0).all() and (drawn >= proposals * k / 2).all(), t['proposals']
        assert (drawn[:4] >= proposals * k).all() and (drawn[:4] % proposals == 0).all(), t['proposals']  # not balanced yet
        assert (t['excess'] == t['best'] - a['lower_bound']).all() and (t['gap'] == t['best'] - a['certified_bound']).all()
        shares = t['share'].reshape(rounds, k, 32)
        if (shares[..., 0] != 1024).any():  # not the paper's one move: moves of intervals, of connections, and perhaps exact ones
            intervals, connections, exact = shares[..., :10].sum(-1), shares[..., 10:16].sum(-1), shares[..., 16:].sum(-1)
            assert (intervals == 1024).all() and (connections == 1024).all() and np.isin(exact, (0, 1024)).all()
        assert (t['window'] >= 1).all() and (t['window'] <= 32).all()
        assert (np.diff(t['round_trips'].astype('i8')) >= 0).all()
        assert (t['energy'] >= a['lower_bound']).all() and (t['energy'].min(1) >= t['best']).all()
        # Rungs of a group ascend within a round.
        assert (t['temperature'] >= 0).all() and (np.diff(t['temperature'], axis=1)[:, pairs] >= 0).all()
        assert ((0 <= t['acceptance']) & (t['acceptance'] <= 1)).all()
        assert np.isin(t['swap'], (-1, 0, 1)).all() and (t['swap'][:, -1] == -1).all()
        p = t['swap_probability']
        assert ((p == -1) == (t['swap'] == -1)).all() and (p <= 1).all() and (p[t['swap'] == 1] > 0).all()
        tried = t['swap'][:, :-1] >= 0
        assert not (tried[:, 1:] & tried[:, :-1]).any(), 'two neighbouring pairs in one round'
        assert (np.sort(t['replica'], axis=1) == np.arange(k)).all(), 'the replicas are not permuted'
        for r in range(rounds - 1):  # the swaps of a round lead to the next one's permutation
            p = t['replica'][r].copy()
            for j in np.nonzero(t['swap'][r] == 1)[0]: p[j], p[j + 1] = p[j + 1], p[j]
            assert (p == t['replica'][r + 1]).all(), (r, p, t['replica'][r + 1])
print('the trace holds')
