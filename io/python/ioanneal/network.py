"""Networks: arrays, rules, hashes, files."""
import hashlib
import math
import os
import tempfile
from dataclasses import dataclass
from typing import Optional

import h5py
import numpy as np

ACTIVATIONS = ("identity", "relu", "gelu", "gelu_tanh", "sigmoid", "tanh", "silu", "leaky_relu", "clipped_relu", "step",
               "sin", "cos", "gaussian", "abs", "negate", "square")
LEAKY_SLOPE = 0.01
NETWORK_SCHEMA = "ioanneal-network"
BUNDLE_SCHEMA = "ioanneal-bundle"


class FormatError(ValueError):
    """A file or a network that breaks the rules; the text says which."""


def parse_activation(text):
    """'clipped_relu:32' -> (8, 32.0)"""
    name, colon, parameter = text.partition(":")
    if name not in ACTIVATIONS:
        raise FormatError(f"unknown activation {name!r}")
    if colon and name not in ("leaky_relu", "clipped_relu"):
        raise FormatError(f"activation {name} takes no parameter")
    if name == "clipped_relu" and not colon:
        raise FormatError("activation clipped_relu needs its upper end, as in clipped_relu:32")
    value = float(parameter) if colon else LEAKY_SLOPE if name == "leaky_relu" else 0.0
    return ACTIVATIONS.index(name), value


