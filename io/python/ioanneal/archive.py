"""Schedule archives, and the schedules in bundles."""
from dataclasses import dataclass, field
from typing import Dict, List, Optional

import h5py
import numpy as np

from .network import BUNDLE_SCHEMA, FormatError, check_schema, text

ARCHIVE_SCHEMA = "ioanneal-archive"


def _plain(value):
    """Attributes as Python has them: text, numbers, arrays."""
    if isinstance(value, (bytes, str)):
        return text(value)
    return value.item() if np.ndim(value) == 0 and hasattr(value, "item") else value


@dataclass
class Schedule:
    """order[t] = connection handled at step t; attributes as in io/FORMAT.md (memory, policy, reads, writes, total,
    lower_bound, upper_bound, excess, baseline_total, method, seed, ..)."""
    order: np.ndarray
    attributes: Dict[str, object]
    trace: Dict[str, np.ndarray] = field(default_factory=dict)
    measured: List[Dict[str, object]] = field(default_factory=list)
    search_times: Dict[str, np.ndarray] = field(default_factory=dict)  # seconds, round by round

    def __getattr__(self, name):
        try:
            return self.__dict__["attributes"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class Archive:
    network: Dict[str, object]  # name, neurons, connections, inputs, outputs, topology_sha256, weights_sha256
    schedules: List[Schedule]
    provenance: Dict[str, str]

    def matches(self, network):
        """Does the archive belong to this network's topology?"""
        return self.network["topology_sha256"] == network.topology_sha256()

    def nearest(self, memory, policy="min") -> Optional[Schedule]:
        """The schedule for memory and policy; without one, the nearest memory size by ratio (the smaller of two equally
        near), those of the same policy first."""
        def distance(s):
            ratio = max(s.memory / memory, memory / s.memory)
            return s.policy != policy, ratio, s.memory
        return min(self.schedules, key=distance, default=None)


def check_order(network, order):
    """True if `order` is a permutation of the connections in which all incoming connections of a neuron stand before
    its outgoing ones."""
    w = network.connections
    order = np.asarray(order)
    if len(order) != w or not np.array_equal(np.sort(order), np.arange(w)):
        return False
    if w == 0:
        return True
    step = np.empty(w, np.int64)
    step[order] = np.arange(w)
    last = np.full(network.neurons, -1)
    np.maximum.at(last, network.destinations(), step)
    return bool((last[network.indices] < step).all())


def _read_schedule(group, path, connections):
    order = group["order"][:]
    if order.shape != (connections,) or not np.array_equal(np.sort(order), np.arange(connections)):
        raise FormatError(f"{path}: {group.name}/order: is no permutation of the connections")
    measured = []
    for name in sorted(n for n in group.get("measured", ()) if n.isdigit()):
        m = group["measured"][name]
        measured.append({**{k: _plain(v) for k, v in m.attrs.items()}, **{k: m[k][:] for k in m}})
    return Schedule(order=order, attributes={k: _plain(v) for k, v in group.attrs.items()},
                    trace={k: v[:] for k, v in group.get("trace", {}).items()}, measured=measured,
                    search_times={k: v[:] for k, v in group.get("measured/search", {}).items()})


def read_archive(path):
    """Reads a whole archive or the archive part of a bundle."""
    with h5py.File(path, "r") as f:
        check_schema(f, path, (ARCHIVE_SCHEMA, BUNDLE_SCHEMA))
        network = {k: _plain(v) for k, v in f["network"].attrs.items()}
        if text(f.attrs["schema_name"]) == BUNDLE_SCHEMA and text(f.attrs["topology_sha256"]) != network["topology_sha256"]:
            raise FormatError(f"{path}: its schedules belong to another topology than its network")
        schedules = [_read_schedule(f["schedules"][name], path, network["connections"]) for name in sorted(f["schedules"])]
        provenance = {k: text(v) for k, v in f["provenance"].attrs.items()} if "provenance" in f else {}
    return Archive(network=network, schedules=schedules, provenance=provenance)
