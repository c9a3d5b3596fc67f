"""Which image versions may go and which never: one reason at a time taken from a version that may."""

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


def test_an_old_version_with_three_newer_good_ones_may_go() -> None:
    """Nothing speaks for it; a failed one need not even be good."""
    assert reason() == "superfluous"
    assert reason(replace(OLD, provisioning_state="Failed")) == "superfluous"


@pytest.mark.parametrize(
    ("spoiled", "why"),
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
def test_what_arm_says_of_a_version_keeps_it(spoiled: dict[str, Any], why: str) -> None:
    """Every single fact that speaks for it is enough, and one that is not known is too."""
    assert reason(replace(OLD, **spoiled)) == why


@pytest.mark.parametrize(
    "spoiled",
    [
        {"excluded_from_latest": True},
        {"tags": {"RefreshQuarantined": "two VMs"}},
        {"provisioning_state": "Failed"},
        {"regions": (Region("westeurope", "Replicating", 40),)},
        {"regions": (Region("westeurope", "Completed", 100, excluded_from_latest=True),)},
        {"regions": (Region("northeurope", "Completed", 100),)},
    ],
)
def test_the_latest_good_version_of_a_region_stays(spoiled: dict[str, Any]) -> None:
    """However old it is and however many newer ones there are, none of which can be used there."""
    assert reason(newer=[replace(one, **spoiled) for one in NEWER]) == "latest-good"
    assert reason(newer=[replace(NEWER[0], **spoiled), *NEWER[1:]]) in ("among-newest", "superfluous")


def test_the_three_newest_good_versions_stay() -> None:
    """Bad ones among the newer do not count, and a bad one is not kept for being new."""
    assert reason(newer=NEWER[:2]) == "among-newest"
    assert reason(newer=[*NEWER[:2], replace(NEWER[2], excluded_from_latest=True)]) == "among-newest"
    assert reason(replace(OLD, tags={"RefreshQuarantined": "x"}), NEWER[:1]) == "superfluous"


def test_what_somebody_builds_from_stays() -> None:
    """Named in any tag of a definition, or being copied at this moment; a number that only begins alike is another."""
    assert reason(texts={"RefreshSource of other": OLD.id.upper()}) == "is-source"
    assert reason(texts={"RefreshSource of other": f"{OLD.id}1"}) == "superfluous"
    copying = version("202605.1.0", provisioning_state="Creating", source_id=OLD.id)
    assert reason(newer=[*NEWER, copying]) == "is-source"


def test_what_disks_rest_on_stays() -> None:
    """A free disk, or one still being made; not one that a VM runs."""
    disk = make_disk(source_version=OLD.id.upper())
    assert reason(disks=(disk,)) == "disks-left"
    assert reason(disks=(replace(disk, provisioning_state="Updating", managed_by=VM_ID),)) == "disks-left"
    assert reason(disks=(replace(disk, managed_by=VM_ID),)) == "superfluous"


def test_nothing_of_a_definition_goes_while_it_is_built_or_locked() -> None:
    """A build or proof under way keeps every version; so does a lock on the version or anything above it."""
    assert reason(building=True) == "build-under-way"
    for scope in (OLD.id, DEFINITION_ID, GALLERY, GALLERY.split("/providers/")[0]):
        lock = Lock(f"{scope}/providers/Microsoft.Authorization/locks/keep", "CanNotDelete")
        assert reason(evidence=replace(EVIDENCE, locks=(lock,))) == "locked"
