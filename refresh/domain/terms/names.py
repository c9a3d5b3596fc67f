"""Names that the monthly refresh makes: periods, image versions, disks; and how regions compare.

Decides the spelling of every name, how a disk's name is read, and which version name comes next. Does not know whether
anything of that name exists.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from refresh.domain.terms import resource_id

MAX_REBUILDS = 99
FIRST_PERIOD = "200001"
_MAX_PART = 2**31 - 1
_MAX_DISK_NAME = 80
_MONTH = r"20\d\d(?:0[1-9]|1[0-2])"
_PERIOD = re.compile(rf"^{_MONTH}\Z", re.ASCII)
_SUFFIX = re.compile(rf"-(?P<period>{_MONTH})(?:-(?P<attempt>[1-9]\d?))?\Z", re.ASCII)
# The longest VM name that a disk name holds whole.
_MAX_VM_PART = _MAX_DISK_NAME - len(f"-YYYYMM-{MAX_REBUILDS}")
_VERSION = re.compile(r"^(\d{1,10})\.(\d{1,10})\.(\d{1,10})\Z", re.ASCII)


def period_at(moment: datetime) -> str:
    """The period (`YYYYMM`) that `moment` (UTC) falls in."""
    return f"{moment.year:04d}{moment.month:02d}"


def month_after(period: str) -> str:
    """The period after `period`."""
    year, month = int(period[:4]), int(period[4:])
    return f"{year + month // 12:04d}{month % 12 + 1:02d}"


def is_period(text: object) -> bool:
    """Whether `text` is a month of this century, `YYYYMM`."""
    return isinstance(text, str) and bool(_PERIOD.match(text))


def version_number(name: str) -> tuple[int, int, int] | None:
    """An image version's name as Azure orders it; None when it is not three int32 numbers.

    https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries#image-versions
    """
    found = _VERSION.match(name)
    if found is None:
        return None
    major, minor, patch = (int(part) for part in found.groups())
    return (major, minor, patch) if max(major, minor, patch) <= _MAX_PART else None


def next_version(existing: Iterable[str], period: str) -> str | None:
    """The next version name `YYYYMM.N.0` of `period`, N from 1: numerically above all of `existing`.

    None when an existing version is above every name of this period.
    """
    numbers = [number for name in existing if (number := version_number(name)) is not None]
    major = int(period)
    minor = max((number[1] for number in numbers if number[0] == major), default=0) + 1
    if minor > _MAX_PART or any(number > (major, minor, 0) for number in numbers):
        return None
    return f"{major}.{minor}.0"


class DiskName(NamedTuple):
    """The parts of a disk's name; `vm` is the VM's name, of a long one its beginning and a hash."""

    vm: str
    period: str
    attempt: int = 1


def disk_name(vm_name: str, period: str, attempt: int = 1) -> str:
    """The name of a VM's disk of `period`: `<vm>-<yyyymm>`, then `-2`, `-3` … for each later `attempt`.

    At most 80 characters: a VM name that is too long is cut, and a hash of the whole name added, so that two VMs never
    share a disk name and one VM always gets the same. `parse_disk_name` is the inverse.
    """
    vm = vm_name
    if len(vm_name) > _MAX_VM_PART:
        digest = hashlib.sha256(vm_name.lower().encode()).hexdigest()[:8]
        vm = f"{vm_name[: _MAX_VM_PART - 9]}-{digest}"
    return f"{vm}-{period}" if attempt == 1 else f"{vm}-{period}-{attempt}"


def parse_disk_name(name: str) -> DiskName | None:
    """The parts of a name that `disk_name` makes; None for any other name."""
    found = _SUFFIX.search(name)
    if found is None:
        return None
    parsed = DiskName(name[: found.start()], found["period"], int(found["attempt"] or 1))
    return parsed if resource_id.is_vm_name(parsed.vm) and disk_name(*parsed) == name else None


def same_edge_zone(left: str | None, right: str | None) -> bool:
    """Whether two edge zones are one; None is the region itself."""
    return (left or "").lower() == (right or "").lower()


def region_key(name: str) -> str:
    """A region as ARM compares it: `West Europe` and `westeurope` are the same."""
    return name.replace(" ", "").lower()
