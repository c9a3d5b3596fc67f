"""How fresh a VM is, compared with the version from which its next disk would be made."""

from __future__ import annotations

from dataclasses import replace

from refresh.domain.azure.galleries import Region
from refresh.domain.fleet.freshness import Freshness, find_reference_image, judge_freshness
from tests.support.worlds.builders import DEFINITION_ID, GALLERY, make_current, make_definition, make_version, make_vm

NOW = "2026-11-21T10:00:00+00:00"
OLD_ID = f"{DEFINITION_ID}/versions/202609.1.0"
NEW = make_version(published_at="2026-11-01T03:00:00+00:00")
OLD = make_version(id=OLD_ID, name="202609.1.0", published_at="2026-09-01T03:00:00Z")
CURRENT = make_current(source_version=OLD_ID, time_created="2026-09-03T03:00:00.1234567+00:00")


def test_days_behind_are_between_two_publications() -> None:
    """The days are between the publications of the VM's version and of the latest one; the age is that of the disk."""
    fresh = judge_freshness(make_vm(), CURRENT, [OLD, NEW], OLD, NOW)
    assert fresh == Freshness("ubuntu/202609.1.0", "ubuntu/202611.1.0", 79, 61)
    assert fresh.drifted


def test_on_the_latest_nothing_is_behind() -> None:
    """A VM on the latest version is not behind at any age; ids are compared without case."""
    current = replace(CURRENT, source_version=NEW.id.upper())
    assert judge_freshness(make_vm(), current, [OLD, NEW], NEW, NOW).days_behind == 0
    current = replace(CURRENT, source_version=NEW.id)
    assert not judge_freshness(make_vm(), current, [OLD, NEW], NEW, NOW).drifted


def test_a_version_that_is_gone_is_as_old_as_the_disk() -> None:
    """Retention deletes old versions; a VM that runs on a deleted one is still behind."""
    assert judge_freshness(make_vm(), CURRENT, [NEW], None, NOW).days_behind == 58


def test_only_a_version_from_which_disks_can_be_made_is_the_latest() -> None:
    """No VM is behind an excluded, quarantined or failed version, or one that is not in its region."""
    for unusable in (
        replace(NEW, excluded_from_latest=True),
        replace(NEW, tags={"RefreshQuarantined": "x"}),
        replace(NEW, provisioning_state="Failed"),
        replace(NEW, regions=(Region("northeurope", "Completed", 100),)),
    ):
        fresh = judge_freshness(make_vm(), CURRENT, [OLD, unusable], OLD, NOW)
        assert (fresh.latest, fresh.days_behind, fresh.drifted) == ("ubuntu/202609.1.0", 0, False)


def test_an_unknown_age_is_null() -> None:
    """Without a version, or for a disk from no image, the value is null and there is no drift."""
    assert judge_freshness(make_vm(), CURRENT, [], None, NOW).drifted is False
    bare = judge_freshness(make_vm(), make_current(), [NEW], None, NOW)
    assert (bare.version, bare.disk_age_days, bare.days_behind, bare.drifted) == (None, None, None, True)


def test_a_vm_is_measured_against_the_image_of_its_next_disk() -> None:
    """The reference is the definition that its tag names or that fits it, else the disk's own."""
    ubuntu, other = make_definition(), make_definition(id=f"{GALLERY}/images/other", name="other")
    assert find_reference_image(make_vm(), CURRENT, [ubuntu]) is ubuntu
    assert find_reference_image(make_vm({"RefreshImage": "other"}), CURRENT, [ubuntu, other]) is other
    assert find_reference_image(make_vm({"RefreshImage": "typo"}), CURRENT, [other, ubuntu]) is ubuntu
    assert find_reference_image(make_vm({"RefreshImage": "typo"}), make_current(), [other, ubuntu]) is None
