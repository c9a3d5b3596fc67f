"""Which disks can be deleted and which never: each test adds one reason to keep a deletable disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.locks import Lock
from refresh.domain.retention.disks import Evidence, Rule, judge_disk, rank_spares
from refresh.domain.retention.mentions import Mentions, read_mentions
from refresh.domain.retention.prices import disk_usd
from refresh.domain.retention.removal_reason import RemovalReason
from refresh.domain.terms.resource_id import id_hash
from tests.support.worlds.builders import GALLERY, GROUP, SUBSCRIPTION, VERSION_ID, VM_ID, disk_id, make_disk

NOW = "2026-11-21T10:00:00+00:00"
LONG_AGO, JUST_NOW = "2026-10-01T10:00:00+00:00", "2026-10-17T11:00:00+00:00"
NAME = "web01-202601"
SPARE = make_disk(NAME, time_created=LONG_AGO, owned_since=LONG_AGO)
EVIDENCE = Evidence((GALLERY.lower(),), Mentions(), (), Rule(2, 35), NOW)
OTHERS = [make_disk(f"web01-2026{n:02}", time_created=f"2026-{n:02}-03T00:00:00Z") for n in (10, 11)]


def reason(disk: Disk = SPARE, evidence: Evidence = EVIDENCE, others: list[Disk] | None = None) -> str:
    ranks = rank_spares([disk, *(OTHERS if others is None else others)], evidence.galleries)
    return str(judge_disk(disk, evidence, ranks).reason)


def lock(scope: str, level: str = "CanNotDelete") -> Lock:
    return Lock(f"{scope}/providers/Microsoft.Authorization/locks/keep", level)


def test_an_old_free_disk_with_newer_ones_can_be_deleted() -> None:
    """It is deleted without any reason to keep it; a disk that was never attached needs no last change."""
    assert reason() == "superfluous"
    assert reason(replace(SPARE, owned_since=None)) == "superfluous"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"source_version": None}, "not-from-our-galleries"),
        ({"source_version": VERSION_ID.replace("/gal/", "/galore/")}, "not-from-our-galleries"),
        ({"source_version": f"{GALLERY}/images/ubuntu"}, "not-from-our-galleries"),
        ({"source_version": "/communityGalleries/gal/images/ubuntu/versions/1.0.0"}, "not-from-our-galleries"),
        ({"managed_by": VM_ID}, "in-use"),
        ({"shared_by": (VM_ID,)}, "in-use"),
        ({"disk_state": "Reserved"}, "in-use"),
        ({"disk_state": "ActiveSAS"}, "in-use"),
        ({"disk_state": None}, "in-use"),
        ({"provisioning_state": "Updating"}, "not-settled"),
        ({"provisioning_state": "Failed"}, "not-settled"),
        ({"provisioning_state": None}, "not-settled"),
        ({"name": "web01-data"}, "name-not-ours"),
        ({"name": "web01-202613"}, "name-not-ours"),
        ({"time_created": JUST_NOW}, "too-young"),
        ({"time_created": "2027-01-01T00:00:00Z"}, "too-young"),
        ({"time_created": None}, "unknown-age"),
        ({"time_created": "yesterday"}, "unknown-age"),
        ({"owned_since": JUST_NOW}, "recently-in-use"),
        ({"owned_since": ""}, "unknown-age"),
        ({"owned_since": "{}"}, "unknown-age"),
    ],
)
def test_each_fact_of_arm_about_a_disk_can_keep_it(changed: dict[str, Any], why: str) -> None:
    """Each reason to keep it is enough alone, and so is each unknown fact."""
    assert reason(replace(SPARE, **changed)) == why


@pytest.mark.parametrize("scope", [SPARE.id.upper(), GROUP, f"/subscriptions/{SUBSCRIPTION}", ""])
@pytest.mark.parametrize("level", ["CanNotDelete", "ReadOnly", "SomethingNew"])
def test_a_lock_of_any_level_at_or_above_it_keeps_it(scope: str, level: str) -> None:
    """A lock on the disk, its group, its subscription or an unknown scope keeps it.

    A lock on another resource does not.
    """
    assert reason(evidence=replace(EVIDENCE, locks=(lock(scope, level),))) == "locked"
    assert reason(evidence=replace(EVIDENCE, locks=(lock(f"{SPARE.id}x"), lock(f"{GROUP}-other")))) == "superfluous"


@pytest.mark.parametrize(
    "value",
    [
        NAME,
        NAME.upper(),
        SPARE.id,
        f"{SPARE.id}/",
        disk_id(NAME, "/subscriptions/other/resourceGroups/other"),
        f"run=x;ran=yes;from={NAME};to=y;step=swap",
        f"keep {NAME}.",
        f"a,{NAME},b",
        f'["{NAME}"]',
    ],
)
def test_its_name_in_any_tag_keeps_it(value: str) -> None:
    """Any tag with the disk's name in any notation keeps it; a longer name with the same beginning does not."""
    mentions = read_mentions([("VM web07", {"whatever": value})], {})
    assert reason(evidence=replace(EVIDENCE, mentions=mentions)) == "named-by-tag"
    assert mentions.by_tag(NAME) == "tag whatever of VM web07"
    assert read_mentions([("VM web07", {"whatever": value.replace("202601", "202601-2")})], {}).by_tag(NAME) is None


