"""Which image versions can be deleted and which never: each test adds one reason to keep a deletable version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Region, Version
from refresh.domain.azure.locks import Lock
from refresh.domain.retention.disks import Evidence, Rule
from refresh.domain.retention.mentions import Mentions
from refresh.domain.retention.versions import Catalogue, find_needs, judge_version, needed_disks
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, VM_ID, make_definition, make_disk, make_version

NOW = "2026-11-21T10:00:00+00:00"
LONG_AGO = "2026-01-01T00:00:00+00:00"
EVIDENCE = Evidence((GALLERY.lower(),), Mentions(), (), Rule(3, 35), NOW)


def version(number: str, **fields: Any) -> Version:
    made = {"id": f"{DEFINITION_ID}/versions/{number}", "name": number, "published_at": LONG_AGO}
    return make_version(**{**made, **fields})


OLD = version("202601.1.0")
NEWER = [version(f"20260{n}.1.0") for n in (2, 3, 4)]


def reason(
    old: Version = OLD,
    newer: list[Version] | None = None,
    *,
    building: bool = False,
    disks: tuple[Disk, ...] = (),
    texts: dict[str, str] | None = None,
    evidence: Evidence = EVIDENCE,
) -> str:
    catalogue = Catalogue(make_definition(), (old, *(NEWER if newer is None else newer)), building)
    needs = find_needs([catalogue], needed_disks(disks, ()), texts or {})
    return str(judge_version(old, catalogue, needs, evidence).reason)


def test_an_old_version_with_three_newer_good_ones_can_be_deleted() -> None:
    """It is deleted without any reason to keep it, whether it is good or failed."""
    assert reason() == "superfluous"
    assert reason(replace(OLD, provisioning_state="Failed")) == "superfluous"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "1.0.0"}, "name-not-ours"),
        ({"name": "202613.1.0"}, "name-not-ours"),
        ({"provisioning_state": "Updating"}, "not-settled"),
        ({"provisioning_state": "Deleting"}, "not-settled"),
        ({"provisioning_state": None}, "not-settled"),
        ({"published_at": "2026-11-01T00:00:00Z"}, "too-young"),
        ({"published_at": None}, "unknown-age"),
        ({"tags": {"refreshchecks": "pending"}, "excluded_from_latest": True}, "build-under-way"),
    ],
)
def test_each_fact_of_arm_about_a_version_can_keep_it(changed: dict[str, Any], why: str) -> None:
    """Each reason to keep it is enough alone, and so is each unknown fact."""
    assert reason(replace(OLD, **changed)) == why


@pytest.mark.parametrize(
    "changed",
    [
        {"excluded_from_latest": True},
        {"tags": {"RefreshQuarantined": "two VMs"}},
        {"provisioning_state": "Failed"},
        {"regions": (Region("westeurope", "Replicating", 40),)},
        {"regions": (Region("westeurope", "Completed", 100, excluded_from_latest=True),)},
        {"regions": (Region("northeurope", "Completed", 100),)},
    ],
)
def test_the_latest_good_version_of_a_region_stays(changed: dict[str, Any]) -> None:
    """It stays at any age and beside any number of newer ones that cannot be used in that region."""
    assert reason(newer=[replace(one, **changed) for one in NEWER]) == "latest-good"
    assert reason(newer=[replace(NEWER[0], **changed), *NEWER[1:]]) in ("among-newest", "superfluous")


def test_the_three_newest_good_versions_stay() -> None:
    """Bad versions do not count among the newest and are not kept for being new."""
    assert reason(newer=NEWER[:2]) == "among-newest"
    assert reason(newer=[*NEWER[:2], replace(NEWER[2], excluded_from_latest=True)]) == "among-newest"
    assert reason(replace(OLD, tags={"RefreshQuarantined": "x"}), NEWER[:1]) == "superfluous"


def test_the_source_of_another_version_stays() -> None:
    """A version named in a tag of a definition or being copied stays.

    A longer number with the same beginning does not count.
    """
    assert reason(texts={"RefreshSource of other": OLD.id.upper()}) == "is-source"
    assert reason(texts={"RefreshSource of other": f"{OLD.id}1"}) == "superfluous"
    copying = version("202605.1.0", provisioning_state="Creating", source_id=OLD.id)
    assert reason(newer=[*NEWER, copying]) == "is-source"


def test_the_version_of_a_free_disk_stays() -> None:
    """A free disk, or one being made, keeps its version; a disk that a VM runs does not."""
    disk = make_disk(source_version=OLD.id.upper())
    assert reason(disks=(disk,)) == "disks-left"
    assert reason(disks=(replace(disk, provisioning_state="Updating", managed_by=VM_ID),)) == "disks-left"
    assert reason(disks=(replace(disk, managed_by=VM_ID),)) == "superfluous"


def test_no_version_is_deleted_while_its_definition_is_built_or_locked() -> None:
    """A build or proof under way keeps every version; a lock on the version or on a scope above it keeps it."""
    assert reason(building=True) == "build-under-way"
    for scope in (OLD.id, DEFINITION_ID, GALLERY, GALLERY.split("/providers/")[0]):
        lock = Lock(f"{scope}/providers/Microsoft.Authorization/locks/keep", "CanNotDelete")
        assert reason(evidence=replace(EVIDENCE, locks=(lock,))) == "locked"
