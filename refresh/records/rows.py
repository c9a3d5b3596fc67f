"""Typed access to a state that is stored as one JSON object.

Decides how its parts are read and changed: a part is read when it is used, so a large state is never parsed as a whole,
and a change copies what it changes, so the JSON that was given stays as it was. Keys that this version does not know,
and the order of keys, are kept. Leaves the meaning of rows to `dispatcher_state.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from inspect import get_annotations
from types import UnionType
from typing import Any, Self, Union, dataclass_transform, get_args, get_origin, get_type_hints

from refresh.records.record import BadRecord

type Json = dict[str, Any]

_MISSING: Any = object()


class _Field:
    """One attribute of a row: the value under its key, else its default. BadRecord when there is neither."""

    def __init__(self, name: str, default: Any, read: Callable[[Any], Any] | None) -> None:
        self._name, self._default, self._read = name, default, read

    def __get__(self, row: Row | None, owner: type[Row]) -> Any:
        if row is None:
            return self
        value = row.json.get(self._name, _MISSING)
        if value is _MISSING:
            if self._default is _MISSING:
                raise BadRecord(f"{owner.__name__}.{self._name} is missing")
            return self._default
        return value if self._read is None else self._read(value)

    def __set__(self, row: Row, value: object) -> None:
        raise AttributeError(f"{self._name} cannot be set: `replace` makes a new row")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Row:
    """One JSON object with typed attributes, which subclasses declare as a frozen dataclass does.

    `json` is the object as it is stored and is never changed. Only what is passed to the constructor is stored, null
    included; an absent key reads as its default. A list reads as a tuple, an object as the `Row` that is declared.
    """

    json: Json
    _names: frozenset[str] = frozenset()

    def __init_subclass__(cls) -> None:
        """Turn the declared fields into attributes that read the JSON."""
        hints = get_type_hints(cls)
        declared = list(get_annotations(cls))
        for name in declared:
            setattr(cls, name, _Field(name, cls.__dict__.get(name, _MISSING), _reader_of(hints[name])))
        cls._names = cls._names.union(declared)

    def __init__(self, **fields: Any) -> None:
        """A row with these fields, stored in this order."""
        self.json = self._stored(fields)

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """The row that is stored as `data`."""
        row = cls.__new__(cls)
        row.json = data
        return row

    def replace(self, **changes: Any) -> Self:
        """The row with these fields changed."""
        return self.from_json({**self.json, **self._stored(changes)})

    def updated(self, newer: Row) -> Self:
        """The row with all that is stored in `newer`, keys that this version does not know included."""
        return self.from_json({**self.json, **newer.json})

    def without(self, *names: str) -> Self:
        """The row without these fields."""
        return self.from_json({name: value for name, value in self.json.items() if name not in names})

    def only(self, *names: str) -> Self:
        """The row with those of its fields alone that are in `names`, in their order."""
        return self.from_json({name: self.json[name] for name in names if name in self.json})

    @classmethod
    def _stored(cls, fields: Mapping[str, Any]) -> Json:
        if not cls._names.issuperset(fields):
            raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(set(fields) - cls._names))}")
        return {name: _to_json(value) for name, value in fields.items()}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Row) and self.json == other.json

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.json!r})"


def given(**fields: Any) -> dict[str, Any]:
    """Those of the fields that have a value: neither None nor false nor empty."""
    return {name: value for name, value in fields.items() if value}


def _to_json(value: Any) -> Any:
    if isinstance(value, Row):
        return value.json
    if isinstance(value, tuple | list):
        return [_to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _to_json(item) for key, item in value.items()}
    return value


def _reader_of(hint: Any) -> Callable[[Any], Any] | None:
    """How a stored value becomes what `hint` names; None where it is that already."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _reader_of(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        read_item = _reader_of(args[0])
        return tuple if read_item is None else lambda value: tuple(read_item(item) for item in value)
    if origin is Mapping:
        read_value = _reader_of(args[1])
        return None if read_value is None else lambda value: {key: read_value(each) for key, each in value.items()}
    if isinstance(hint, type) and issubclass(hint, Row):
        return lambda value: None if value is None else hint.from_json(value)
    return None