@dataclass
class Network:
    """A DAG of N neurons in topological order. Row v of the CSR matrix (data, indices, indptr) holds the connections
    into neuron v; sources ascend within a row and are below v."""
    data: np.ndarray        # float32 [W]
    indices: np.ndarray     # uint32 [W]
    indptr: np.ndarray      # int64 [N + 1]
    bias: np.ndarray        # float32 [N]
    activation: np.ndarray  # uint8 [N], positions in ACTIVATIONS
    inputs: np.ndarray      # uint32 [I]
    outputs: np.ndarray     # uint32 [S]
    activation_param: Optional[np.ndarray] = None  # float32 [N]
    layers: Optional[np.ndarray] = None            # int64 [L + 1]
    name: Optional[str] = None

    def __post_init__(self):
        kinds = {"data": np.float32, "indices": np.uint32, "indptr": np.int64, "bias": np.float32, "activation": np.uint8,
                 "inputs": np.uint32, "outputs": np.uint32, "activation_param": np.float32, "layers": np.int64}
        for field, kind in kinds.items():
            value = getattr(self, field)
            if value is None:
                continue
            value = np.ascontiguousarray(value)
            exact = value.astype(kind)
            if value.dtype.kind in "iu" and value.size and not np.array_equal(exact, value):
                raise FormatError(f"{field}: a value does not fit in {np.dtype(kind).name}")
            setattr(self, field, exact)
        self.check()

    @classmethod
    def from_layers(cls, weights, biases=None, activations=None, name=None):
        """A multilayer perceptron. weights: one matrix [out, in] per layer, NumPy or scipy.sparse (explicit zeros of
        sparse ones are connections, zeros of dense ones are not); biases: one vector, number or None per layer;
        activations: 'NAME[:PARAM]' for all layers or one per layer, by default relu and identity for the last."""
        count = len(weights)
        if count == 0:
            raise FormatError("a network needs a layer")
        biases = [None] * count if biases is None else biases
        if activations is None:
            activations = ["relu"] * (count - 1) + ["identity"]
        elif isinstance(activations, str):
            activations = [activations] * count
        if len(biases) != count or len(activations) != count:
            raise FormatError(f"{count} layers, but {len(biases)} biases and {len(activations)} activations")
        rows = [_rows(w) for w in weights]
        widths = [rows[0][3][1]] + [r[3][0] for r in rows]
        for k, (_, _, _, shape) in enumerate(rows):
            if shape[1] != widths[k]:
                raise FormatError(f"layer {k + 1} has {shape[1]} inputs, but the layer before it has {widths[k]} outputs")
        offsets = np.concatenate(([0], np.cumsum(widths)))
        data, indices, ends = [], [], [np.zeros(widths[0] + 1, np.int64)]
        bias, codes, parameters = np.zeros(offsets[-1], np.float32), np.zeros(offsets[-1], np.uint8), np.zeros(offsets[-1])
        for k, (values, columns, indptr, _) in enumerate(rows):
            data.append(values)
            indices.append(columns.astype(np.int64) + offsets[k])
            ends.append(indptr[1:] + ends[-1][-1])
            here = slice(offsets[k + 1], offsets[k + 2])
            if biases[k] is not None:
                bias[here] = np.asarray(biases[k]).reshape(-1)
            codes[here], parameters[here] = parse_activation(activations[k])
        clipped = codes == ACTIVATIONS.index("clipped_relu")
        return cls(data=np.concatenate(data), indices=np.concatenate(indices), indptr=np.concatenate(ends), bias=bias,
                   activation=codes, activation_param=parameters if parameters.any() or clipped.any() else None,
                   inputs=np.arange(widths[0]), outputs=np.arange(offsets[-2], offsets[-1]), layers=offsets, name=name)

    @property
    def neurons(self):
        return len(self.indptr) - 1

    @property
    def connections(self):
        return len(self.data)

    def destinations(self):
        """Destination of each connection, [W]."""
        return np.repeat(np.arange(self.neurons), np.diff(self.indptr))

    def check(self):
        """Raises FormatError if a rule of the format is broken."""
        n, w = self.neurons, len(self.data)
        if n < 1 or len(self.indices) != w or self.indptr[0] != 0 or self.indptr[-1] != w or (np.diff(self.indptr) < 0).any():
            raise FormatError("indptr, indices and data do not form a CSR matrix")
        if w >= 2**32 or n >= 2**32:
            raise FormatError("there are 2^32 or more connections or neurons")
        rows = self.destinations()
        if (self.indices >= rows).any():
            raise FormatError("a connection does not lead from a lower to a higher neuron")
        if ((rows[1:] == rows[:-1]) & (self.indices[1:] <= self.indices[:-1])).any():
            raise FormatError("sources do not ascend within a row, or a connection is there twice")
        if len(self.bias) != n or len(self.activation) != n or (self.activation_param is not None and
                                                                 len(self.activation_param) != n):
            raise FormatError("bias and activation need one value per neuron")
        if (self.activation >= len(ACTIVATIONS)).any():
            raise FormatError("an activation is unknown")
        for values in (self.data, self.bias, self.activation_param):
            if values is not None and not np.isfinite(values).all():
                raise FormatError("a value is not finite")
        for ids in (self.inputs, self.outputs):
            if len(ids) == 0 or (ids >= n).any() or len(np.unique(ids)) != len(ids):
                raise FormatError("inputs and outputs must be different neurons of the network, at least one")
        if np.intersect1d(self.inputs, self.outputs).size or np.diff(self.indptr)[self.inputs].any():
            raise FormatError("an input is an output, or has incoming connections")
        if self.layers is not None and (len(self.layers) < 2 or self.layers[0] != 0 or self.layers[-1] != n or
                                        (np.diff(self.layers) < 0).any()):
            raise FormatError("layers do not cover the neurons")

    def topology_sha256(self):
        h = hashlib.sha256(np.array([self.neurons, len(self.data), len(self.inputs), len(self.outputs)], "<u8").tobytes())
        for values, kind in ((self.indptr, "<i8"), (self.indices, "<u4"), (self.inputs, "<u4"), (self.outputs, "<u4")):
            h.update(values.astype(kind).tobytes())
        return h.hexdigest()

    def weights_sha256(self, with_param=True):
        h = hashlib.sha256()
        for values, kind in ((self.data, "<f4"), (self.bias, "<f4"), (self.activation, "u1")):
            h.update(values.astype(kind).tobytes())
        if with_param and self.activation_param is not None:
            h.update(self.activation_param.astype("<f4").tobytes())
        return h.hexdigest()

    def matrix(self):
        """scipy.sparse.csr_matrix [N, N], rows = destinations."""
        from scipy.sparse import csr_matrix
        return csr_matrix((self.data, self.indices, self.indptr), shape=(self.neurons, self.neurons))

    def run(self, x):
        """Outputs [batch, S] for inputs [batch, I] in float64, neuron by neuron: obvious, exact and slow."""
        x = np.atleast_2d(np.asarray(x, np.float64))
        if x.shape[1] != len(self.inputs):
            raise ValueError(f"{x.shape[1]} values for {len(self.inputs)} inputs")
        values = np.zeros((self.neurons, x.shape[0]))
        given = np.zeros(self.neurons, bool)
        given[self.inputs] = True
        values[self.inputs] = x.T
        for v in np.flatnonzero(~given):
            here = slice(self.indptr[v], self.indptr[v + 1])
            total = self.bias[v] + self.data[here].astype(np.float64) @ values[self.indices[here]]
            values[v] = _activate(self.activation[v], total, 0.0 if self.activation_param is None else self.activation_param[v])
        return values[self.outputs].T


def _activate(code, x, p):
    name = ACTIVATIONS[code]
    if name in ("gelu", "gelu_tanh"):
        inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
        return x / 2 * (1 + (np.tanh(inner) if name == "gelu_tanh" else np.vectorize(math.erf)(x / np.sqrt(2))))
    sigmoid = np.exp(-np.logaddexp(0, -x))
    return {"identity": x, "relu": np.maximum(x, 0), "sigmoid": sigmoid, "tanh": np.tanh(x), "silu": x * sigmoid,
            "leaky_relu": np.where(x < 0, p * x, x), "clipped_relu": np.minimum(np.maximum(x, 0), p), "step": (x > 0) * 1.0,
            "sin": np.sin(x), "cos": np.cos(x), "gaussian": np.exp(-x * x / 2), "abs": np.abs(x), "negate": -x,
            "square": x * x}[name]


