"""How a record crosses Durable: a frozen dataclass as plain JSON and back.

Decides what is read and what is refused; `from_json()` names the field that is missing or of the wrong type.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from functools import cache
from types import UnionType
from typing import Any, Self, Union, cast, get_args, get_origin, get_type_hints


class BadRecord(ValueError):
    """A record that is not what its name says; the message names the field."""


class Record:
    """A frozen dataclass that crosses Durable as a dict. Fields are plain JSON, other records, or lists of them."""

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON; fields that are None are left out."""
        fields = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))  # type: ignore[arg-type]
        return {name: _to_json(value) for name, value in fields if value is not None}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a record back. BadRecord names the field that is missing or mistyped; unknown keys are ignored."""
        if not isinstance(data, dict):
            raise BadRecord(f"{cls.__name__}: expected an object, got {type(data).__name__}")
        hints = _hints(cast(Hashable, cls))
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if data.get(field.name) is not None:
                values[field.name] = _from_json(data[field.name], hints[field.name], f"{cls.__name__}.{field.name}")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise BadRecord(f"{cls.__name__}.{field.name} is missing")
        return cls(**values)


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    return get_type_hints(cls)


def _to_json(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return value


def _from_json(value: Any, hint: Any, where: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value)
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
