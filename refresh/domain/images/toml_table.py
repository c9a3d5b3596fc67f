"""Values of a TOML table, with every fault collected instead of raised.

Decides which values each kind accepts and the text of a fault. Does not know what the table describes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

STORAGE = ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
ENCRYPTION_SET = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/diskEncryptionSets/[^/]+", re.IGNORECASE
)
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9 ]{1,40}")


class Table:
    """A table of a TOML file; every key that is not read is a fault as well."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        """Read from `values`; faults name the table `name`."""
        self._name, self._values = name, values
        self._faults: list[str] = []
        self._known: set[str] = set()
        self._inner: list[Table] = []

    def faults(self) -> list[str]:
        """Each fault of the table and of the tables in it, as a sentence."""
        strange = [key for key in self._values if key not in self._known]
        unknown = [f"{self._name} has {key!r}; it takes {', '.join(sorted(self._known))}" for key in strange]
        return [*self._faults, *unknown, *(fault for table in self._inner for fault in table.faults())]

    def text(self, key: str) -> str:
        """A text that must be there."""
        value = self._take(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        self._fault(key, "must be a text")
        return ""

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of `allowed`, in any case; without a default it must be there."""
        value = self._take(key)
        if value is None and default is not None:
            return default
        found = next((each for each in allowed if isinstance(value, str) and each.lower() == value.lower()), None)
        if found is None:
            self._fault(key, f"must be one of {', '.join(allowed) or 'the galleries in REFRESH_GALLERIES'}")
        return found or ""

    def number(self, key: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`; None when it is not there."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._fault(key, f"must be a whole number from {low} to {high}")
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """True or false; None when it is not there."""
        value = self._take(key)
        if value is not None and not isinstance(value, bool):
            self._fault(key, "must be true or false")
        return value if isinstance(value, bool) else None

    def names(self, key: str) -> tuple[str, ...]:
        """A list of regions."""
        value = self._take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) and _REGION.fullmatch(each) for each in value):
            self._fault(key, 'must be a list of regions such as ["westeurope"]')
            return ()
        return tuple(value)

    def texts(
        self,
        key: str,
        keys: Collection[str] = (),
        *,
        values: Collection[str] = (),
        pattern: re.Pattern[str] | None = None,
    ) -> dict[str, str]:
        """A table of texts; with `keys` exactly these, each text one of `values` or matching `pattern`."""
        found = self._take(key)
        if found is None:
            return {}
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            self._fault(key, "must be a table of texts")
            return {}
        if keys and set(found) != set(keys):
            self._fault(key, f"must have {', '.join(keys)}")
        for name, value in found.items():
            if values and value not in values:
                self._fault(f"{key}.{name}", f"must be one of {', '.join(values)}")
            if pattern is not None and not pattern.fullmatch(value):
                self._fault(f"{key}.{name}", "must be the full id of a disk encryption set")
        return dict(found)

    def table(self, key: str) -> Table:
        """A table in this one, empty when it is not there."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self._fault(key, "must be a table")
        inner = Table(f"{self._name[:-1]}.{key}]", value if isinstance(value, dict) else {})
        self._inner.append(inner)
        return inner

    def _take(self, key: str) -> Any:
        self._known.add(key)
        return self._values.get(key)

    def _fault(self, key: str, what: str) -> None:
        self._faults.append(f"{self._name} {key} {what}")
