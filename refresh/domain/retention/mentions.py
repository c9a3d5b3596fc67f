"""Who speaks of which disk: tags, and the dispatcher's book.

Decides that a disk is spoken of wherever its name stands, in any tag of any VM and in any group: nobody can know what
the owner of a tag meant by it, and a disk too many costs little. Refuses to judge what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from refresh.domain.terms import resource_id

_WORD = re.compile(r"[a-z0-9_.\-]+")
# Work that is asked for or under way: every disk whose name stands anywhere in it is needed.
_OPEN_WORK = ("hints", "look", "queue", "running", "down", "unproven")
# Hashes of disk ids, by VM.
_MEMORY = {"ran": "one of the last disks a VM ran", "proved": "the last disk a VM was seen healthy on"}


@dataclass(frozen=True)
class Mentions:
    """Who speaks of a disk: `tagged` and `at_work` by its name (lower-case), `remembered` by the hash of its id."""

    tagged: Mapping[str, str] = field(default_factory=dict)
    at_work: frozenset[str] = frozenset()
    remembered: Mapping[str, str] = field(default_factory=dict)

    def by_tag(self, name: str) -> str | None:
        """Which tag has this disk's name in it; None when none has."""
        return self.tagged.get(name.lower())

    def by_book(self, disk_id: str, name: str) -> str | None:
        """What the dispatcher's book holds the disk for; None when for nothing."""
        if name.lower() in self.at_work:
            return "needed by a swap that is asked for, under way or still to be proved"
        return self.remembered.get(resource_id.id_hash(disk_id))


def read_mentions(owners: Iterable[tuple[str, Mapping[str, str]]], book: Mapping[str, Any]) -> Mentions:
    """Everything that `owners` (who, and his tags) and the dispatcher's `book` say of disks."""
    tagged: dict[str, str] = {}
    for owner, tags in owners:
        for tag, value in tags.items():
            for word in _words(value):
                tagged.setdefault(word, f"tag {tag} of {owner}")
    at_work = {word for part in _OPEN_WORK for text in _texts(book.get(part)) for word in _words(text)}
    remembered = {text: why for part, why in _MEMORY.items() for text in _texts(book.get(part))}
    return Mentions(tagged, frozenset(at_work), remembered)


def _words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text.lower()):
        yield word
        # A disk's name ends with neither: what does is a name at the end of a sentence.
        if word != (trimmed := word.rstrip(".-")):
            yield trimmed


def _texts(part: object) -> Iterator[str]:
    """Every text in a part of the book, the keys of its objects too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
