"""Reads the body and the query of a request.

Decides which keys there are and which values each takes, and that one answer names all faults, each with its position
and cure. Does not know whether the VMs exist and what is done about them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from refresh.domain.terms import names, resource_id, tags
from refresh.triggers.http.problem import Problem, ProblemKind, path_of

MAX_BODY_BYTES = 2_000_000
MAX_VMS = 5000
_MAX_WHY = 200
_MAX_RUN = 120
VM_CURE = "must be a VM's name or the full resource id of a VM"
# Control characters but for tabs and line ends, and halves of surrogate pairs, which no encoding takes.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# Function keys may be in the query; the host checks them.
_HOST_KEYS = ("code", "clientid")

type Fault = dict[str, str]


@dataclass(frozen=True)
class Body:
    """A request's body, checked. `vms` are names or ids as written; `disk` a name, a full id or `@previous`."""

    vms: tuple[str, ...] = ()
    all: bool = False
    period: str | None = None
    disk: str | None = None
    force: bool = False
    rollout: str | None = None
    rebuild: bool = False
    why: str = ""
    run: str | None = None
    dry_run: bool = False


def _vms(value: Any) -> list[Fault]:
    if not isinstance(value, list) or not value:
        return [_fault("vms", "must be a list of VM names or full resource ids, at least one")]
    if len(value) > MAX_VMS:
        return [_fault("vms", f"names {len(value)} VMs; at most {MAX_VMS} fit into one request")]
    bad = (index for index, name in enumerate(value) if not is_vm(name))
    return [_fault(f"vms/{index}", VM_CURE) for index in bad]


def is_vm(name: Any) -> bool:
    """Whether `name` can be a VM's name or the full resource id of a VM."""
    if not isinstance(name, str):
        return False
    return resource_id.parse_vm(name) is not None if "/" in name else resource_id.is_vm_name(name)


def _flag(name: str) -> Callable[[Any], list[Fault]]:
    return lambda value: [] if isinstance(value, bool) else [_fault(name, "must be true or false")]


def _period(value: Any) -> list[Fault]:
    return [] if names.is_period(value) else [_fault("period", 'must be a month written "YYYYMM", such as "202611"')]


def _disk(value: Any) -> list[Fault]:
    ok = isinstance(value, str) and len(value) <= tags.MAX_VALUE_LENGTH
    if ok and value.lower() != tags.PREVIOUS:
        found = resource_id.parse(value)
        of_a_disk = found is not None and found.type == resource_id.DISK_TYPE
        ok = of_a_disk if "/" in value else resource_id.is_disk_name(value)
    cure = f"must be a disk's name, a disk's full resource id or {tags.PREVIOUS}, at most {tags.MAX_VALUE_LENGTH} long"
    return [] if ok else [_fault("disk", cure)]


def _run(value: Any) -> list[Fault]:
    ok = isinstance(value, str) and 0 < len(value) <= _MAX_RUN
    return [] if ok else [_fault("run", "must be the id of a run, as GET /api/runs shows it")]


def _rollout(value: Any) -> list[Fault]:
    return [] if value in ("auto", "manual") else [_fault("rollout", 'must be "auto" or "manual"')]


def _why(value: Any) -> list[Fault]:
    ok = isinstance(value, str) and len(value) <= _MAX_WHY and not _NO_TEXT.search(value)
    return [] if ok else [_fault("why", f"must be text of at most {_MAX_WHY} characters, without control characters")]


_CHECKS: Mapping[str, Callable[[Any], list[Fault]]] = {
    "vms": _vms,
    "all": _flag("all"),
    "period": _period,
    "disk": _disk,
    "force": _flag("force"),
    "rollout": _rollout,
    "rebuild": _flag("rebuild"),
    "why": _why,
    "run": _run,
    "dryRun": _flag("dryRun"),
}
_FIELDS = {"dryRun": "dry_run"}


def read_body(
    req: func.HttpRequest, takes: Collection[str], *, must_name_vms: bool = False, dry_run: bool = False
) -> Body:
    """The body of `req`, which may have only the keys in `takes`. Problem names all its faults.

    `dry_run` is the default of `dryRun`. With `must_name_vms` the body must have `vms` or `"all": true`, so that a
    forgotten key never stops every VM.
    """
    data = _read_object(req.get_body())
    taken = ", ".join(takes) or "nothing"
    faults = [_fault(key, f"is not accepted; {path_of(req)} accepts {taken}") for key in data if key not in takes]
    for key, value in data.items():
        if key in takes:
            faults += _CHECKS[key](value)
    if data.get("vms") and data.get("all") is True:
        faults.append(_fault("all", "vms and all cannot be combined"))
    if data.get("run") and (data.get("vms") or data.get("all") is True):
        faults.append(_fault("run", "run cannot be combined with vms or all"))
    if must_name_vms and not data.keys() & {"vms", "run"} and data.get("all") is not True:
        faults.append(_fault("", 'must have "vms" with names or ids, or "all": true for every VM in scope'))
    if faults:
        detail = "; ".join(
            f"{fault['pointer'].removeprefix('#/')} {fault['detail']}".strip("# ") for fault in faults[:5]
        )
        raise Problem(ProblemKind.BAD_REQUEST, detail, faults)
    values: dict[str, Any] = {_FIELDS.get(key, key): value for key, value in data.items()}
    return Body(**{"dry_run": dry_run, **values, "vms": tuple(values.get("vms", ()))})


def read_query(req: func.HttpRequest, takes: Collection[str]) -> dict[str, str]:
    """The query of `req`: only keys in `takes`, each with a value. Problem names all its faults."""
    given = {key: value for key, value in req.params.items() if key.lower() not in _HOST_KEYS}
    faults = [
        {"detail": f"{key[:80]} is not accepted; {path_of(req)} accepts {', '.join(takes) or 'no query'}"}
        for key in given
        if key not in takes
    ]
    faults += [{"detail": f"{key} has no value"} for key, value in given.items() if key in takes and not value]
    if faults:
        raise Problem(ProblemKind.BAD_REQUEST, "; ".join(fault["detail"] for fault in faults[:5]), faults)
    return given


def _fault(where: str, detail: str) -> Fault:
    return {"pointer": f"#/{where[:80]}" if where else "#", "detail": detail}


def _read_object(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_BODY_BYTES:
        raise Problem(ProblemKind.TOO_LARGE, f"the body has {len(raw)} bytes; at most {MAX_BODY_BYTES} are read")
    if not raw.strip():
        return {}
    try:
        data = json.loads(raw, object_pairs_hook=_without_doubles)
    except _Doubled as fault:
        raise Problem(ProblemKind.BAD_REQUEST, f"the body has the key {fault.args[0]!r} twice") from None
    except (ValueError, RecursionError):
        raise Problem(ProblemKind.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(data, dict):
        raise Problem(ProblemKind.BAD_REQUEST, "the body must be a JSON object")
    return data


class _Doubled(Exception):
    pass


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Doubled(key[:80])
        found[key] = value
    return found
