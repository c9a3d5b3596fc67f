"""From names to ids: one VM, or a problem that names the candidates."""

from __future__ import annotations

import pytest

from refresh.triggers.http.problem import Problem, ProblemKind
from refresh.triggers.http.vm_names import choose_ids
from tests.support.worlds.builders import SUBSCRIPTION, VM_ID

TWIN = VM_ID.replace("rg-app", "rg-other")
SECOND = VM_ID.replace("web01", "web02")
OUTSIDE = VM_ID.replace(SUBSCRIPTION, "22222222-2222-2222-2222-222222222222")
KNOWN = [VM_ID, SECOND]


def choose(*wanted: str, known: list[str] | None = None) -> list[str]:
    return choose_ids(wanted, KNOWN if known is None else known, {SUBSCRIPTION})


def test_names_and_ids_stand_for_vms_in_any_case() -> None:
    """Names and full ids are compared without case and returned as ARM spells them, each VM once."""
    assert choose("WEB01", VM_ID.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "web02") == [VM_ID, SECOND]


@pytest.mark.parametrize(
    ("wanted", "kind", "detail"),
    [
        ("web09", ProblemKind.UNKNOWN_VM, "is called web09"),
        (VM_ID.replace("web01", "web09"), ProblemKind.UNKNOWN_VM, "does not exist"),
        (OUTSIDE, ProblemKind.OUTSIDE_SCOPE, "none of the configured subscriptions"),
        ("web01", ProblemKind.AMBIGUOUS_VM, TWIN),
    ],
    ids=["no such name", "no such id", "other subscription", "two of a name"],
)
def test_a_name_that_is_not_one_vm_is_refused_by_name(wanted: str, kind: ProblemKind, detail: str) -> None:
    """The problem of an unknown, foreign or ambiguous VM names it, with the ids to choose from."""
    with pytest.raises(Problem) as caught:
        choose(wanted, known=[*KNOWN, TWIN])
    assert caught.value.kind is kind
    assert detail in caught.value.detail


def test_every_bad_name_of_a_request_is_an_error() -> None:
    """Three bad names are three errors, each with its position; the gravest determines the kind of the problem."""
    with pytest.raises(Problem) as caught:
        choose("web09", "web01", OUTSIDE, "web02", known=[*KNOWN, TWIN])
    assert caught.value.kind is ProblemKind.OUTSIDE_SCOPE
    assert sorted(error["pointer"] for error in caught.value.errors) == ["#/vms/0", "#/vms/1", "#/vms/2"]
