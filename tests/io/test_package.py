"""The Python package against the library: what one writes the other reads, hashes agree, and files of real writers
(NumPy, SciPy, h5py; onnx, safetensors and torch where they are installed) arrive as the networks they were made from.

usage: test_package.py FOLDER IO_TOOL      FOLDER holds net.h5 and archive.h5 of write_sample"""
import importlib
import os
import subprocess
import sys
import unittest
import warnings
from types import SimpleNamespace

import h5py
import numpy as np

import ioanneal
from ioanneal.archive import check_order

folder, tool = sys.argv[1], sys.argv[2]
rng = np.random.default_rng(5)


def path(name):
    return os.path.join(folder, name)


def run_tool(*arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout.split()


def optional(test, name):
    try:
        return importlib.import_module(name)
    except ImportError:
        test.skipTest(f"no module {name}")


def sparse_layers():
    """Weights [out, in] of 9 - 7 - 5 - 4, about a third of them, and biases."""
    widths = (9, 7, 5, 4)
    weights = [np.where(rng.random((o, i)) < 0.35, rng.standard_normal((o, i)), 0).astype(np.float32)
               for i, o in zip(widths, widths[1:])]
    return weights, [rng.standard_normal(o).astype(np.float32) for o in widths[1:]]


def plain_numpy(weights, biases, x):
    for k, (w, b) in enumerate(zip(weights, biases)):
        x = x @ w.T.astype(np.float64) + b
        if k + 1 < len(weights):
            x = np.maximum(x, 0)
    return x


class Files(unittest.TestCase):
    def same_hashes(self, file, network):
        self.assertEqual(run_tool("hashes", file), [network.topology_sha256(), network.weights_sha256()])

    def imported(self, file, network, *arguments):
        run_tool("import", file, path("out.h5"), *(arguments or ("-",)))
        self.same_hashes(path("out.h5"), network)

    def test_python_writes(self):
        weights, biases = sparse_layers()
        for activations in (None, "tanh", ["relu", "clipped_relu:6", "identity"], ["leaky_relu", "gelu", "silu"]):
            network = ioanneal.Network.from_layers(weights, biases, activations, name="nömen")
            ioanneal.write_network(network, path("p.h5"))
            self.same_hashes(path("p.h5"), network)
            again = ioanneal.read_network(path("p.h5"))
            self.assertEqual(again.name, "nömen")
            self.assertEqual(again.weights_sha256(), network.weights_sha256())
        empty = ioanneal.Network.from_layers([np.zeros((2, 3))])
        ioanneal.write_network(empty, path("e.h5"))
        self.same_hashes(path("e.h5"), empty)

    def test_python_reads(self):
        network = ioanneal.read_network(path("net.h5"))
        self.same_hashes(path("net.h5"), network)
        ioanneal.write_network(network, path("copy.h5"))
        self.same_hashes(path("copy.h5"), network)
        archive = ioanneal.read_archive(path("archive.h5"))
        self.assertTrue(archive.matches(network))
        self.assertEqual([s.memory for s in archive.schedules], [8, 9])
        self.assertEqual(archive.nearest(8).policy, "min")
        self.assertEqual(archive.nearest(100, "lru").memory, 9)
        self.assertTrue(check_order(network, archive.schedules[0].order))
        self.assertFalse(check_order(network, archive.schedules[0].order[::-1]))
        self.assertEqual(archive.schedules[0].trace["energies"].shape, (3, 4))
        self.assertEqual(archive.schedules[0].measured[0]["batch"], 128)
        self.assertEqual(archive.provenance["command"], 'ioanneal optimize "a b"')
        self.assertEqual(archive.schedules[0].total, archive.schedules[0].reads + archive.schedules[0].writes)
        self.assertEqual(run_tool("schedules", path("archive.h5"), path("net.h5")), ["2"])

    def test_refusals(self):
        with self.assertRaisesRegex(ioanneal.FormatError, "ioanneal-archive"):
            ioanneal.read_network(path("archive.h5"))
        ioanneal.write_network(ioanneal.read_network(path("net.h5")), path("bad.h5"))
        with h5py.File(path("bad.h5"), "r+") as f:
            f["connections/data"][0] += 1
        with self.assertRaisesRegex(ioanneal.FormatError, "weights_sha256"):
            ioanneal.read_network(path("bad.h5"))
        good = ioanneal.Network.from_layers(*sparse_layers())
        for field, value in (("indices", good.indices[::-1]), ("bias", good.bias[1:]), ("inputs", [0, 0]), ("outputs", [0]),
                             ("data", good.data * np.nan), ("indices", good.indices.astype(np.int64) - 1)):
            with self.assertRaises(ioanneal.FormatError, msg=field):
                ioanneal.Network(**{**good.__dict__, field: np.asarray(value)})
        with self.assertRaises(ioanneal.FormatError):
            ioanneal.write_network(SimpleNamespace(check=lambda: (_ for _ in ()).throw(ioanneal.FormatError("x"))), path("x"))

    def test_run(self):
        weights, biases = sparse_layers()
        x = rng.standard_normal((11, 9))
        network = ioanneal.Network.from_layers(weights, biases)
        self.assertLess(np.abs(network.run(x) - plain_numpy(weights, biases, x)).max(), 1e-12)

    def test_numpy(self):
        weights, biases = sparse_layers()
        network = ioanneal.Network.from_layers(weights, biases)
        named = {f"{n}{k + 1}": a for k, (w, b) in enumerate(zip(weights, biases)) for n, a in (("W", w.T), ("b", b))}
        for save in (np.savez, np.savez_compressed):
            save(path("m.npz"), **named)
            self.imported(path("m.npz"), network)
            save(path("m.npz"), *[a for w, b in zip(weights, biases) for a in (w.T.astype(np.float64), b)])
            self.imported(path("m.npz"), network)
        np.save(path("w.npy"), np.asfortranarray(weights[0]))
        single = ioanneal.Network.from_layers(weights[:1], None)
        self.imported(path("w.npy"), single, "-", "out-in")
        np.save(path("w.npy"), weights[0].astype(">f8"))
        self.imported(path("w.npy"), single, "-", "out-in")

    def test_scipy(self):
        sparse = optional(self, "scipy.sparse")
        weights, _ = sparse_layers()
        single = ioanneal.Network.from_layers(weights[:1], None)
        for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix):
            for compressed in (False, True):
                sparse.save_npz(path("s.npz"), kind(weights[0]), compressed=compressed)
                self.imported(path("s.npz"), single, "-", "out-in")
            self.assertEqual(ioanneal.Network.from_layers([kind(weights[0])]).weights_sha256(), single.weights_sha256())
        self.assertEqual(single.matrix().nnz, np.count_nonzero(weights[0]))

    def test_keras_file(self):
        weights, biases = sparse_layers()
        network = ioanneal.Network.from_layers(weights, biases)
        for kind in ("S", "str"):  # fixed and variable lengths
            with h5py.File(path("k.h5"), "w") as f:
                names = [f"dense_{k}" for k in range(3)]
                f.attrs["layer_names"] = np.array(names, "S") if kind == "S" else names
                for name, w, b in zip(names, weights, biases):
                    g = f.create_group(name)
                    parts = [f"{name}/kernel:0", f"{name}/bias:0"]
                    g.attrs["weight_names"] = np.array(parts, "S") if kind == "S" else parts
                    g.create_dataset(parts[0], data=w.T)
                    g.create_dataset(parts[1], data=b)
            self.imported(path("k.h5"), network)

    def test_safetensors(self):
        numpy_files = optional(self, "safetensors.numpy")
        weights, biases = sparse_layers()
        tensors = {f"layers.{k}.{n}": np.ascontiguousarray(a) for k, (w, b) in enumerate(zip(weights, biases))
                   for n, a in (("weight", w), ("bias", b))}
        numpy_files.save_file(tensors, path("m.safetensors"))
        self.imported(path("m.safetensors"), ioanneal.Network.from_layers(weights, biases))

    def test_onnx(self):
        onnx = optional(self, "onnx")
        from onnx import TensorProto, helper, numpy_helper
        weights, biases = sparse_layers()
        arrays = {"w0": weights[0].T, "b0": biases[0], "w1": weights[1], "b1": biases[1], "w2": weights[2].T, "b2": biases[2]}
        nodes = [helper.make_node("MatMul", ["x", "w0"], ["a"]), helper.make_node("Add", ["a", "b0"], ["b"]),
                 helper.make_node("Relu", ["b"], ["c"]), helper.make_node("Gemm", ["c", "w1", "b1"], ["d"], transB=1),
                 helper.make_node("Relu", ["d"], ["e"]), helper.make_node("Gemm", ["e", "w2", "b2"], ["f"]),
                 helper.make_node("Softmax", ["f"], ["y"])]
        network = ioanneal.Network.from_layers(weights, biases)
        for raw in (False, True):
            initializers = [numpy_helper.from_array(np.ascontiguousarray(a), n) if raw else
                            helper.make_tensor(n, TensorProto.FLOAT, a.shape, a.flatten()) for n, a in arrays.items()]
            graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 9])],
                                      [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])], initializers)
            onnx.save(helper.make_model(graph), path("m.onnx"))
            self.imported(path("m.onnx"), network)
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                self.assertEqual(ioanneal.from_onnx(path("m.onnx")).weights_sha256(), network.weights_sha256())

    def test_bundle(self):
        network, archive = ioanneal.read_network(path("bundle.h5")), ioanneal.read_archive(path("bundle.h5"))
        self.assertEqual(network.weights_sha256(), ioanneal.read_network(path("net.h5")).weights_sha256())
        self.assertTrue(archive.matches(network) and len(archive.schedules) == 2)
        self.assertEqual(run_tool("schedules", path("bundle.h5"), path("bundle.h5")), ["2"])


