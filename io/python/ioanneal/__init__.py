"""Networks and schedule archives of ioanneal in Python; the formats are those of io/FORMAT.md.

    net = ioanneal.from_torch(model)              # or from_onnx, from_keras, Network.from_layers
    ioanneal.write_network(net, "net.h5")         # for: ioanneal optimize net.h5 -o best.h5 --memory 32
    best = ioanneal.read_archive("best.h5")
    order = best.nearest(32).order                # connections of net in the order to handle them
"""
from .archive import Archive, Schedule, read_archive
from .convert import from_keras, from_onnx, from_torch
from .network import ACTIVATIONS, FormatError, Network, read_network, write_network

__all__ = ["ACTIVATIONS", "Archive", "FormatError", "Network", "Schedule", "from_keras", "from_onnx", "from_torch",
           "read_archive", "read_network", "write_network"]
__version__ = "0.1.0"
