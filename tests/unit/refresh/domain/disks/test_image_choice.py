"""Which image a VM's next disk comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Region, Version
from refresh.domain.azure.vms import Vm
from refresh.domain.disks.image_choice import can_need, choose_definition
from refresh.domain.images.replication import is_replicated, no_version, rank_versions
from refresh.domain.terms.month_reason import MonthReason, Refusal
from tests.support.worlds.builders import GALLERY, SUBSCRIPTION, make_current, make_definition, make_version, make_vm

TAGGED = {"AutoRefresh": "TRUE"}


def image(name: str, tags: dict[str, str] | None = None, **fields: Any) -> Definition:
    return make_definition(TAGGED if tags is None else tags, id=f"{GALLERY}/images/{name}", name=name, **fields)


UBUNTU = image("ubuntu")
WINDOWS = image("windows", os_type="Windows")
GEN1 = image("ubuntu-gen1", generation="V1")
ARM64 = image("ubuntu-arm", architecture="Arm64")
SUPPORTED = image("ubuntu-tls", security_type="TrustedLaunchSupported")
LAUNCH = image("ubuntu-tl", security_type="TrustedLaunch")
UNTAGGED = image("base", {})
ALL = [UBUNTU, WINDOWS, GEN1, ARM64, SUPPORTED, LAUNCH, UNTAGGED]


@pytest.mark.parametrize(
    ("vm", "disk", "expected"),
    [
        (make_vm(), make_current(), "ubuntu"),
        (make_vm(), make_current(os_type="Windows"), "windows"),
        (make_vm(), make_current(generation="V1"), "ubuntu-gen1"),
        (make_vm(generation="V1"), make_current(generation=None), "ubuntu-gen1"),
        (make_vm(), make_current(architecture="Arm64"), "ubuntu-arm"),
        (make_vm(security_type="TrustedLaunch"), make_current(), "ubuntu-tl"),
        (make_vm({"RefreshImage": "BASE"}), make_current(), "base"),
    ],
)
def test_the_definition_that_fits_is_chosen(vm: Vm, disk: Disk, expected: str) -> None:
    """By OS type, generation, architecture and security type, or by name."""
    found = choose_definition(vm, disk, ALL)
    assert isinstance(found, Definition)
    assert found.name == expected


@pytest.mark.parametrize(
    ("vm", "disk", "definitions", "reason", "named"),
    [
        (make_vm(), make_current(), [WINDOWS, GEN1], MonthReason.NO_IMAGE, "windows, ubuntu-gen1"),
        (make_vm(), make_current(), [], MonthReason.NO_IMAGE, "none"),
        (make_vm(), make_current(), [UBUNTU, image("debian")], MonthReason.SEVERAL_IMAGES, "ubuntu, debian"),
        (make_vm(generation=None), make_current(generation=None), [UBUNTU], MonthReason.NO_IMAGE, "unknown generation"),
        (make_vm({"RefreshImage": "nope"}), make_current(), [UBUNTU, GEN1], MonthReason.UNKNOWN_IMAGE, "ubuntu-gen1"),
        (make_vm({"RefreshImage": "windows"}), make_current(), ALL, MonthReason.IMAGE_DOES_NOT_FIT, "OS type"),
        (make_vm({"RefreshImage": "ubuntu"}), make_current(), [UBUNTU, UBUNTU], MonthReason.SEVERAL_IMAGES, "2"),
        (
            make_vm(),
            make_current(os_type="Windows"),
            [image("sysprepped", os_type="Windows", os_state="Generalized")],
            MonthReason.NO_IMAGE,
            "sysprepped",
        ),
    ],
)
def test_none_or_several_is_a_refusal_that_names_them(
    vm: Vm, disk: Disk, definitions: list[Definition], reason: MonthReason, named: str
) -> None:
    """The refusal names the existing definitions and what the VM needs."""
    found = choose_definition(vm, disk, definitions)
    assert isinstance(found, Refusal)
    assert found.reason == reason
    assert named in found.message


def version(name: str, **fields: Any) -> Version:
    return make_version(**{"name": name, "regions": (Region("westeurope", "Completed"),), **fields})


def test_the_latest_version_is_the_highest_number_that_counts() -> None:
    """Numbers compare as numbers; unfinished, excluded and missing versions do not count."""
    names = [
        version("202609.2.0"),
        version("202609.10.0"),
        version("202611.1.0", provisioning_state="Failed"),
        version("202611.2.0", excluded_from_latest=True),
        version("202611.3.0", regions=(Region("westeurope", "Completed", excluded_from_latest=True),)),
        version("202611.4.0", regions=(Region("uksouth", "Completed"),)),
        version("20269.0.0"),
    ]
    assert [found.name for found in rank_versions(names, "West Europe")] == ["202609.10.0", "202609.2.0", "20269.0.0"]


def test_a_disk_in_an_edge_zone_needs_a_version_that_targets_it() -> None:
    """The edge zone of the VM's region counts, in any case; a VM in the region itself takes every version."""
    names = [
        version("202611.1.0", edge_zones=(("westeurope", "AttAtlanta1"),)),
        version("202611.2.0"),
        version("202611.3.0", edge_zones=(("uksouth", "attatlanta1"),)),
    ]
    assert [found.name for found in rank_versions(names, "westeurope", "attatlanta1")] == ["202611.1.0"]
    assert len(rank_versions(names, "westeurope")) == 3
    assert "edge zone attdallas1 of westeurope" in no_version(UBUNTU, names, "westeurope", "attdallas1").message