class StoredState:
    """A state around its JSON. `json` may be stored at any time; what it was made from is never changed."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        """The state that is stored as `stored`; an empty one for None."""
        self.json: Json = dict(stored or {})
        self._copied: set[str] = set()

    def read_table(self, name: str) -> Mapping[str, Any]:
        """The JSON object under `name`, to be read only; empty when there is none."""
        found: Mapping[str, Any] = self.json.get(name, {})
        return found

    def own_table(self, name: str) -> Json:
        """The JSON object under `name`, to be changed: a copy, made once; created when there is none."""
        if name not in self._copied:
            self.json[name] = dict(self.json.get(name, {}))
            self._copied.add(name)
        found: Json = self.json[name]
        return found


class Table[V](MutableMapping[str, V]):
    """A JSON object of a state as a mapping that reads each value when it is used, in stored order."""

    def __init__(self, state: StoredState, name: str, read: Callable[[Any], V]) -> None:
        """The table `name` of `state`; `read` makes a value of its JSON."""
        self._state, self._name, self._read = state, name, read

    def __getitem__(self, key: str) -> V:
        return self._read(self._state.read_table(self._name)[key])

    def __setitem__(self, key: str, value: V) -> None:
        self._state.own_table(self._name)[key] = _to_json(value)

    def __delitem__(self, key: str) -> None:
        del self._state.own_table(self._name)[key]

    def __contains__(self, key: object) -> bool:
        return key in self._state.read_table(self._name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.read_table(self._name))

    def __len__(self) -> int:
        return len(self._state.read_table(self._name))

    def create(self) -> None:
        """Store the table even when it stays empty."""
        self._state.own_table(self._name)


class _Part:
    """A part of a state under the attribute's own name."""

    name: str

    def __set_name__(self, owner: type[StoredState], name: str) -> None:
        self.name = name


class TableOf[V](_Part):
    """Declares a table; `read` makes a value of its JSON."""

    def __init__(self, read: Callable[[Any], V]) -> None:
        """A table of such values."""
        self._read = read

    def __get__(self, state: StoredState, owner: type[StoredState]) -> Table[V]:
        """The table of `state`."""
        return Table(state, self.name, self._read)


class ListOf[R: Row](_Part):
    """Declares a list of rows, read as a tuple and replaced as a whole."""

    def __init__(self, row: type[R]) -> None:
        """A list of such rows."""
        self._row = row

    def __get__(self, state: StoredState, owner: type[StoredState]) -> tuple[R, ...]:
        """The rows of `state`."""
        return tuple(map(self._row.from_json, state.json.get(self.name, ())))

    def __set__(self, state: StoredState, rows: Iterable[R]) -> None:
        """Store these rows instead."""
        state.json[self.name] = [row.json for row in rows]


class OneOf[R: Row](_Part):
    """Declares a row that may be absent: None reads so, and None removes it."""

    def __init__(self, row: type[R]) -> None:
        """Such a row."""
        self._row = row

    def __get__(self, state: StoredState, owner: type[StoredState]) -> R | None:
        """The row of `state`."""
        found = state.json.get(self.name)
        return None if found is None else self._row.from_json(found)

    def __set__(self, state: StoredState, row: R | None) -> None:
        """Store this row instead."""
        if row is None:
            state.json.pop(self.name, None)
        else:
            state.json[self.name] = row.json


class ValueOf[T](_Part):
    """Declares a plain value; an absent one reads as the default."""

    def __init__(self, default: T) -> None:
        """A value that is `default` until it is set."""
        self._default = default

    def __get__(self, state: StoredState, owner: type[StoredState]) -> T:
        """The value of `state`."""
        found: T = state.json.get(self.name, self._default)
        return found

    def __set__(self, state: StoredState, value: T) -> None:
        """Store this value instead."""
        state.json[self.name] = value
