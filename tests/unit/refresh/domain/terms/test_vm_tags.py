"""The tags of a VM, and the faults of tags that cannot be read."""

from __future__ import annotations

import pytest

from refresh.domain.terms.probe import Probe
from refresh.domain.terms.stop_mode import StopWish
from refresh.domain.terms.vm_tags import TagFault, VmTags, parse_vm_tags, shorten


def test_every_tag_is_read_in_any_case() -> None:
    """Names compare without case, values are trimmed, and four values are also kept as they are written."""
    tags = {
        "autorefresh": " True ",
        "OSDISKNAME": " @Previous ",
        "osDiskPrevious": "web01-202610",
        "OsDiskRejected": " web01-202609 ",
        "RefreshState": "run=swap-1;ran=yes;from=a;to=b;step=swap",
        "refreshimage": " ubuntu ",
        "RefreshStopMode": " Power-Off ",
        "RefreshProbe": " tcp:22 ",
        "RefreshHealthTimeoutS": " 600 ",
        "RefreshRing": "canary",
        "Owner": "team-a",
    }
    found = parse_vm_tags(tags)
    assert (found.in_scope, found.on_hold, found.wants_previous) == (True, False, True)
    assert (found.wanted, found.previous, found.rejected) == ("@Previous", "web01-202610", "web01-202609")
    assert (found.image, found.os_disk_name) == ("ubuntu", " @Previous ")
    assert (found.stop_mode, found.probe, found.health_timeout_s) == (StopWish.POWER_OFF, Probe("tcp", 22), 600)
    assert found.open_intent is not None
    assert found.open_intent.disks == ("a", "b")
    assert found.not_built == ("RefreshRing",)
    assert parse_vm_tags({}) == VmTags()


@pytest.mark.parametrize("tag", ["RefreshStopMode", "RefreshProbe", "RefreshHealthTimeoutS"])
def test_a_value_that_cannot_be_read_is_a_fault(tag: str) -> None:
    """The fault names the tag, quotes the value without the query of a URL, and has a valid example."""
    found = parse_vm_tags({tag: "https://x/y?sig=secret"})
    (fault,) = [one for one in (found.stop_mode, found.probe, found.health_timeout_s) if isinstance(one, TagFault)]
    assert fault.tag == tag
    assert fault.message.startswith(f"{tag}='https://x/y' is no ")
    assert "write " in fault.message
    assert "secret" not in fault.message


@pytest.mark.parametrize(
    ("tags", "mode"),
    [
        ({}, "deallocate"),
        ({"RefreshStopMode": "power-off"}, "power-off"),
        ({"RefreshStopMode": " Auto "}, "auto"),
        ({"RefreshStopMode": "halt"}, None),
        ({"RefreshStopMode": "automatic"}, None),
    ],
)
def test_a_stop_mode_that_cannot_be_read_is_no_default(tags: dict[str, str], mode: str | None) -> None:
    """Without a tag the setting decides; with an unreadable tag there is no mode."""
    assert parse_vm_tags(tags).choose_stop_mode("deallocate") == mode
    assert mode is not None or "power-off or auto" in str(parse_vm_tags(tags).stop_mode)


def test_a_quoted_value_is_short() -> None:
    """A long value is cut to 60 characters."""
    assert len(shorten("x" * 200)) == 60
