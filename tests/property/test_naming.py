"""The names of a month's versions and disks, for all possible names and numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from refresh.domain.terms import names as naming
from refresh.domain.terms import resource_id

NUMBERS = st.integers(0, 2**31 - 1)
VERSIONS = st.builds(lambda a, b, c: f"{a}.{b}.{c}", NUMBERS, NUMBERS, NUMBERS)
PERIODS = st.builds(lambda year, month: f"{year}{month:02d}", st.integers(2020, 2099), st.integers(1, 12))
NEAR = st.builds(lambda minor, patch: f"202611.{minor}.{patch}", st.integers(0, 5), st.integers(0, 5))
VM_NAMES = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}\Z")


@given(st.lists(st.one_of(VERSIONS, NEAR, st.text(max_size=12)), max_size=8), st.one_of(PERIODS, st.just("202611")))
def test_the_next_version_is_above_every_existing_one(existing: list[str], period: str) -> None:
    """A new version has the period as major number and is higher than every existing one."""
    name = naming.next_version(existing, period)
    if name is None:
        assert any((naming.version_number(one) or ()) > (int(period), 0, 0) for one in existing)
        return
    number = naming.version_number(name)
    assert number is not None
    assert number[0] == int(period)
    assert number[2] == 0
    assert all((naming.version_number(one) or ()) < number for one in existing)


@given(st.integers(1, 30), PERIODS)
def test_versions_of_a_period_rise_without_end(count: int, period: str) -> None:
    """Every rebuild in a month gets a next name, and the names rise."""
    made: list[str] = []
    for _ in range(count):
        name = naming.next_version(made, period)
        assert name is not None
        made.append(name)
    assert made[0] == f"{period}.1.0"
    assert sorted(set(made), key=lambda name: naming.version_number(name) or ()) == made


@given(VM_NAMES, PERIODS, st.integers(1, naming.MAX_REBUILDS))
def test_a_disk_name_is_valid_and_contains_its_month(vm_name: str, period: str, attempt: int) -> None:
    """For any VM name the disk has a valid name with the period in it."""
    name = naming.disk_name(vm_name, period, attempt)
    assert resource_id.is_disk_name(name)
    assert name.endswith(f"-{period}" if attempt == 1 else f"-{period}-{attempt}")
    assert name == naming.disk_name(vm_name, period, attempt)


@given(VM_NAMES, VM_NAMES, PERIODS, st.integers(1, naming.MAX_REBUILDS), st.integers(1, naming.MAX_REBUILDS))
def test_two_disks_never_share_a_name(left: str, right: str, period: str, first: int, second: int) -> None:
    """Two VMs, or two attempts of one VM, get different names, compared without case as in ARM."""
    same = left.lower() == right.lower() and first == second
    names = {naming.disk_name(left, period, first).lower(), naming.disk_name(right, period, second).lower()}
    assert (len(names) == 1) == same


def test_a_period_is_a_year_and_a_month() -> None:
    """A period is a year of this century and an existing month."""
    assert naming.is_period("202611")
    assert not any(
        naming.is_period(text) for text in ("202613", "202600", "20261", "2026-11", "190001", "", None, 202611)
    )
