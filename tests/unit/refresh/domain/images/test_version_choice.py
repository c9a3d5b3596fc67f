"""Which version a month makes of a definition, which one it keeps, and what it refuses by name."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.galleries import Region, Version
from refresh.domain.images.manual_commands import retry_commands
from refresh.domain.images.replication import (
    ReplicationStanding,
    is_usable_in_part,
    judge_version,
    targets_without_failed,
)
from refresh.domain.images.version_choice import (
    choose_latest,
    choose_name,
    find_kept,
    find_leftovers,
    has_arrived_nowhere,
)
from refresh.domain.terms.month_reason import MonthReason, Refusal
from refresh.domain.terms.resource_id import same
from tests.support.worlds.builders import DEFINITION_ID, GROUP, VM_ID, make_definition, make_version

SOURCE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/golden"


def version(name: str, state: str = "Succeeded", source: str = SOURCE, **fields: Any) -> Version:
    return make_version(
        id=f"{DEFINITION_ID}/versions/{name}", name=name, provisioning_state=state, source_id=source, **fields
    )


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], None),
        ([version("202610.1.0")], None),
        ([version("202611.1.0")], "202611.1.0"),
        ([version("202611.2.0"), version("202611.10.0")], "202611.10.0"),
        ([version("202611.1.0", "Creating")], "202611.1.0"),
        ([version("202611.1.0", "Creating", VM_ID)], None),
        ([version("202611.1.0", "Failed")], None),
        ([version("202611.1.0", tags={"RefreshChecks": "failed"})], None),
        ([version("202611.1.0", "Deleting"), version("999999.0.0")], None),
    ],
)
def test_the_months_version_is_kept(existing: list[Version], expected: str | None) -> None:
    """An existing version, or one being made from the same VM, is kept; a failed one is not."""
    found = find_kept(existing, lambda one: same(one.source_id, SOURCE), "202611")
    assert (found.name if found else None) == expected


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], "202611.1.0"),
        ([version("202610.7.3")], "202611.1.0"),
        ([version("202611.1.0", "Failed")], "202611.2.0"),
        ([version("202611.1.5")], "202611.2.0"),
        ([version("209912.0.0"), version("202611.1.0")], MonthReason.NEWER_VERSION),
        ([version("202610.1.0", "Creating")], MonthReason.BUILD_UNDER_WAY),
    ],
)
def test_the_next_version_has_the_next_name(existing: list[Version], expected: str | MonthReason) -> None:
    """A build gets the next free name of its month, and none while another runs or a higher version exists."""
    found = choose_name(make_definition(), existing, "202611")
    assert (found.reason if isinstance(found, Refusal) else found) == expected


def test_a_higher_version_is_refused_by_name() -> None:
    """The refusal names the version with the higher number."""
    found = choose_name(make_definition(), [version("209912.0.0")], "202611")
    assert isinstance(found, Refusal)
    assert "209912.0.0" in found.message


NOW = "2026-11-02T12:00:00+00:00"
YOUNG, OLD = "2026-11-02T02:00:00+00:00", "2026-10-01T02:00:00+00:00"
PENDING = {"RefreshChecks": "pending"}


@pytest.mark.parametrize(
    ("existing", "blocks", "left"),
    [
        (version("202610.1.0", "Creating", published_at=YOUNG, tags=PENDING), True, False),
        (version("202610.1.0", "Creating", published_at=OLD, tags=PENDING), False, True),
        (version("202610.1.0", published_at=YOUNG, tags=PENDING, excluded_from_latest=True), True, False),
        (version("202610.1.0", published_at=OLD, tags=PENDING, excluded_from_latest=True), False, True),
        (version("202610.1.0", "Failed", published_at=YOUNG, tags=PENDING), False, True),
        (version("202610.1.0", "Failed", published_at=YOUNG), False, False),
        (version("202610.1.0", "Updating", published_at=YOUNG), False, False),
        (version("202610.1.0", published_at=YOUNG, tags={"RefreshChecks": "passed"}), False, False),
    ],
)
def test_a_stuck_version_never_blocks_the_next_and_is_named(existing: Version, blocks: bool, left: bool) -> None:
    """A build under way blocks others for a day; versions that the app began and never finished are listed."""
    chosen = choose_name(make_definition(), [existing], "202611", NOW)
    assert isinstance(chosen, Refusal) == blocks
    assert [one.name for one in find_leftovers([existing], NOW)] == ([existing.name] if left else [])


def test_a_source_without_a_number_means_the_highest_finished_version() -> None:
    """`latest` skips excluded, unfinished and oddly named versions.

    The highest number counts, not the last one made.
    """
    found = choose_latest(
        [
            version("1.9.0"),
            version("1.10.0"),
            version("1.11.0", excluded_from_latest=True),
            version("1.12.0", "Creating"),
            version("beta"),
        ]
    )
    assert found is not None
    assert found.name == "1.10.0"
    assert choose_latest([version("1.0.0", "Failed")]) is None


def test_only_an_unusable_version_is_deleted() -> None:
    """A failed version that is in some region, or that the app did not make, stays.

    The commands of Azure's cure are returned.
    """
    nowhere = version("202611.1.0", "Failed", tags=PENDING, regions=(Region("westeurope", "Failed"),))
    assert has_arrived_nowhere(nowhere)
    assert retry_commands(nowhere) == ()
    for spared in (
        version("202611.1.0", "Failed", regions=(Region("westeurope", "Failed"),)),
        version("202611.1.0", tags=PENDING, regions=(Region("westeurope", "Failed"),)),
    ):
        assert not has_arrived_nowhere(spared)
    somewhere = (
        Region("westeurope", "Completed", replicas=3, storage="Standard_ZRS"),
        Region("uksouth", "Failed", details="no room", replicas=2, storage="Standard_LRS"),
    )
    partly = version("202611.1.0", "Failed", tags=PENDING, regions=somewhere)
    assert not has_arrived_nowhere(partly)
    out, again = retry_commands(partly, ["uksouth", "East US"])
    assert out.endswith("--target-regions westeurope=3=standard_zrs")
    assert again.endswith("--target-regions westeurope=3=standard_zrs uksouth=2=standard_lrs eastus")
    assert retry_commands(version("1.0.0", regions=(*somewhere, Region("f", encrypted=True)))) == ()
    progress = judge_version(partly, ["westeurope", "uksouth"])
    assert (progress.reason, "uksouth (no room)" in progress.message) == (MonthReason.NOT_REPLICATED, True)


def test_a_version_is_usable_in_part_where_its_own_region_has_it() -> None:
    """The failed regions are no targets any more; its own region always is one."""
    targets = tuple({"name": name} for name in ("West Europe", "UK South"))
    some = (Region("westeurope", "Completed"), Region("uksouth", "Failed"))
    partly = make_version(provisioning_state="Failed", regions=some, targets=targets)
    assert is_usable_in_part(partly)
    assert targets_without_failed(partly) == targets[:1]
    assert not is_usable_in_part(make_version(provisioning_state="Creating", regions=some))
    own = make_version(regions=(Region("westeurope", "Failed"), Region("uksouth", "Completed")), targets=targets)
    assert not is_usable_in_part(own)
    assert targets_without_failed(own) == targets


@pytest.mark.parametrize(
    ("state", "regions", "standing", "named"),
    [
        ("Succeeded", {"westeurope": "Completed", "uksouth": "Completed"}, ReplicationStanding.DONE, ""),
        ("Succeeded", {"West Europe": "Completed", "UK South": "Completed"}, ReplicationStanding.DONE, ""),
        (
            "Creating",
            {"westeurope": "Completed", "uksouth": "Completed"},
            ReplicationStanding.WAITING,
            "still being made",
        ),
        ("Succeeded", {"westeurope": "Completed", "uksouth": "Replicating"}, ReplicationStanding.WAITING, "uksouth"),
        ("Succeeded", {"westeurope": "Completed", "uksouth": None}, ReplicationStanding.WAITING, "uksouth"),
        ("Succeeded", {"westeurope": "Completed", "uksouth": "Failed"}, ReplicationStanding.FAILED, "uksouth"),
        ("Succeeded", {"westeurope": "Completed"}, ReplicationStanding.FAILED, "uksouth"),
        ("Failed", {"westeurope": "Completed", "uksouth": "Completed"}, ReplicationStanding.FAILED, "Failed"),
        (None, {"westeurope": "Completed", "uksouth": "Completed"}, ReplicationStanding.FAILED, "unknown"),
    ],
)
def test_a_version_is_done_when_it_is_replicated_everywhere(
    state: str | None, regions: dict[str, str | None], standing: ReplicationStanding, named: str
) -> None:
    """Only Succeeded with every region Completed is done; a partial result names the regions."""
    found = make_version(
        provisioning_state=state, regions=tuple(Region(name, arrived) for name, arrived in regions.items())
    )
    progress = judge_version(found, ["westeurope", "uksouth"])
    assert progress.standing == standing
    assert named in progress.message