# ---- models of the packages themselves, run by them and by what they became ----

class Packages(unittest.TestCase):
    def agree(self, network, x, y, imported=None):
        """The network, and the one the importer made of the package's file, compute what the package does."""
        y = np.asarray(y, np.float64)
        self.assertGreater(np.abs(y).max(), 1e-3)
        self.assertLess(np.abs(network.run(x) - y).max(), 2e-6 * max(1, np.abs(y).max()))
        if imported:
            self.assertEqual(run_tool("hashes", imported), [network.topology_sha256(), network.weights_sha256()])

    def test_keras(self):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("KERAS_BACKEND", "numpy")
        warnings.simplefilter("ignore")  # of a package that warns of itself; unittest takes it back
        keras = optional(self, "keras")
        layers = keras.layers
        weights, biases = sparse_layers()
        x = rng.standard_normal((13, 9)).astype(np.float32)

        def fill(model):
            dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
            for layer, w, b in zip(dense, weights, biases):
                layer.set_weights([w.T, b] if layer.use_bias else [w.T])
            return model

        models = []
        for activation in ("relu", "gelu", "silu", "tanh", "sigmoid", "leaky_relu", "relu6"):
            models.append(keras.Sequential([layers.Dense(7, activation=activation), layers.Dropout(0.1), layers.Dense(5), layers.ReLU(),
                                            layers.Dense(4)]))
        models.append(keras.Sequential([layers.Dense(7), layers.LeakyReLU(negative_slope=0.25), layers.Dense(5, use_bias=False),
                                        layers.ReLU(max_value=1.5), layers.Dense(4)]))
        i = keras.Input((9,))
        models.append(keras.Model(i, layers.Dense(4)(layers.Dense(5, activation="relu")(layers.Dense(7, activation="tanh", name="own")(i)))))
        for number, model in enumerate(models):
            model.build((None, 9))
            fill(model)
            network = ioanneal.from_keras(model)
            self.agree(network, x, model.predict(x, verbose=0))
            for name, save in (("m.keras", model.save), ("m.h5", model.save)):
                save(path(name))
                run_tool("import", path(name), path("out.h5"), "-")
                self.agree(network, x, model.predict(x, verbose=0), path("out.h5"))
            model.save_weights(path("m.weights.h5"))
            run_tool("import", path("m.weights.h5"), path("out.h5"), "identity")
            self.assertEqual(run_tool("hashes", path("out.h5"))[0], network.topology_sha256(), number)
        i = keras.Input((9,))
        h = layers.Dense(9)(i)
        skip = keras.Model(i, layers.Dense(4)(layers.Add()([i, h])))
        skip.save(path("m.keras"))
        with self.assertRaisesRegex(AssertionError, "class Add"):
            run_tool("import", path("m.keras"), path("out.h5"), "-")
        with self.assertRaises(ioanneal.FormatError):
            ioanneal.from_keras(skip)

    def torch_models(self, torch):
        nn = torch.nn
        for activation in (nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.SiLU(), nn.LeakyReLU(0.2), nn.ReLU6(), nn.Hardtanh(0, 2.5),
                           nn.GELU(approximate="tanh")):
            weights, biases = sparse_layers()
            model = nn.Sequential(nn.Linear(9, 7), activation, nn.Dropout(0.5), nn.Sequential(nn.Linear(7, 5, bias=False), nn.ReLU()),
                                  nn.Linear(5, 4)).eval()
            for layer, w, b in zip([m for m in model.modules() if isinstance(m, nn.Linear)], weights, biases):
                layer.weight.data = torch.from_numpy(w)
                if layer.bias is not None:
                    layer.bias.data = torch.from_numpy(b)
            yield activation, model

    def test_torch(self):
        torch = optional(self, "torch")
        x = rng.standard_normal((13, 9)).astype(np.float32)
        for activation, model in self.torch_models(torch):
            with self.subTest(activation=str(activation)):
                self.agree(ioanneal.from_torch(model), x, model(torch.from_numpy(x)).detach().numpy())
        pruned = torch.nn.Sequential(torch.nn.Linear(9, 7), torch.nn.ReLU(), torch.nn.Linear(7, 4))
        import torch.nn.utils.prune as prune
        prune.l1_unstructured(pruned[0], "weight", amount=0.8)
        network = ioanneal.from_torch(pruned)
        self.assertEqual(network.connections, 63 - round(0.8 * 63) + 28)
        self.agree(network, x, pruned(torch.from_numpy(x)).detach().numpy())

    def test_torch_onnx_export(self):
        torch = optional(self, "torch")
        onnx = optional(self, "onnx")
        x = rng.standard_normal((13, 9)).astype(np.float32)
        done = 0
        for activation, model in self.torch_models(torch):
            with self.subTest(activation=str(activation)):
                for fold in (True, False):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        torch.onnx.export(model, torch.from_numpy(x), path("t.onnx"), do_constant_folding=fold)
                    try:
                        network = ioanneal.from_onnx(onnx.load(path("t.onnx")))
                    except ioanneal.FormatError as error:  # an activation spelt out in arithmetic is refused, not guessed
                        self.assertIn(type(activation).__name__, ("GELU", "SiLU"))
                        self.assertRegex(str(error), "cannot be converted|only chains|read 2 times")
                        with self.assertRaisesRegex(AssertionError, "t.onnx: "):
                            run_tool("import", path("t.onnx"), path("out.h5"), "-")
                        continue
                    run_tool("import", path("t.onnx"), path("out.h5"), "-")
                    self.agree(network, x, model(torch.from_numpy(x)).detach().numpy(), path("out.h5"))
                    done += 1
        self.assertGreaterEqual(done, 10)

    def test_onnx_reference(self):
        onnx = optional(self, "onnx")
        reference = optional(self, "onnx.reference")
        from onnx import TensorProto, helper, numpy_helper
        weights, biases = sparse_layers()
        x = rng.standard_normal((13, 9)).astype(np.float32)
        for kind, attributes in (("Relu", {}), ("Tanh", {}), ("Sigmoid", {}), ("LeakyRelu", {"alpha": 0.3}), ("Abs", {}), ("Neg", {}),
                                 ("Sin", {}), ("Gelu", {}), ("Gelu", {"approximate": "tanh"}), ("LeakyRelu", {})):
            nodes = [helper.make_node("Gemm", ["x", "w0", "b0"], ["a"], transB=1, alpha=0.5, beta=2.0),
                     helper.make_node(kind, ["a"], ["c"], **attributes), helper.make_node("MatMul", ["c", "w1"], ["d"]),
                     helper.make_node("Add", ["d", "b1"], ["e"]), helper.make_node("Relu", ["e"], ["f"]),
                     helper.make_node("Gemm", ["f", "w2"], ["y"])]
            arrays = {"w0": weights[0], "b0": biases[0], "w1": weights[1].T, "b1": biases[1], "w2": weights[2].T}
            graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 9])],
                                      [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 4])],
                                      [numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in arrays.items()])
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
            onnx.save(model, path("r.onnx"))
            run_tool("import", path("r.onnx"), path("out.h5"), "-")
            self.agree(ioanneal.from_onnx(path("r.onnx")), x, reference.ReferenceEvaluator(model).run(None, {"x": x})[0], path("out.h5"))


