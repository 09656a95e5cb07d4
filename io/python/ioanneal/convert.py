"""Models of other packages as networks. Nothing of those packages is imported: their objects say what is needed. What is
no chain of dense layers is refused rather than guessed."""
import warnings

import numpy as np

from .network import FormatError, Network

_PASSIVE = ("Identity", "Dropout", "AlphaDropout", "Flatten", "Unflatten", "GaussianDropout", "GaussianNoise", "InputLayer",
            "ActivityRegularization", "Cast", "Reshape", "Squeeze", "Unsqueeze")
_MERGED = "only chains of dense layers can be converted"


class _Chain:
    """Layers one after the other, each with its activation."""

    def __init__(self):
        self.weights, self.biases, self.activations, self.ended = [], [], [], False

    def dense(self, weights, bias, where):
        if self.ended:
            raise FormatError(f"{where}: follows a softmax, which is possible only at the end")
        self.weights.append(np.asarray(weights, np.float32))
        self.biases.append(None if bias is None else np.asarray(bias, np.float32))
        self.activations.append("")

    def activate(self, name, where):
        if not self.weights:
            raise FormatError(f"{where}: stands before the first layer")
        if self.activations[-1] or self.ended:
            raise FormatError(f"{where}: a second activation of one layer")
        if name == "softmax":
            self.ended = True
            warnings.warn("the softmax at the end is left out: outputs are its arguments", stacklevel=3)
        elif name != "identity":
            self.activations[-1] = name

    def network(self, name):
        return Network.from_layers(self.weights, self.biases, [a or "identity" for a in self.activations], name=name)


def _numpy(tensor):
    """A torch tensor (on any device, of any float type) or anything NumPy takes."""
    for step in ("detach", "cpu", "float"):
        tensor = getattr(tensor, step)() if hasattr(tensor, step) else tensor
    return np.asarray(tensor.numpy() if hasattr(tensor, "numpy") else tensor)


# ---- PyTorch ----

def _torch_activation(module):
    kind = type(module).__name__
    simple = {"ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "SiLU": "silu", "ReLU6": "clipped_relu:6",
              "Softmax": "softmax", "LogSoftmax": "softmax"}
    if kind in simple:
        return simple[kind]
    if kind == "GELU":
        return "gelu_tanh" if getattr(module, "approximate", "none") == "tanh" else "gelu"
    if kind == "LeakyReLU":
        return f"leaky_relu:{module.negative_slope!r}"
    if kind == "Hardtanh" and module.min_val == 0:
        return f"clipped_relu:{module.max_val!r}"
    return None


def _torch_leaves(module, prefix=""):
    """(name, leaf, sequential): leaves in the sequence in which they were defined; `sequential`: they also run so."""
    children = list(module.named_children())
    if not children:
        yield prefix or type(module).__name__, module, True
    for name, child in children:
        for leaf_name, leaf, sequential in _torch_leaves(child, f"{prefix}.{name}" if prefix else name):
            yield leaf_name, leaf, sequential and type(module).__name__ == "Sequential"


def from_torch(module, activations=None, name=None):
    """A torch.nn.Sequential (nested ones too) of Linear layers and activations.

    Other modules decide in their code what runs when; for those, `activations` ('NAME[:PARAM]' for all or one per layer)
    must be given, and the Linear layers are taken in the sequence in which they were defined. Masks of
    torch.nn.utils.prune are part of the weights already. Zero weights are no connections."""
    chain = _Chain()
    for where, leaf, sequential in _torch_leaves(module):
        kind = type(leaf).__name__
        if not sequential and activations is None:
            raise FormatError(f"{where}: the module is no Sequential, so its activations must be given")
        if hasattr(leaf, "in_features") and hasattr(leaf, "weight") and _numpy(leaf.weight).ndim == 2:
            bias = getattr(leaf, "bias", None)
            chain.dense(_numpy(leaf.weight), None if bias is None else _numpy(bias), where)
        elif kind in _PASSIVE or activations is not None and _torch_activation(leaf):
            continue
        elif activations is None and _torch_activation(leaf):
            chain.activate(_torch_activation(leaf), where)
        else:
            raise FormatError(f"{where}: {kind} cannot be converted; {_MERGED}")
    if activations is not None:
        return Network.from_layers(chain.weights, chain.biases, activations, name=name)
    return chain.network(name)


