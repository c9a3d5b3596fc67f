"""Merging and cleaning the JSON bodies of resources.

Decides how a PATCH body changes a resource. Does not know resource types.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

from simulator.arm.core.store import Json


def merged(base: Mapping[str, object], change: Mapping[str, object]) -> Json:
    """`base` with `change` applied: objects merge, everything else is replaced, null removes (RFC 7396)."""
    result = copy.deepcopy(dict(base))
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(old := result.get(key), dict):
            result[key] = merged(old, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def without(body: Mapping[str, object], keys: Iterable[str]) -> Json:
    """A deep copy of `body` without `keys`."""
    dropped = set(keys)
    return {key: copy.deepcopy(value) for key, value in body.items() if key not in dropped}


def public(body: Mapping[str, object]) -> Json:
    """`body` without the simulator's scenario keys, which begin with an underscore."""
    return {key: value for key, value in body.items() if not key.startswith("_")}
