"""Which source fits which image definition, decided before anything is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.images.source_fit import SourceFacts, busy_disk, judge_data_disk, judge_source
from refresh.domain.images.sources import SourceKind, SourcePart
from refresh.domain.terms.month_reason import MonthReason
from tests.support.worlds.builders import DEFINITION_ID, make_definition

FITTING = SourceFacts(
    SourcePart(SourceKind.VM, "id"),
    "golden",
    "West Europe",
    os_type="Linux",
    os_state="Specialized",
    generation="V2",
    architecture="x64",
)


def facts(kind: SourceKind, **changes: Any) -> SourceFacts:
    return replace(FITTING, part=SourcePart(kind, "id"), **changes)


def uploaded() -> SourceFacts:
    return SourceFacts(SourcePart(SourceKind.VHD, "u"), "a.vhd", "westeurope")


@pytest.mark.parametrize(
    ("definition", "source"),
    [
        ({}, facts(SourceKind.VM)),
        ({}, facts(SourceKind.VERSION, location="eastus")),
        ({"os_state": "Generalized"}, facts(SourceKind.IMAGE, os_state="Generalized")),
        ({"os_state": "Generalized"}, facts(SourceKind.DISK, os_state=None)),
        ({"architecture": None}, facts(SourceKind.SNAPSHOT, architecture=None, os_state=None)),
        ({"generation": "V1"}, facts(SourceKind.VM, generation="V1")),
        ({"os_type": "Windows"}, uploaded()),
        ({"security_type": "TrustedLaunch"}, facts(SourceKind.VM, security_type="TrustedLaunch")),
        ({"security_type": "ConfidentialVM"}, facts(SourceKind.DISK, security_type="ConfidentialVM_VMGuestStateOnly")),
        ({"security_type": "TrustedLaunchSupported"}, uploaded()),
        ({"security_type": "TrustedLaunchSupported"}, facts(SourceKind.VERSION, security_type="None")),
        (
            {"security_type": "TrustedLaunchSupported"},
            facts(SourceKind.VERSION, security_type="TrustedLaunchSupported"),
        ),
    ],
)
def test_a_source_of_the_definitions_kind_fits(definition: dict[str, Any], source: SourceFacts) -> None:
    """A version can come from any region.

    A VHD, and the OS state of a disk, are accepted as the definition declares them.
    """
    assert judge_source(make_definition(**definition), source) is None


@pytest.mark.parametrize(
    ("definition", "source", "reason", "named"),
    [
        ({"os_state": "Generalized"}, facts(SourceKind.VM), "definition-generalized", "Specialized"),
        (
            {"os_state": "Generalized"},
            facts(SourceKind.VM, os_state="Generalized"),
            "definition-generalized",
            "Specialized",
        ),
        ({"os_state": None}, facts(SourceKind.VM), "definition-generalized", "unknown"),
        ({}, facts(SourceKind.VM, os_state="Generalized"), "source-does-not-fit", "OS state is Generalized"),
        ({}, facts(SourceKind.IMAGE, os_state="Generalized"), "source-does-not-fit", "OS state"),
        ({}, facts(SourceKind.VM, generation="V1"), "source-does-not-fit", "generation is V1, not V2"),
        ({}, facts(SourceKind.DISK, generation=None), "source-does-not-fit", "generation is unknown"),
        ({"architecture": "Arm64"}, facts(SourceKind.VM), "source-does-not-fit", "architecture is x64"),
        ({}, facts(SourceKind.SNAPSHOT, os_type=None), "source-does-not-fit", "OS type is unknown"),
        ({}, facts(SourceKind.VM, unfit="its OS disk is ephemeral"), "source-does-not-fit", "ephemeral"),
        ({}, facts(SourceKind.VM, security_type="TrustedLaunch"), "source-does-not-fit", "TrustedLaunch"),
        ({"security_type": "TrustedLaunch"}, facts(SourceKind.VM), "source-does-not-fit", "Standard"),
        ({"security_type": "TrustedLaunch"}, uploaded(), "source-does-not-fit", "TrustedLaunchSupported"),
        (
            {"security_type": "TrustedLaunchSupported"},
            facts(SourceKind.VM),
            "definition-trusted-launch-supported",
            "VHD",
        ),
        (
            {"security_type": "TrustedLaunchSupported"},
            facts(SourceKind.DISK),
            "definition-trusted-launch-supported",
            "VHD",
        ),
        ({}, facts(SourceKind.VM, location="uksouth"), "source-in-other-region", "uksouth"),
        ({}, replace(uploaded(), location=None), "source-in-other-region", "unknown"),
        ({}, facts(SourceKind.DISK, busy="ActiveSAS"), "source-not-ready", "ActiveSAS"),
        ({}, facts(SourceKind.VERSION, definition=DEFINITION_ID.lower()), "source-does-not-fit", "itself"),
    ],
)
def test_a_mismatch_is_refused_with_its_cure(
    definition: dict[str, Any], source: SourceFacts, reason: str, named: str
) -> None:
    """State, generation, architecture, security type and region are named; an unknown value does not fit."""
    found = judge_source(make_definition(**definition), source)
    assert found is not None
    assert (found.reason, named in found.message) == (reason, True), found.message


def test_a_generalised_definition_takes_only_a_vm_made_for_the_build() -> None:
    """A generalised VM cannot start again, so only a VM made for the build is accepted."""
    definition, machine = make_definition(os_state="Generalized"), facts(SourceKind.VM, os_state="Generalized")
    assert judge_source(definition, machine, ephemeral=True) is None
    left_as_it_is = judge_source(definition, facts(SourceKind.VM), ephemeral=True)
    assert left_as_it_is is not None
    assert left_as_it_is.reason == MonthReason.SOURCE_DOES_NOT_FIT


def test_data_disks_are_judged_by_place_and_size() -> None:
    """An image can have data disks of up to 1 TB from the version's region."""
    definition = make_definition()
    assert judge_data_disk(definition, facts(SourceKind.DISK, os_type=None, size_gb=1024)) is None
    large = judge_data_disk(definition, facts(SourceKind.DISK, size_gb=1025))
    far = judge_data_disk(definition, facts(SourceKind.DISK, location="uksouth"))
    assert (large and large.reason, far and far.reason) == ("source-does-not-fit", "source-in-other-region")


def test_a_disk_that_is_being_written_is_not_ready() -> None:
    """An attached or free disk can be read; one under a shared access signature or unfinished cannot."""
    assert [busy_disk("Succeeded", state) for state in ("Unattached", "Attached", "Reserved")] == [None, None, None]
    assert busy_disk("Succeeded", "ActiveUpload") == "ActiveUpload"
    assert busy_disk("Updating", "Unattached") == "Updating"
    assert busy_disk(None, "Unattached") == "in an unknown state"