def test_a_version_whose_regions_are_being_changed_stays_usable() -> None:
    """While regions are added, and after they could not be; one that failed before its checks passed does not count."""
    passed = {"RefreshChecks": "passed"}
    names = [
        version("202611.1.0", provisioning_state="Updating", tags=passed),
        version("202611.2.0", provisioning_state="Failed", tags=passed),
        version("202611.3.0", provisioning_state="Failed", tags={"RefreshChecks": "pending"}),
        version("202611.4.0", provisioning_state="Creating", tags=passed),
    ]
    assert [found.name for found in rank_versions(names, "westeurope")] == ["202611.2.0", "202611.1.0"]


@pytest.mark.parametrize(
    ("vm", "needs"),
    [
        (make_vm(), True),
        (make_vm(os_type="Windows"), False),
        (make_vm(os_type=None), False),
        (make_vm(security_type="TrustedLaunch"), False),
        (make_vm({"RefreshImage": "UBUNTU"}, os_type="Windows"), True),
        (make_vm({"RefreshImage": "gen1"}), False),
    ],
)
def test_a_definition_is_needed_by_vms_that_name_it_or_fit_it(vm: Vm, needs: bool) -> None:
    """Only these decide where its versions are replicated."""
    assert can_need(vm, UBUNTU) is needs
    elsewhere = image("ubuntu2")
    other = replace(elsewhere, tags={**elsewhere.tags, "RefreshAllowedScopes": "other"})
    assert not can_need(make_vm(), other)


def test_a_version_that_has_not_arrived_makes_no_disk() -> None:
    """Replication to the VM's region must be completed."""
    assert is_replicated(version("202611.1.0"), "westeurope")
    assert not is_replicated(version("202611.1.0"), "uksouth")
    assert not is_replicated(version("202611.1.0", regions=(Region("westeurope", "Replicating", 40),)), "westeurope")
    refusal = no_version(UBUNTU, [version("202609.2.0"), version("202609.10.0")], "uksouth")
    assert "uksouth" in refusal.message
    assert "202609.10.0" in refusal.message


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (None, True),
        (SUBSCRIPTION.upper(), True),
        (f"other, {SUBSCRIPTION}/RG-APP", True),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/", True),
        (f"{SUBSCRIPTION}/rg-apps", False),
        ("22222222-2222-2222-2222-222222222222", False),
        ("", False),
    ],
)
def test_an_image_may_list_who_may_use_it(scopes: str | None, allowed: bool) -> None:
    """Only a VM of a listed subscription or group gets the image, named or matched; an unreadable list allows no VM."""
    tags = TAGGED | ({"RefreshAllowedScopes": scopes} if scopes is not None else {})
    definition = image("ubuntu", tags)
    named = choose_definition(make_vm({"RefreshImage": "ubuntu"}), make_current(), [definition])
    matched = choose_definition(make_vm(), make_current(), [definition])
    if allowed:
        assert named == matched == definition
    else:
        assert isinstance(named, Refusal)
        assert (named.reason, "RefreshAllowedScopes" in named.message) == ("image-not-allowed", True)
        assert isinstance(matched, Refusal)
        assert matched.reason == "no-image"
