"""From names to ids: one VM, or an answer that says which."""

from __future__ import annotations

import pytest

from refresh.triggers.http.problem import Problem, ProblemKind
from refresh.triggers.http.vm_names import choose_ids
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID

TWIN = VM_ID.replace("rg-app", "rg-other")
SECOND = VM_ID.replace("web01", "web02")
OUTSIDE = VM_ID.replace(SUBSCRIPTION, "22222222-2222-2222-2222-222222222222")
KNOWN = [VM_ID, SECOND]


def choose(*asked: str, known: list[str] | None = None) -> list[str]:
    return choose_ids(asked, KNOWN if known is None else known, {SUBSCRIPTION})


def test_names_and_ids_stand_for_vms_in_any_case() -> None:
    """Names and full ids are compared without case and answered as ARM spells them, each VM once."""
    assert choose("WEB01", VM_ID.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "web02") == [VM_ID, SECOND]


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ("web09", ProblemKind.UNKNOWN_VM, "is called web09"),
        (VM_ID.replace("web01", "web09"), ProblemKind.UNKNOWN_VM, "does not exist"),
        (OUTSIDE, ProblemKind.OUTSIDE_SCOPE, "none of the configured subscriptions"),
        ("web01", ProblemKind.AMBIGUOUS_VM, TWIN),
    ],
    ids=["no such name", "no such id", "other subscription", "two of a name"],
)
def test_what_stands_for_no_single_vm_is_named(asked: str, kind: ProblemKind, words: str) -> None:
    """An unknown, foreign or ambiguous VM is answered by name, with the ids to choose from."""
    with pytest.raises(Problem) as caught:
        choose(asked, known=[*KNOWN, TWIN])
    assert caught.value.kind is kind
    assert words in caught.value.detail


def test_every_bad_name_of_a_request_is_told() -> None:
    """Three bad names are three errors, each pointing at its place; the gravest gives the problem its kind."""
    with pytest.raises(Problem) as caught:
        choose("web09", "web01", OUTSIDE, "web02", known=[*KNOWN, TWIN])
    assert caught.value.kind is ProblemKind.OUTSIDE_SCOPE
    assert sorted(error["pointer"] for error in caught.value.errors) == ["#/vms/0", "#/vms/1", "#/vms/2"]