OTHER = {"run": "swap-1", "was_running": True, "old_disk": disk_id("a"), "new_disk": disk_id("b")}
VM = VM_ID.lower()


@pytest.mark.parametrize(
    "state",
    [
        {"ran": {"x": [id_hash(SPARE.id), id_hash("b"), id_hash("c")]}},
        {"proved": {"x": id_hash(SPARE.id)}},
        {"unproven": {VM: {"id": VM_ID, "intent": {**OTHER, "old_disk": SPARE.id}}}},
        {"unproven": {VM: {"id": VM_ID, "intent": {**OTHER, "new_disk": SPARE.id}}}},
        {"running": {VM: {"id": VM_ID, "n": 1, "intent": {**OTHER, "old_disk": SPARE.id}}}},
        {"running": {VM: {"id": VM_ID, "n": 1, "tags": {"OsDiskPrevious": NAME}}}},
        {"running": {VM: {"id": VM_ID, "n": 1, "wanted": SPARE.id.upper()}}},
        {"queue": {VM: {"id": VM_ID, "wanted": SPARE.id}}},
    ],
)
def test_a_disk_in_the_dispatcher_state_stays(state: dict[str, Any]) -> None:
    """The disks that a VM ran, the last proved one, the predecessor of an unproven one and those of swaps stay."""
    assert reason(evidence=replace(EVIDENCE, mentions=read_mentions((), state))) == "remembered"


def test_the_newest_spare_disks_of_each_vm_stay() -> None:
    """They are counted for each VM by the names of its free disks; used, failed and foreign disks do not count."""
    assert reason(others=OTHERS[:1]) == "among-newest"
    for changed in ({"managed_by": VM_ID}, {"provisioning_state": "Failed"}, {"source_version": None}):
        assert reason(others=[OTHERS[0], replace(OTHERS[1], **changed)]) == "among-newest"
    for name in ("web02-202611", "web01-202611x"):
        assert reason(others=[OTHERS[0], make_disk(name, time_created="2026-11-01T00:00:00Z")]) == "among-newest"
    elsewhere = make_disk("web01-202611", id=disk_id("web01-202611", f"{GROUP}-2"), time_created="2026-11-01T00:00:00Z")
    assert reason(others=[OTHERS[0], elsewhere]) == "among-newest"
    assert reason(others=[OTHERS[0], replace(OTHERS[1], name="WEB01-202611-2")]) == "superfluous"


def test_a_disks_own_tags_decide_nothing() -> None:
    """The tags of a disk neither delete nor keep it."""
    own_tags = {"RefreshVm": "other", "RefreshPeriod": "200001", "keep": NAME}
    assert reason(replace(SPARE, tags=own_tags)) == "superfluous"


def test_every_reason_has_a_sentence() -> None:
    """Each verdict has a sentence, and only one reason allows the deletion."""
    verdict = judge_disk(SPARE, EVIDENCE, rank_spares([SPARE, *OTHERS], EVIDENCE.galleries))
    assert (verdict.deletable, verdict.reason) == (True, RemovalReason.SUPERFLUOUS)
    assert verdict.message == "free, over 35 days old, and 2 spare disks are newer"


def test_a_disks_price_is_rough_and_never_free() -> None:
    """The price depends on kind and size; an unknown kind costs as much as premium, zone redundancy adds half."""
    found = [disk_usd(make_disk(sku=sku, size_gb=100)) for sku in ("Premium_LRS", "Premium_ZRS", "StandardSSD_LRS")]
    assert found == [13.2, 19.8, 7.5]
    assert [disk_usd(make_disk(sku=sku, size_gb=100)) for sku in ("Standard_LRS", None, "New_LRS")] == [4.0, 13.2, 13.2]