class Golden(unittest.TestCase):
    def test_every_version(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
        versions = [v for v in sorted(os.listdir(root)) if v[0].isdigit()]
        self.assertTrue(versions)
        for version in versions:
            names = {n: os.path.join(root, version, n) for n in ("net.h5", "archive.h5", "bundle.h5", "x.h5", "y.h5")}
            dump = subprocess.run([sys.executable, os.path.join(root, "dump.py"), "net.h5", "archive.h5", "x.h5", "y.h5"],
                                  cwd=os.path.join(root, version), capture_output=True, text=True, check=True)
            with open(os.path.join(root, version, "expected.txt"), encoding="utf-8") as f:
                self.assertEqual(dump.stdout, f.read())
            network, archive = ioanneal.read_network(names["bundle.h5"]), ioanneal.read_archive(names["bundle.h5"])
            self.assertEqual(network.weights_sha256(), ioanneal.read_network(names["net.h5"]).weights_sha256())
            self.assertTrue(archive.matches(network))
            for packed, schedule in zip(archive.schedules, ioanneal.read_archive(names["archive.h5"]).schedules):
                self.assertTrue(check_order(network, packed.order) and np.array_equal(packed.order, schedule.order))
            with h5py.File(names["x.h5"]) as x, h5py.File(names["y.h5"]) as y:
                self.assertLess(np.abs(network.run(x["x"][:]) - y["y"][:]).max(), 1e-6)


# ---- converters, on objects that look like those of the packages ----

def fake(kind, **attributes):
    attributes.setdefault("named_children", lambda: [])
    return type(kind, (SimpleNamespace,), {})(**attributes)


def linear(w, b):
    return fake("Linear", in_features=w.shape[1], weight=w, bias=b)


def sequential(*modules):
    return fake("Sequential", named_children=lambda: [(str(i), m) for i, m in enumerate(modules)])


class Converters(unittest.TestCase):
    def setUp(self):
        self.weights, self.biases = sparse_layers()
        self.layers = [linear(w, b) for w, b in zip(self.weights, self.biases)]
        self.hash = ioanneal.Network.from_layers(self.weights, self.biases).weights_sha256()

    def test_torch_like(self):
        relu, one, two, three = fake("ReLU"), *self.layers
        nested = sequential(sequential(one, relu, fake("Dropout")), two, relu, three)
        self.assertEqual(ioanneal.from_torch(nested).weights_sha256(), self.hash)
        custom = fake("Mine", named_children=lambda: [("a", one), ("b", two), ("act", relu), ("c", three)])
        with self.assertRaisesRegex(ioanneal.FormatError, "must be given"):
            ioanneal.from_torch(custom)
        self.assertEqual(ioanneal.from_torch(custom, ["relu", "relu", "identity"]).weights_sha256(), self.hash)
        with self.assertRaisesRegex(ioanneal.FormatError, "Conv2d"):
            ioanneal.from_torch(sequential(one, fake("Conv2d")))
        with self.assertRaisesRegex(ioanneal.FormatError, "second activation"):
            ioanneal.from_torch(sequential(one, relu, fake("Tanh")))
        with self.assertWarnsRegex(UserWarning, "softmax"):
            ioanneal.from_torch(sequential(one, fake("Softmax")))
        net = ioanneal.from_torch(sequential(one, fake("LeakyReLU", negative_slope=0.2), two, fake("GELU", approximate="tanh")))
        self.assertEqual([ioanneal.ACTIVATIONS[c] for c in (net.activation[9], net.activation[-1])], ["leaky_relu", "gelu_tanh"])
        self.assertAlmostEqual(float(net.activation_param[9]), 0.2, places=6)

    def test_torch(self):
        torch = optional(self, "torch")
        modules = []
        for w, b in zip(self.weights, self.biases):
            layer = torch.nn.Linear(w.shape[1], w.shape[0])
            layer.weight.data, layer.bias.data = torch.from_numpy(w), torch.from_numpy(b)
            modules += [layer, torch.nn.ReLU()]
        self.assertEqual(ioanneal.from_torch(torch.nn.Sequential(*modules[:-1])).weights_sha256(), self.hash)

    def test_keras_like(self):
        def dense(k, activation):
            return fake("Dense", name=f"d{k}", get_weights=lambda: [self.weights[k].T, self.biases[k]],
                        activation=SimpleNamespace(__name__=activation))
        relu = fake("ReLU", name="r", get_config=lambda: {"max_value": None, "negative_slope": 0.0, "threshold": 0.0})
        model = SimpleNamespace(name="m", layers=[fake("InputLayer", name="i"), dense(0, "linear"), relu, dense(1, "relu"),
                                                  dense(2, "softmax")])
        with self.assertWarnsRegex(UserWarning, "softmax"):
            net = ioanneal.from_keras(model)
        self.assertEqual((net.weights_sha256(), net.name), (self.hash, "m"))
        model.layers.insert(3, fake("Concatenate", name="c"))
        with self.assertRaisesRegex(ioanneal.FormatError, "Concatenate"):
            ioanneal.from_keras(model)

    def test_onnx_like(self):
        def tensor(name, a):
            return SimpleNamespace(name=name, dims=a.shape, data_type=1, raw_data=b"", float_data=list(a.flatten()))

        def node(kind, inputs, output, **whole):
            attributes = [SimpleNamespace(name=n, type=2, i=v, f=0.0, s=b"", t=None) for n, v in whole.items()]
            return SimpleNamespace(op_type=kind, name="", input=inputs, output=[output], attribute=attributes)

        w, b = self.weights, self.biases
        graph = SimpleNamespace(
            name="g", input=[SimpleNamespace(name="x")], output=[SimpleNamespace(name="y")],
            initializer=[tensor("w0", w[0].T), tensor("b0", b[0]), tensor("w1", w[1]), tensor("b1", b[1]), tensor("w2", w[2])],
            node=[node("MatMul", ["x", "w0"], "a"), node("Add", ["b0", "a"], "b"), node("Relu", ["b"], "c"),
                  node("Gemm", ["c", "w1", "b1"], "d", transB=1), node("Relu", ["d"], "e"),
                  node("Transpose", ["w2"], "t"), node("MatMul", ["e", "t"], "y")])
        net = ioanneal.from_onnx(SimpleNamespace(graph=graph))
        self.assertEqual(net.weights_sha256(),
                         ioanneal.Network.from_layers(w, [b[0], b[1], None]).weights_sha256())
        graph.node.append(node("Add", ["c", "d"], "z"))
        with self.assertRaisesRegex(ioanneal.FormatError, "read 2 times"):
            ioanneal.from_onnx(SimpleNamespace(graph=graph))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