# ---- Keras ----

def _keras_activation(function, where):
    kind = getattr(function, "__name__", str(function))
    known = {"linear": "identity", "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softmax": "softmax", "gelu": "gelu",
             "silu": "silu", "swish": "silu", "relu6": "clipped_relu:6", "leaky_relu": "leaky_relu:0.2"}
    if kind not in known:
        raise FormatError(f"{where}: activation {kind} is not known")
    return known[kind]


def _keras_relu(layer, where):
    config = layer.get_config()
    most, slope = config.get("max_value"), config.get("negative_slope") or 0.0
    if config.get("threshold") or (most is not None and slope):
        raise FormatError(f"{where}: a ReLU of a kind that is not known")
    if most is not None:
        return f"clipped_relu:{float(most)!r}"
    return f"leaky_relu:{float(slope)!r}" if slope else "relu"


def from_keras(model, name=None):
    """A Keras model (2 or 3) that is a chain of Dense layers and activations."""
    chain = _Chain()
    if len(getattr(model, "outputs", None) or [0]) > 1 or len(getattr(model, "inputs", None) or [0]) > 1:
        raise FormatError(f"the model has several inputs or outputs; {_MERGED}")
    for layer in model.layers:
        where = layer.name
        inner = getattr(layer, "layer", layer)  # pruning wrappers hold the layer itself
        kind = type(inner).__name__
        if kind in ("Dense", "QDense"):
            arrays = inner.get_weights()
            chain.dense(np.asarray(arrays[0]).T, arrays[1] if len(arrays) > 1 else None, where)
            chain.activate(_keras_activation(inner.activation, where), where)
        elif kind == "Activation":
            chain.activate(_keras_activation(inner.activation, where), where)
        elif kind == "ReLU":
            chain.activate(_keras_relu(inner, where), where)
        elif kind == "LeakyReLU":
            config = inner.get_config()
            chain.activate(f"leaky_relu:{float(config.get('alpha', config.get('negative_slope', 0.3)))!r}", where)
        elif kind == "Softmax":
            chain.activate("softmax", where)
        elif kind not in _PASSIVE:
            raise FormatError(f"{where}: {kind} cannot be converted; {_MERGED}")
    return chain.network(name if name is not None else getattr(model, "name", None))


# ---- ONNX ----

def _onnx_array(tensor):
    """A TensorProto of floating-point numbers."""
    raw, shape = bytes(tensor.raw_data), tuple(tensor.dims)
    if getattr(tensor, "data_location", 0) == 1:
        raise FormatError(f"{tensor.name}: its data is in another file; save the model as one file")
    kinds = {1: ("<f4", "float_data"), 10: ("<f2", "int32_data"), 11: ("<f8", "double_data"), 16: ("<u2", "int32_data")}
    if tensor.data_type not in kinds:
        return None
    kind, typed = kinds[tensor.data_type]
    if raw:
        values = np.frombuffer(raw, kind)
    elif typed == "int32_data":
        values = np.array(list(tensor.int32_data), np.uint16).view(kind)
    else:
        values = np.array(list(getattr(tensor, typed)), kind)
    if tensor.data_type == 16:  # bfloat16: the upper half of a float32
        values = (values.astype(np.uint32) << 16).view(np.float32)
    return values.reshape(shape)


def _onnx_attributes(node):
    values = {}
    for a in node.attribute:
        values[a.name] = {1: a.f, 2: a.i, 3: a.s, 4: a.t}.get(a.type)
    return values


