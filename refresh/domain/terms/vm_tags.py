"""The tags of one VM, parsed once.

Decides how each tag of the contract is read: names compare without case, values are trimmed, and a value that cannot be
read becomes a `TagFault`, never a default. Tags are untrusted input. Does not know the VM, its disks or the settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from refresh.domain.terms import tags as names
from refresh.domain.terms.intent_tag import OpenIntent, read_intent_tag
from refresh.domain.terms.probe import CURE, Probe, parse_probe
from refresh.domain.terms.stop_mode import StopWish

HEALTH_TIMEOUT_FROM_S, HEALTH_TIMEOUT_TO_S = 30, 3600
"""Bounds of `RefreshHealthTimeoutS` and of the setting `REFRESH_HEALTH_TIMEOUT_S`."""


@dataclass(frozen=True)
class TagFault:
    """A tag whose value cannot be read; `message` names the tag, its value and the cure."""

    tag: str
    message: str


@dataclass(frozen=True)
class VmTags:
    """The tags of one VM as values; None where a tag is absent.

    `auto_refresh`, `os_disk_name`, `os_disk_previous` and `refresh_state` are the values as they are written; `image`
    and `rejected` are trimmed and empty when absent. `not_built` are the tags of the VM that the app does not support
    yet.
    """

    auto_refresh: str | None = None
    os_disk_name: str | None = None
    os_disk_previous: str | None = None
    refresh_state: str | None = None
    rejected: str = ""
    image: str = ""
    stop_mode: StopWish | TagFault | None = None
    probe: Probe | TagFault | None = None
    health_timeout_s: int | TagFault | None = None
    not_built: tuple[str, ...] = ()

    @property
    def wanted(self) -> str:
        """The value of `OsDiskName`, trimmed; empty when there is none."""
        return (self.os_disk_name or "").strip()

    @property
    def previous(self) -> str:
        """The value of `OsDiskPrevious`, trimmed; empty when there is none."""
        return (self.os_disk_previous or "").strip()

    @property
    def wants_previous(self) -> bool:
        """Whether `OsDiskName` is `@previous`, in any case."""
        return self.wanted.lower() == names.PREVIOUS

    @property
    def open_intent(self) -> OpenIntent | None:
        """The open swap that `RefreshState` names; None when there is none or it cannot be read."""
        return read_intent_tag(self.refresh_state)

    @property
    def on_hold(self) -> bool:
        """Whether `AutoRefresh=hold`: the VM stays in scope and the app does nothing to it."""
        return (self.auto_refresh or "").strip().lower() == "hold"

    @property
    def in_scope(self) -> bool:
        """Whether `AutoRefresh` is `true` or `hold`, in any case."""
        return names.is_true(self.auto_refresh) or self.on_hold

    @property
    def why_out_of_scope(self) -> str:
        """Why a VM that is not in scope is left out, with the value of its tag: its owner may believe that it is in."""
        value = self.auto_refresh
        if value is None:
            return f"{names.AUTO_REFRESH} is not on this VM; set it to true to have it refreshed"
        if value.strip().lower() == "false":
            return f"{names.AUTO_REFRESH}={value}: the VM is left out; set it to true to have it refreshed"
        return (
            f"{names.AUTO_REFRESH}={value!r} is none of true, hold and false; set it to true to have the VM refreshed"
        )

    def choose_stop_mode(self, default: str) -> StopWish | None:
        """The VM's own stop mode, else the setting's (`default`); None when the tag cannot be read."""
        return None if isinstance(self.stop_mode, TagFault) else self.stop_mode or StopWish(default)


def parse_vm_tags(tags: Mapping[str, str]) -> VmTags:
    """Read every tag of the contract for VMs among `tags`."""

    def text_of(name: str) -> str:
        return names.text_of(tags, name)

    return VmTags(
        auto_refresh=names.value_of(tags, names.AUTO_REFRESH),
        os_disk_name=names.value_of(tags, names.OS_DISK_NAME),
        os_disk_previous=names.value_of(tags, names.OS_DISK_PREVIOUS),
        refresh_state=names.value_of(tags, names.REFRESH_STATE),
        rejected=text_of(names.OS_DISK_REJECTED),
        image=text_of(names.REFRESH_IMAGE),
        stop_mode=_stop_mode(text_of(names.REFRESH_STOP_MODE)),
        probe=_probe(text_of(names.REFRESH_PROBE)),
        health_timeout_s=_health_timeout_s(text_of(names.REFRESH_HEALTH_TIMEOUT_S)),
        not_built=tuple(name for name in names.NOT_BUILT_YET if names.value_of(tags, name) is not None),
    )


def _stop_mode(text: str) -> StopWish | TagFault | None:
    if not text or text.lower() in StopWish:
        return StopWish(text.lower()) if text else None
    known = f"{StopWish.DEALLOCATE}, {StopWish.POWER_OFF} or {StopWish.AUTO}"
    return _fault(names.REFRESH_STOP_MODE, text, f"is no way to stop a VM; write {known}")


def _probe(text: str) -> Probe | TagFault | None:
    if not text:
        return None
    return parse_probe(text) or _fault(names.REFRESH_PROBE, text, f"is no probe; {CURE}")


def _health_timeout_s(text: str) -> int | TagFault | None:
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,5}", text) and HEALTH_TIMEOUT_FROM_S <= int(text) <= HEALTH_TIMEOUT_TO_S:
        return int(text)
    cure = f"write a whole number of seconds from {HEALTH_TIMEOUT_FROM_S} to {HEALTH_TIMEOUT_TO_S}"
    return _fault(names.REFRESH_HEALTH_TIMEOUT_S, text, f"is no time; {cure}")


def _fault(tag: str, text: str, message: str) -> TagFault:
    return TagFault(tag, f"{tag}='{shorten(text)}' {message}")


def without_query(text: str) -> str:
    """`text` up to a question mark: the query of a URL may be a signature and is not repeated."""
    return text.partition("?")[0]


def shorten(text: str) -> str:
    """A tag's value without the query of a URL, at most 60 characters, to be quoted in a sentence."""
    text = without_query(text)
    return text if len(text) <= 60 else text[:57] + "..."
