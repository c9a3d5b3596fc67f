"""Which version a month makes of a definition, which it keeps, and what it refuses by name."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.images import build_body, check_source, choose_name, find_kept, read_source, target_regions
from refresh.domain.model import Region, Version
from refresh.domain.month_reason import MonthReason, Refusal
from refresh.domain.replication import Standing, judge_version
from refresh.domain.resource_id import ResourceId
from tests.support.builders import DEFINITION_ID, GALLERY, GROUP, VM_ID, make_definition, make_version, make_vm

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
        ([version("202611.1.0", "Deleting"), version("999999.0.0")], None),
    ],
)
def test_the_months_version_is_kept(existing: list[Version], expected: str | None) -> None:
    """What is there, or on its way from the same VM, is kept; what failed is not."""
    found = find_kept(existing, SOURCE, "202611")
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
    """The refusal says which version is in the way."""
    found = choose_name(make_definition(), [version("209912.0.0")], "202611")
    assert isinstance(found, Refusal)
    assert "209912.0.0" in found.message


@pytest.mark.parametrize(
    ("tags", "fields", "reason"),
    [
        ({}, {}, MonthReason.NO_SOURCE),
        ({"RefreshSource": "  "}, {}, MonthReason.NO_SOURCE),
        ({"RefreshSource": "golden"}, {}, MonthReason.UNKNOWN_SOURCE),
        ({"RefreshSource": f"{GROUP}/providers/Microsoft.Compute/snapshots/s"}, {}, MonthReason.UNKNOWN_SOURCE),
        ({"RefreshSource": f"{GALLERY}/images/base"}, {}, MonthReason.UNKNOWN_SOURCE),
        ({"RefreshSource": SOURCE}, {"os_state": "Generalized"}, MonthReason.GENERALIZED),
        ({"RefreshSource": SOURCE}, {"os_state": None}, MonthReason.GENERALIZED),
        ({"RefreshSource": SOURCE}, {"security_type": "TrustedLaunchSupported"}, MonthReason.TRUSTED_LAUNCH),
        ({"RefreshSource": SOURCE}, {"security_type": "TrustedLaunch"}, MonthReason.TRUSTED_LAUNCH),
    ],
)
def test_what_cannot_be_captured_is_refused(tags: dict[str, str], fields: dict[str, Any], reason: MonthReason) -> None:
    """Only the full id of a VM, into a specialised definition without Trusted Launch; anything else is named."""
    found = read_source(make_definition(tags, **fields))
    assert isinstance(found, Refusal)
    assert found.reason == reason


def test_a_vm_in_the_gallerys_region_is_a_source() -> None:
    """The tag's name counts in any case; the VM must exist, in the definition's region."""
    definition = make_definition({"refreshsource": SOURCE}, location="westeurope")
    source = read_source(definition)
    assert isinstance(source, ResourceId)
    assert check_source(definition, source, make_vm(location="West Europe")) is None
    gone, elsewhere = (
        check_source(definition, source, None),
        check_source(definition, source, make_vm(location="uksouth")),
    )
    assert gone is not None
    assert gone.reason == MonthReason.SOURCE_GONE
    assert elsewhere is not None
    assert elsewhere.reason == MonthReason.SOURCE_ELSEWHERE


def test_a_version_goes_to_its_own_region_and_every_region_in_scope() -> None:
    """Target regions are the definition's and those of VMs in scope, each once."""
    definition = make_definition(location="westeurope")
    assert target_regions(definition, ["uksouth", "West Europe", "eastus", "uksouth"]) == [
        "westeurope",
        "eastus",
        "uksouth",
    ]
    body = build_body(definition, SOURCE, ["uksouth"], "202611")
    assert body == {
        "location": "westeurope",
        "tags": {"RefreshPeriod": "202611"},
        "properties": {
            "publishingProfile": {"targetRegions": [{"name": "westeurope"}, {"name": "uksouth"}]},
            "storageProfile": {"source": {"virtualMachineId": SOURCE}},
        },
    }


@pytest.mark.parametrize(
    ("state", "regions", "standing", "named"),
    [
        ("Succeeded", {"westeurope": "Completed", "uksouth": "Completed"}, Standing.DONE, ""),
        ("Succeeded", {"West Europe": "Completed", "UK South": "Completed"}, Standing.DONE, ""),
        ("Creating", {"westeurope": "Completed", "uksouth": "Completed"}, Standing.WAITING, "still being made"),
        ("Succeeded", {"westeurope": "Completed", "uksouth": "Replicating"}, Standing.WAITING, "uksouth"),
        ("Succeeded", {"westeurope": "Completed", "uksouth": None}, Standing.WAITING, "uksouth"),
        ("Succeeded", {"westeurope": "Completed", "uksouth": "Failed"}, Standing.FAILED, "uksouth"),
        ("Succeeded", {"westeurope": "Completed"}, Standing.FAILED, "uksouth"),
        ("Failed", {"westeurope": "Completed", "uksouth": "Completed"}, Standing.FAILED, "Failed"),
        (None, {"westeurope": "Completed", "uksouth": "Completed"}, Standing.FAILED, "unknown"),
    ],
)
def test_a_version_is_done_when_it_has_arrived_everywhere(
    state: str | None, regions: dict[str, str | None], standing: Standing, named: str
) -> None:
    """Only Succeeded and Completed in each region is done; a partial outcome names the regions."""
    found = make_version(
        provisioning_state=state, regions=tuple(Region(name, arrived) for name, arrived in regions.items())
    )
    progress = judge_version(found, ["westeurope", "uksouth"])
    assert progress.standing == standing
    assert named in progress.message