class _OnnxWalk:
    """Follows the one path from the graph's input to its output."""

    def __init__(self, graph):
        self.graph, self.chain = graph, _Chain()
        self.tensors = {t.name: _onnx_array(t) for t in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and "value" in _onnx_attributes(node):
                self.tensors[node.output[0]] = _onnx_array(_onnx_attributes(node)["value"])
            if node.op_type == "Identity" and node.input[0] in self.tensors:
                self.tensors[node.output[0]] = self.tensors[node.input[0]]
            if node.op_type == "Transpose" and self.tensors.get(node.input[0]) is not None:
                self.tensors[node.output[0]] = self.tensors[node.input[0]].T

    def tensor(self, name, where):
        if self.tensors.get(name) is None:
            raise FormatError(f"{where}: {name} is not in the file, or not of floating point; {_MERGED}")
        return self.tensors[name]

    def add_bias(self, values, where):
        chain = self.chain
        if not chain.weights or chain.activations[-1] or chain.ended:
            raise FormatError(f"{where}: a bias must follow right behind its weights")
        outputs = chain.weights[-1].shape[0]
        values = np.asarray(values, np.float32).reshape(-1)
        if values.size not in (1, outputs):
            raise FormatError(f"{where}: adds something that is no bias of the layer before it")
        before = np.zeros(outputs, np.float32) if chain.biases[-1] is None else chain.biases[-1]
        chain.biases[-1] = before + values

    def gemm(self, node, value, where):
        a = _onnx_attributes(node)
        if a.get("transA") or node.input[0] != value:
            raise FormatError(f"{where}: weights must be the second input, and transA 0")
        weights = self.tensor(node.input[1], where)
        alpha = a["alpha"] if a.get("alpha") is not None else 1.0
        self.chain.dense(np.float32(alpha) * (weights if a.get("transB") else weights.T), None, where)
        if len(node.input) > 2 and node.input[2]:
            beta = a["beta"] if a.get("beta") is not None else 1.0
            self.add_bias(np.float32(beta) * self.tensor(node.input[2], where), where)

    def clip(self, node, where):
        a, bounds = _onnx_attributes(node), [None, None]
        for i, key in enumerate(("min", "max")):
            given = node.input[i + 1] if len(node.input) > i + 1 else ""
            bounds[i] = float(self.tensor(given, where).reshape(())) if given else a.get(key)
        chain = self.chain
        behind = bool(chain.weights) and chain.activations[-1] == "relu" and (bounds[0] is None or bounds[0] <= 0)
        if behind:
            chain.activations[-1] = ""
        elif bounds[0] != 0:
            raise FormatError(f"{where}: Clip is no clipped relu (from 0 to a positive value)")
        chain.activate("relu" if bounds[1] is None else f"clipped_relu:{bounds[1]!r}", where)

    def step(self, node, value):
        kind, where = node.op_type, node.name or node.output[0]
        simple = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Abs": "abs", "Neg": "negate", "Sin": "sin", "Cos": "cos",
                  "Softmax": "softmax", "LogSoftmax": "softmax"}
        if kind == "MatMul":
            if node.input[0] != value:
                raise FormatError(f"{where}: weights must be the second input")
            self.chain.dense(self.tensor(node.input[1], where).T, None, where)
        elif kind == "Gemm":
            self.gemm(node, value, where)
        elif kind == "Add":
            self.add_bias(self.tensor(node.input[1] if node.input[0] == value else node.input[0], where), where)
        elif kind == "Clip":
            self.clip(node, where)
        elif kind == "LeakyRelu":
            slope = _onnx_attributes(node).get("alpha")
            self.chain.activate(f"leaky_relu:{0.01 if slope is None else slope!r}", where)
        elif kind == "Gelu":
            self.chain.activate("gelu_tanh" if _onnx_attributes(node).get("approximate") == b"tanh" else "gelu", where)
        elif kind in simple:
            self.chain.activate(simple[kind], where)
        elif kind not in _PASSIVE:
            raise FormatError(f"{where}: {kind} cannot be converted; {_MERGED}")

    def run(self, name):
        inputs = [i.name for i in self.graph.input if i.name not in self.tensors]
        if len(inputs) != 1 or len(self.graph.output) != 1:
            raise FormatError(f"the model has {len(inputs)} inputs and {len(self.graph.output)} outputs; {_MERGED}")
        value, end = inputs[0], self.graph.output[0].name
        for _ in range(len(self.graph.node)):
            if value == end:
                break
            readers = [n for n in self.graph.node if value in n.input]
            if len(readers) != 1:
                raise FormatError(f"value {value} is read {len(readers)} times; {_MERGED}")
            self.step(readers[0], value)
            value = readers[0].output[0]
        if value != end or not self.chain.weights:
            raise FormatError("the output is never reached, or there is no dense layer")
        return self.chain.network(name)


def from_onnx(model, name=None):
    """An ONNX model (onnx.ModelProto, or the path of a file, which takes the package onnx) that is a chain of MatMul or
    Gemm, Add and activations."""
    if isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        import onnx
        model = onnx.load(model)
    return _OnnxWalk(model.graph).run(name if name is not None else model.graph.name or None)
