"""Stores a state's resource ids without the parts that they have in common.

Decides the stored form: each id below a resource group is `~g~t~name`, where `g` and `t` are places in the list `ids`
of the state, which has each resource group and each type (of a child with its parents' names) once. Another text that
begins with `~` has one more in front. Does not know what the ids are of, and keeps their case, which ARM ignores.
"""

from __future__ import annotations

from typing import Any

IDS = "ids"
_MARK = "~"
_SHORTENED = ("/", _MARK)
# The segments of "/subscriptions/…/resourceGroups/…", and with "/providers/Microsoft.Compute/disks" at least.
_GROUP_ENDS, _TYPE_ENDS = 5, 8

type Json = dict[str, Any]


class _Places:
    """The places of resource groups and types, and the short form of everything before a resource's own name."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self._heads: dict[str, str | None] = {}

    def short(self, text: str) -> str:
        if text[0] == _MARK:
            return _MARK + text
        head, _, name = text.rpartition("/")
        if head not in self._heads:
            self._heads[head] = self._place(head.split("/"))
        found = self._heads[head]
        return text if found is None else found + name

    def _place(self, head: list[str]) -> str | None:
        if len(head) < _TYPE_ENDS or head[1].lower() != "subscriptions" or head[_GROUP_ENDS].lower() != "providers":
            return None
        group = self.places.setdefault("/".join(head[:_GROUP_ENDS]), len(self.places))
        kind = self.places.setdefault("/".join(head[_GROUP_ENDS:]), len(self.places))
        return f"{_MARK}{group}{_MARK}{kind}{_MARK}"


def shorten_ids(state: Json, without_ids: frozenset[str] = frozenset()) -> Json:
    """The stored form of a state; the parts named in `without_ids` have no resource ids and stay as they are."""
    places = _Places()
    short = places.short

    def shorten(value: Any) -> Any:
        # Exact types: this runs for each value of the state at each operation.
        kind = type(value)
        if kind is str:
            return short(value) if value[:1] in _SHORTENED else value
        if kind is dict:
            return {short(key) if key[:1] in _SHORTENED else key: shorten(each) for key, each in value.items()}
        return [shorten(each) for each in value] if kind is list or kind is tuple else value

    parts = {name: part if name in without_ids else shorten(part) for name, part in state.items()}
    return {IDS: list(places.places), **parts}


def restore_ids(stored: Json, without_ids: frozenset[str] = frozenset()) -> Json:
    """The state whose stored form this is; one that was stored with whole ids stays as it is."""
    if IDS not in stored:
        return stored
    places = stored[IDS]

    def whole(text: str) -> str:
        if text[1:2] == _MARK:
            return text[1:]
        _, group, kind, name = text.split(_MARK, 3)
        return f"{places[int(group)]}/{places[int(kind)]}/{name}"

    def restore(value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return whole(value) if value[:1] == _MARK else value
        if kind is dict:
            return {whole(key) if key[:1] == _MARK else key: restore(each) for key, each in value.items()}
        return [restore(each) for each in value] if kind is list else value

    return {name: part if name in without_ids else restore(part) for name, part in stored.items() if name != IDS}
