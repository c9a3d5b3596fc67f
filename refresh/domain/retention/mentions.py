"""Finds every reference to a disk in tags and in the dispatcher's state.

Decides that a disk is referred to wherever its name occurs, in any tag of any VM and in any resource group: what the
owner of a tag meant by it cannot be known, and a disk kept too long costs little. Leaves what follows to `disks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.terms import resource_id

_WORD = re.compile(r"[a-z0-9_.\-]+")
# Work that is requested or under way: every disk whose name occurs anywhere in it is needed.
_OPEN_WORK = ("hints", "look", "queue", "running", "down", "unproven")
# Hashes of disk ids, by VM.
_RECORDED = {"ran": "one of the last disks a VM ran", "proved": "the last disk a VM was seen healthy on"}


@dataclass(frozen=True)
class Mentions:
    """References to disks: `tagged` and `at_work` by the disk's name (lower-case), `remembered` by its id's hash."""

    tagged: Mapping[str, str] = field(default_factory=dict)
    at_work: frozenset[str] = frozenset()
    remembered: Mapping[str, str] = field(default_factory=dict)

    def by_tag(self, name: str) -> str | None:
        """Which tag has this disk's name in it; None when none has."""
        return self.tagged.get(name.lower())

    def by_dispatcher(self, disk_id: str, name: str) -> str | None:
        """Why the dispatcher needs the disk; None when it does not."""
        if name.lower() in self.at_work:
            return "needed by a swap that is requested, under way or still to be proved"
        return self.remembered.get(resource_id.id_hash(disk_id))


def read_mentions(owners: Iterable[tuple[str, Mapping[str, str]]], dispatcher_state: Mapping[str, Any]) -> Mentions:
    """Every reference in the tags of `owners` (a description and the tags) and in the dispatcher's stored state."""
    tagged: dict[str, str] = {}
    for owner, tags in owners:
        for tag, value in tags.items():
            for word in _words(value):
                tagged.setdefault(word, f"tag {tag} of {owner}")
    at_work = {word for part in _OPEN_WORK for text in _texts(dispatcher_state.get(part)) for word in _words(text)}
    remembered = {text: why for part, why in _RECORDED.items() for text in _texts(dispatcher_state.get(part))}
    return Mentions(tagged, frozenset(at_work), remembered)


def _words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text.lower()):
        yield word
        # No disk name ends with either: such a word is a name at the end of a sentence.
        if word != (trimmed := word.rstrip(".-")):
            yield trimmed


def _texts(part: object) -> Iterator[str]:
    """Every text in a part of the state, the keys of its objects too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
