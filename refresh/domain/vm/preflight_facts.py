"""What stands around a swap, beside the VM and its disks.

Decides nothing: it carries the app's own rights, the locks of others and what other VMs ask for to the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from refresh.domain.azure.locks import Lock


@dataclass(frozen=True)
class Surroundings:
    """What was found out once for this swap, or for many.

    `gaps` are the actions missing on each resource that it touches, by lower-case id; one that is absent was not asked
    about. `locks` are those of the groups concerned, with everything above and below them; `asked_by` is the id of
    another VM whose tag asks for the same disk, `wishes_read` whether those tags were read at all.
    `takes_premium` says whether the VM's size carries premium disks; None where nobody asked or Azure does not say.
    """

    gaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    locks: tuple[Lock, ...] = ()
    asked_by: str | None = None
    wishes_read: bool = True
    takes_premium: bool | None = None
