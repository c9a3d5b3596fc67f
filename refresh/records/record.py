"""How a record crosses Durable: a frozen dataclass as plain JSON and back.

Decides what `from_json()` accepts and which JSON key a field has. `BadRecord` names the field that is missing or has
the wrong type. The records themselves are in the modules beside this one.

Only plain JSON crosses: the Functions converter takes str, int, float, bool, None, list and dict and refuses
dataclasses.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, Self, Union, cast, get_args, get_origin, get_type_hints

JSON_KEY = "json_key"
"""In a field's metadata: its key in JSON, where that is not the field's name."""


class BadRecord(ValueError):
    """JSON that is not the expected record; the message names the field."""


class Record:
    """A frozen dataclass that crosses Durable as a dict. Fields are plain JSON, enums, other records, or lists."""

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON; fields that are None are left out."""
        fields = ((_key(field), getattr(self, field.name)) for field in dataclasses.fields(self))  # type: ignore[arg-type]
        return {key: _to_json(value) for key, value in fields if value is not None}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The record with these values. BadRecord for a field that is missing or mistyped; unknown keys are ignored."""
        if not isinstance(data, dict):
            raise BadRecord(f"{cls.__name__}: expected an object, got {type(data).__name__}")
        hints = _hints(cast(Hashable, cls))
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            value = data.get(_key(field))
            if value is not None:
                values[field.name] = _from_json(value, hints[field.name], f"{cls.__name__}.{field.name}")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise BadRecord(f"{cls.__name__}.{field.name} is missing")
        return cls(**values)


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    return get_type_hints(cls)


def _key(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get(JSON_KEY, field.name))


def _to_json(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return value


def _from_json(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        hint = _choose_hint(value, [arg for arg in get_args(hint) if arg is not type(None)])
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member(value, hint, where)
    origin, args = get_origin(hint) or hint, get_args(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise BadRecord(f"{where}: expected a list, got {type(value).__name__}")
        return tuple(_from_json(item, args[0], where) for item in value)
    expected = (int, float) if origin is float else origin
    if origin is not Any and (
        not isinstance(value, expected) or (isinstance(value, bool) and origin not in (bool, object))
    ):
        raise BadRecord(f"{where}: expected {getattr(origin, '__name__', origin)}, got {type(value).__name__}")
    return value


def _choose_hint(value: Any, hints: list[Any]) -> Any:
    """The type to read `value` as. `SomeEnum | str` is an enum that newer versions extend: other texts stay texts."""
    return hints[1] if len(hints) > 1 and value not in list(hints[0]) else hints[0]


def _member(value: Any, hint: type[StrEnum], where: str) -> StrEnum:
    try:
        return hint(value)
    except ValueError:
        raise BadRecord(f"{where}: expected one of {', '.join(hint)}, got {value!r:.40}") from None
