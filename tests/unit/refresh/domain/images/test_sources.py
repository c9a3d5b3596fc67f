"""How the tags of an image definition name a source."""

from __future__ import annotations

import pytest

from refresh.domain.images.sources import Source, SourceKind, SourcePart, read_source
from refresh.domain.terms.month_reason import MonthReason, Refusal
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, GROUP, VERSION_ID, disk_id, make_definition

COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
VM, IMAGE, SNAPSHOT = f"{COMPUTE}/virtualMachines/golden", f"{COMPUTE}/images/i", f"{COMPUTE}/snapshots/s"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/packed1"
VHD = "https://packed1.blob.core.windows.net/vhds/a%20b.vhd"
ACCOUNT = {"RefreshSourceStorage": STORAGE}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"refreshsource": f" {VM} "}, Source(SourcePart(SourceKind.VM, VM))),
        ({"RefreshSource": IMAGE}, Source(SourcePart(SourceKind.IMAGE, IMAGE))),
        ({"RefreshSource": VERSION_ID}, Source(SourcePart(SourceKind.VERSION, VERSION_ID))),
        ({"RefreshSource": DEFINITION_ID}, Source(SourcePart(SourceKind.VERSION, DEFINITION_ID), latest=True)),
        (
            {"RefreshSource": f"{DEFINITION_ID}/versions/Latest"},
            Source(SourcePart(SourceKind.VERSION, DEFINITION_ID), latest=True),
        ),
        ({"RefreshSource": disk_id("d")}, Source(SourcePart(SourceKind.DISK, disk_id("d")))),
        ({"RefreshSource": SNAPSHOT.upper()}, Source(SourcePart(SourceKind.SNAPSHOT, SNAPSHOT.upper()))),
        ({"RefreshSource": VHD, **ACCOUNT}, Source(SourcePart(SourceKind.VHD, VHD), storage=STORAGE)),
        ({"RefreshSource": "Recipe"}, Source(SourcePart(SourceKind.RECIPE, "recipe"))),
        (
            {"RefreshSource": SNAPSHOT, "RefreshSourceLun10": disk_id("d"), "refreshsourcelun2": VHD, **ACCOUNT},
            Source(
                SourcePart(SourceKind.SNAPSHOT, SNAPSHOT),
                (SourcePart(SourceKind.VHD, VHD, 2), SourcePart(SourceKind.DISK, disk_id("d"), 10)),
                STORAGE,
            ),
        ),
    ],
)
def test_the_resource_type_says_which_kind_it_is(tags: dict[str, str], expected: Source) -> None:
    """Names of tags match in any case.

    Data disks are ordered by LUN; without a number, or with `latest`, the latest version is meant.
    """
    assert read_source(make_definition(tags)) == expected


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ({}, "RefreshSource"),
        ({"RefreshSource": "  "}, "RefreshSource"),
        ({"RefreshSource": "golden"}, "known are"),
        ({"RefreshSource": GALLERY}, "known are"),
        ({"RefreshSource": f"{COMPUTE}/virtualMachineScaleSets/s"}, "known are"),
        ({"RefreshSource": VHD.replace("https", "http"), **ACCOUNT}, "known are"),
        ({"RefreshSource": f"{VHD}?sv=2024&sig=secret", **ACCOUNT}, "known are"),
        ({"RefreshSource": VHD}, "RefreshSourceStorage"),
        ({"RefreshSource": VHD, "RefreshSourceStorage": STORAGE.replace("packed1", "other1")}, "packed1"),
        ({"RefreshSource": VM, "RefreshSourceLun0": disk_id("d")}, "RefreshSourceLun0"),
        ({"RefreshSource": SNAPSHOT, "RefreshSourceLun64": disk_id("d")}, "RefreshSourceLun63"),
        ({"RefreshSource": SNAPSHOT, "RefreshSourceLunX": disk_id("d")}, "RefreshSourceLunX"),
        ({"RefreshSource": SNAPSHOT, "RefreshSourceLun1": VM}, "RefreshSourceLun1"),
    ],
)
def test_an_unknown_source_is_refused_by_name(tags: dict[str, str], named: str) -> None:
    """The refusal names the tag and the cure, and quotes at most the beginning of a value."""
    found = read_source(make_definition(tags))
    assert isinstance(found, Refusal)
    assert found.reason == (
        MonthReason.NO_SOURCE if not tags.get("RefreshSource", "").strip() else MonthReason.UNKNOWN_SOURCE
    )
    assert named in found.message
    assert "sig=secret" not in found.message
