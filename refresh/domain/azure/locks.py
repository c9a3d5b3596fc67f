"""Azure's management locks as plain values, and which scope a lock covers."""

from __future__ import annotations

from dataclasses import dataclass

_BELOW = "/providers/microsoft.authorization/locks/"


@dataclass(frozen=True)
class Lock:
    """A management lock: its full id, which names the locked scope, and its level (`ReadOnly`, `CanNotDelete`)."""

    id: str
    level: str

    @property
    def scope(self) -> str:
        """The id of what is locked."""
        return self.id[: self.id.lower().rfind(_BELOW)] if _BELOW in self.id.lower() else ""

    def covers(self, resource: str) -> bool:
        """Whether `resource` (an id) is what is locked or lies below it."""
        locked, target = self.scope.lower().rstrip("/"), resource.lower()
        return target == locked or target.startswith(f"{locked}/")
