"""Blanks around a tag's value, which Azure keeps, and the case of `true` and `hold` mean nothing to any reader."""

from __future__ import annotations

import pytest

from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.intent_tag import read_intent_tag, write_intent_tag
from refresh.domain.vm.hints import is_worth_a_look
from refresh.domain.vm.wish import choose_wish
from refresh.reading.calls.paced_reads import Pace
from refresh.reading.disks.checked_plans import plan_disks
from refresh.reading.fleet.mismatches import collect_mismatches
from refresh.reading.fleet.scope import find_scope
from refresh.reading.images.scope import find_builds
from refresh.reading.images.version_plans import plan_images
from refresh.reading.retention.survey import survey_disks
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.records.dispatcher_state import DispatcherState
from tests.support.worlds.builders import DEFINITION_ID, SUBSCRIPTION, disk_id, make_vm, recall_nothing
from tests.support.worlds.month_world import (
    GOLDEN,
    PERIOD,
    World,
    gallery_bodies,
    on_arm,
    version_body,
    vm_bodies,
    vm_id,
)

IN_SCOPE = {
    "plain": "true",
    "after": "true ",
    "before": "  True",
    "tab": "\tTRUE\n",
    "no-break": "true\u00a0",
    "held": " Hold ",
}
OUT = {"false": " false ", "absent-minded": "tru e", "truest": "truest", "household": "household"}
FLEET = [body for name, value in {**IN_SCOPE, **OUT}.items() for body in vm_bodies(name, {"AutoRefresh": value})]
READY = [*gallery_bodies(), version_body()]
ALL_IN_SCOPE = sorted(vm_id(name) for name in IN_SCOPE)


def test_every_reader_has_the_same_vms_in_scope() -> None:
    """Resource Graph, ARM's list, the month's disks and the demand for an image agree."""

    async def story(world: World) -> None:
        assert sorted(await world.gateways.graph.list_scope()) == ALL_IN_SCOPE
        assert sorted((await find_scope(world.gateways)).vms) == ALL_IN_SCOPE
        vms = [vm async for vm in world.gateways.compute.list_vms(SUBSCRIPTION)]
        assert sorted(vm.id for vm in vms if vm.own_tags.in_scope) == ALL_IN_SCOPE
        ids = [vm_id(name) for name in (*IN_SCOPE, *OUT)]
        rows = await plan_disks(world.gateways, world.settings, ids, PERIOD, recall_nothing)
        assert sorted(row["vm"] for row in rows if row["reason"] != "not-in-scope") == ALL_IN_SCOPE
        builds = await find_builds(world.gateways, world.settings)
        assert builds.demand == {DEFINITION_ID: {"westeurope": len(IN_SCOPE)}}

    on_arm([*READY, *FLEET], story)


@pytest.mark.parametrize("wish", ["web01-new", " web01-new", "web01-new\t", "\u00a0WEB01-new "])
def test_a_wish_with_blanks_is_the_same_wish(wish: str) -> None:
    """The look, the list of unfulfilled tags and retention read the same disk."""

    async def story(world: World) -> None:
        found: dict[str, object] = {}
        await collect_mismatches(world.gateways, SUBSCRIPTION, found)  # type: ignore[arg-type]
        assert list(found) == [vm_id("web01").lower()]
        facts = await FactReader(world.gateways, policy_of(world.settings), Pace(gap_s=0.0)).read(vm_id("web01"))
        assert resource_id.same(facts.wish.disk_id, disk_id("web01-new"))
        survey = await survey_disks(world.gateways, world.settings, DispatcherState({}))
        assert survey.evidence.mentions.by_tag("web01-new") is not None

    on_arm([*READY, *vm_bodies("web01", {"AutoRefresh": " true", "OsDiskName": wish})], story)
    done = make_vm({"OsDiskName": wish}, os_disk_name="web01-new", os_disk_id=disk_id("web01-new"))
    assert not is_worth_a_look(done)


def test_the_way_back_is_known_with_blanks() -> None:
    """The disk in `OsDiskPrevious` is one that the VM ran."""

    async def story(world: World) -> None:
        reader = FactReader(world.gateways, policy_of(world.settings), Pace(gap_s=0.0))
        facts = await reader.read(vm_id("web01"))
        assert facts.ran == {resource_id.id_hash(disk_id("web01-older"))}
        assert facts.wish.disk_id == disk_id("web01-older")

    wishes = {"AutoRefresh": "true", "OsDiskName": " @Previous ", "OsDiskPrevious": " web01-older "}
    on_arm([*READY, *vm_bodies("web01", wishes)], story)
    assert choose_wish(make_vm(wishes), ()).disk_id == disk_id("web01-older")


def test_an_open_swap_is_read_with_blanks() -> None:
    """A VM that a swap stopped is started again, whatever wrote its tag back."""
    text = write_intent_tag("swap-1", True, "web01-old", "web01-new")
    plain = read_intent_tag(text)
    assert plain is not None
    assert read_intent_tag(f" {text} ") == plain
    assert read_intent_tag(text.replace(";", " ; ")) == plain
    assert read_intent_tag("run=swap-1;ran=yes ") is not None


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_version_is_not_built_again_for_a_blank(blank: str) -> None:
    """The definition is in the month's build, and its version from the named source is kept."""

    async def story(world: World) -> None:
        (row,) = await plan_images(world.gateways, world.settings, (), PERIOD)
        assert (row["decision"], row["reason"]) == ("skip", "kept")

    wanted = {"AutoRefresh": f"{blank}True{blank}", "RefreshSource": f"{blank}{GOLDEN}{blank}"}
    on_arm([*gallery_bodies({**wanted, "RefreshPersonalizes": f"{blank}TRUE{blank}"}), version_body()], story)


def test_a_value_is_trimmed_and_a_name_has_any_case() -> None:
    """The one reader of values."""
    assert tags.text_of({"autoREFRESH": " x y\u00a0"}, "AutoRefresh") == "x y"
    assert tags.text_of({"AutoRefresh": "  "}, "AutoRefresh") == tags.text_of({}, "AutoRefresh") == ""