def _rows(weights):
    """(data, columns, indptr, shape) of a matrix [out, in]"""
    if hasattr(weights, "tocsr"):
        m = weights.tocsr().copy()
        m.sum_duplicates()
        return m.data.astype(np.float32), m.indices, m.indptr.astype(np.int64), m.shape
    dense = np.asarray(weights, np.float32)
    if dense.ndim != 2:
        raise FormatError(f"weights have {dense.ndim} dimensions instead of 2")
    rows, columns = np.nonzero(dense)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=dense.shape[0]))))
    return dense[rows, columns], columns, indptr.astype(np.int64), dense.shape


# ---- files ----

def check_schema(f, path, wanted):
    """FormatError unless the open file is of one of the kinds `wanted`, in a version that is known here."""
    found, version = text(f.attrs.get("schema_name", "")), text(f.attrs.get("schema_version", ""))
    if found not in wanted:
        raise FormatError(f"{path}: is of type {found!r}; {' or '.join(wanted)} was expected")
    if version.split(".")[0] != "1":
        raise FormatError(f"{path}: has schema_version {version!r}; 1.x is read here")


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def write_dataset(group, name, values):
    """As io/FORMAT.md wants it: chunked, shuffled, deflated, with checksums; contiguous if empty."""
    if values.size == 0:
        return group.create_dataset(name, data=values, track_times=False)
    return group.create_dataset(name, data=values, chunks=(min(len(values), 65536),), compression="gzip", compression_opts=4,
                                shuffle=True, fletcher32=True, track_times=False)


def _write(f, network):
    f.attrs["schema_name"], f.attrs["schema_version"] = NETWORK_SCHEMA, "1.0"
    f.attrs["software"] = "ioanneal (Python)"
    if network.name is not None:
        f.attrs["name"] = network.name
    f.attrs["topology_sha256"], f.attrs["weights_sha256"] = network.topology_sha256(), network.weights_sha256()
    c = f.create_group("connections")
    c.attrs["encoding-type"], c.attrs["encoding-version"] = "csr_matrix", "0.1.0"
    c.attrs["shape"] = np.array([network.neurons] * 2, "<i8")
    for field in ("data", "indices", "indptr"):
        write_dataset(c, field, getattr(network, field))
    neurons = f.create_group("neurons")
    write_dataset(neurons, "bias", network.bias)
    codes = h5py.enum_dtype({name: code for code, name in enumerate(ACTIVATIONS)}, basetype="u1")
    write_dataset(neurons, "activation", network.activation.astype(codes))
    if network.activation_param is not None:
        write_dataset(neurons, "activation_param", network.activation_param)
    write_dataset(neurons, "inputs", network.inputs)
    write_dataset(neurons, "outputs", network.outputs)
    if network.layers is not None:
        write_dataset(f.create_group("layers"), "offsets", network.layers)


def write_network(network, path):
    """Writes a network file, which appears whole or not at all."""
    network.check()
    path = os.path.realpath(path)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}.", suffix=".tmp")
    os.close(handle)
    try:
        with h5py.File(temporary, "w", libver=("v110", "v110")) as f:
            _write(f, network)
        with open(temporary, "rb+") as f:
            os.fsync(f.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_network(path):
    """Reads a network or a bundle and verifies its hashes."""
    with h5py.File(path, "r") as f:
        check_schema(f, path, (NETWORK_SCHEMA, BUNDLE_SCHEMA))
        c, neurons = f["connections"], f["neurons"]
        if text(c.attrs["encoding-type"]) != "csr_matrix":
            raise FormatError(f"{path}: connections: encoding-type is not csr_matrix")
        try:
            network = Network(
                data=c["data"][:], indices=c["indices"][:], indptr=c["indptr"][:], bias=neurons["bias"][:],
                activation=neurons["activation"][:], inputs=neurons["inputs"][:], outputs=neurons["outputs"][:],
                activation_param=neurons["activation_param"][:] if "activation_param" in neurons else None,
                layers=f["layers/offsets"][:] if "layers/offsets" in f else None,
                name=text(f.attrs["name"]) if "name" in f.attrs else None)
        except (FormatError, KeyError) as e:
            raise FormatError(f"{path}: {e}") from e
        if text(f.attrs["topology_sha256"]) != network.topology_sha256():
            raise FormatError(f"{path}: topology_sha256 is wrong: the file was altered or damaged")
        if text(f.attrs["weights_sha256"]) not in (network.weights_sha256(), network.weights_sha256(with_param=False)):
            raise FormatError(f"{path}: weights_sha256 is wrong: the file was altered or damaged")
    return network
