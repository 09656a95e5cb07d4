#!/usr/bin/env bash
# The whole road on a really pruned network: weights in, archive out, the accuracy that its authors trained it to.
. "$IOA_SUPPORT/support.sh"

data=$IOA_SHARED/data/outerspace_mlp
[ -e "$data/fc1_weight.mtx" ] || skip "$data is missing"
[ -n "$h5python" ] || skip "$no_h5python"

ioa_json import "$data"/fc[123]_weight.mtx --bias "$data/fc1_bias.mtx,$data/fc2_bias.mtx,$data/fc3_bias.mtx" \
    --activation relu,relu,identity -o net.h5
expect_json "$json_file" "[(l['inputs'], l['outputs'], l['connections']) for l in d['layers']] == [(784, 1000, 7840), (1000, 1000, 10000), (1000, 10, 100)]"
expect_exit 0 mpi 3 optimize net.h5 -o best.h5 --memory 100 --seconds 4 --seed 1 --timing 0.5 --json -q
cp "$out" "$json_file"
expect_json "$json_file" "d['schedules'][0]['verified'] and d['schedules'][0]['lower_bound'] == 19308 and d['schedules'][0]['baseline_total'] == 19308 + 5183"
expect_json "$json_file" "d['schedules'][0]['excess'] < 5183 / 2" # less than half of the layered order's
expect_exit 0 ioa check best.h5 --network net.h5
expect_text 'passed; legal, recounted'
if [ -e "$IOA_SHARED/tools/recount.py" ]; then
    expect_exit 0 "$h5python" "$IOA_SHARED/tools/recount.py" net.h5 best.h5
    expect_text 'M=100 min legal=True'
else
    note "recount.py is missing under $IOA_SHARED"
fi

"$h5python" - "$data" <<'PY' || fail "the test images cannot be read"
import gzip, sys
import h5py, numpy as np
def idx(name, offset): return np.frombuffer(gzip.open(f'{sys.argv[1]}/{name}').read(), 'u1', offset=offset)
x = idx('t10k-images-idx3-ubyte.gz', 16).reshape(10000, 784).astype('f4') / np.float32(255)
with h5py.File('x.h5', 'w') as f: f['x'] = x
np.save('labels.npy', idx('t10k-labels-idx1-ubyte.gz', 8))
PY
expect_exit 0 ioa run net.h5 --input x.h5 --output layered.h5
expect_exit 0 ioa run net.h5 --schedule best.h5 --input x.h5 --output best-y.h5
cat >"$scratch/accuracy.py" <<'PY'
import h5py, numpy as np
labels = np.load('labels.npy')
y = {name: h5py.File(name)['y'][:] for name in ('layered.h5', 'best-y.h5')}
right = {name: int((v.argmax(1) == labels).sum()) for name, v in y.items()}
difference = float(np.abs(y['layered.h5'] - y['best-y.h5']).max())
print(right, 'of 10000 right; largest difference of an output', difference)
assert set(right.values()) == {9764} and difference < 1e-4 * float(np.abs(y['layered.h5']).max())
PY
expect_exit 0 "$h5python" "$scratch/accuracy.py"
cat "$out"
expect_clean
