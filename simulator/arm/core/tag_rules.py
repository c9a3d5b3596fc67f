"""Limits and comparison of tags.

Decides that names compare without case and keep the casing of their first write, and that values stay as written. Does
not know the resource or the caller.
https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.arm.core import errors
from simulator.arm.core.store import Json

_MOST, _NAME_LENGTH, _VALUE_LENGTH = 50, 512, 256
_RESERVED = re.compile(r"[<>%&\\?/\x00-\x1f\x7f]")


def check_tags(tags: object) -> None:
    """Refuse tags that no resource can have; None: the request has no tags."""
    if tags is None:
        return
    if not isinstance(tags, Mapping):
        raise errors.invalid_content("tags is not an object")
    if len(tags) > _MOST:
        text = f"The number of tags '{len(tags)}' exceeds the maximum number of tags '{_MOST}' a resource can have."
        raise errors.ArmError(400, "TooManyTags", text)
    bad = [name for name in tags if _RESERVED.search(name)]
    if bad:
        text = f"The tag names '{','.join(bad)}' have reserved characters '<,>,%,&,\\,?,/' or control characters."
        raise errors.ArmError(400, "InvalidTagNameCharacters", text)
    if len({name.lower() for name in tags}) < len(tags):
        raise errors.ArmError(400, "DuplicateTagNames", "Tag names are compared without case and must be unique.")
    for name, value in tags.items():
        if not name or len(name) > _NAME_LENGTH:
            text = f"Tag name too large or empty. Following tag name '{name[:64]}' exceeds {_NAME_LENGTH} characters."
            raise errors.ArmError(400, "InvalidTagName", text)
        if not isinstance(value, str):
            raise errors.invalid_content(f"the value of tag {name!r} is not a string")
        if len(value) > _VALUE_LENGTH:
            text = f"Tag value too large. Following tag value '{value[:64]}' exceeds {_VALUE_LENGTH} characters."
            raise errors.ArmError(400, "InvalidTagValueLength", text)


def merge_tags(tags: Mapping[str, str], change: Mapping[str, str]) -> Json:
    """`tags` with `change` applied; a name that exists keeps its casing."""
    result = dict(tags)
    known = {name.lower(): name for name in result}
    for name, value in change.items():
        result[known.get(name.lower(), name)] = value
    return result


def remove_tags(tags: Mapping[str, str], gone: Mapping[str, str]) -> Json:
    """`tags` without those that `gone` names; a tag stays when `gone` names it with another value."""
    values = {name.lower(): value for name, value in gone.items()}
    return {
        name: value
        for name, value in tags.items()
        if name.lower() not in values or values[name.lower()] not in ("", value)
    }
