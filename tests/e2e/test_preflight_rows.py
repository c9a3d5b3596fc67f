"""Every preflight check over HTTP: what it refuses, what it allows, and Azure's error without the check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from refresh.domain.preflight.all_checks import CONDITIONS
from tests.support.faults.preflight_row import ALLOWED_GROUP, READ_SET, Row, image_bodies, request_of
from tests.support.faults.preflight_rows import PASSED, PASSED_WITH_TRUST, REFUSED, REFUSED_WITH_TRUST
from tests.support.worlds.builders import GROUP
from tests.support.worlds.local_azure import LocalAzure, play

ALL_REFUSED, ALL_PASSED = (*REFUSED, *REFUSED_WITH_TRUST), (*PASSED, *PASSED_WITH_TRUST)
WITH_CODE = [row for row in ALL_REFUSED if row.code or row.condition.azure_code]
MOST_IN_A_DRY_RUN = 50


@dataclass
class Seen:
    """The results of a fleet: plans by VM id, final OS disks, writes on VMs, Azure's error codes without the app."""

    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    disks: dict[str, str] = field(default_factory=dict)
    power: dict[str, str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)

    def writes_on(self, row: Row) -> list[str]:
        return [line for line in self.writes if f"{row.id}/".lower() in f"{line}/".lower()]


def results_of(refused: Iterable[Row], passed: Iterable[Row], **settings: str) -> Seen:
    """Plan and sweep a fleet of these rows, then send the requests of the refused ones directly to Azure."""
    seen, rows = Seen(), list({row.name: row for row in (*refused, *passed)}.values())

    async def story(azure: LocalAzure) -> None:
        everything = {"scope": GROUP, "actions": ["*"]}
        others = [{"scope": scope, "actions": ["*"]} for scope in (ALLOWED_GROUP, f"{GROUP}-other")]
        reader = {"scope": "/", "actions": ["*/read"], "notActions": [READ_SET]}
        azure.simulator.roles.replace([everything, *others, reader, *(one for row in rows for one in row.roles())])
        names = {row.name: row for row in rows}
        if "rejected" in names:
            await reject(azure, names["rejected"])
        if "busy" in names:
            hang = {"match": {"operation": "restart", "resource": "busy"}, "hang": True}
            azure.simulator.services.faults.add([hang])
            await azure.arm("POST", f"{names['busy'].id}/restart")
        before = len(requests(azure))
        for start in range(0, len(rows), MOST_IN_A_DRY_RUN):
            batch = [row.id for row in rows[start : start + MOST_IN_A_DRY_RUN]]
            _, answer = await azure.api("POST", "/api/swap", {"vms": batch, "dryRun": True})
            seen.plans |= {row["vm"]: row for row in answer["plan"]}
        await azure.fire("sweep")
        await azure.settled()
        changed = [row for row in requests(azure)[before:] if row["method"] not in ("GET", "HEAD")]
        seen.writes = [f"{row['method']} {row['path']}" for row in changed]
        for row in passed:
            seen.disks[row.id] = await azure.os_disk(row.id)
            seen.power[row.id] = await azure.power(row.id)
        for row in refused:
            if row in WITH_CODE:
                seen.codes[row.id] = await send_without_app(azure, row)

    bodies = [body for row in rows for body in row.bodies()]
    play(story, [*image_bodies(), *bodies], settings={"REFRESH_MAX_SWAPS": "40", **settings})
    return seen


async def reject(azure: LocalAzure, row: Row) -> None:
    """Let the app reject the disk of `row` as unhealthy, and request the disk again."""
    azure.simulator.services.faults.add([{"disk": row.wanted, "boots": False}])
    await azure.tag(row.id, OsDiskName=row.wanted)
    await azure.until(lambda: bool(azure.outcomes()))
    await azure.settled()
    assert azure.outcomes()[0]["status"] == "rolled-back"
    await azure.tag(row.id, OsDiskName=row.wanted)
    await azure.settled()


async def send_without_app(azure: LocalAzure, row: Row) -> str:
    """Azure's error code for the request of a row without the app."""
    method, path, body = request_of(row)
    url, headers = f"{azure.endpoints.arm}{path}", {"Authorization": "Bearer test"}
    async with azure.http.request(method, url, json=body, headers=headers, params={"api-version": "2024-07-01"}) as got:
        answer = await got.json(content_type=None)
        return str(answer["error"]["code"]) if got.status >= 400 else f"accepted with {got.status}"


def requests(azure: LocalAzure) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [row for row in found if "ResourceGraph" not in row["path"]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    first = results_of(REFUSED, PASSED, REFRESH_DISK_GROUPS=ALLOWED_GROUP)
    second = results_of(REFUSED_WITH_TRUST, PASSED_WITH_TRUST, REFRESH_DISK_TRUST="gallery")
    return Seen(
        first.plans | second.plans,
        first.disks | second.disks,
        first.power | second.power,
        first.writes + second.writes,
        first.codes | second.codes,
    )


def test_every_check_has_its_rows() -> None:
    """Each check has a row that it refuses and a row that passes, and a row for its Azure error code if it has one."""
    for condition in CONDITIONS:
        assert any(row.condition is condition for row in ALL_REFUSED), condition.name
        assert any(row.condition is condition for row in ALL_PASSED), condition.name
        if condition.azure_code is not None:
            assert any(row.condition is condition and row.code is None for row in WITH_CODE), condition.name


@pytest.mark.parametrize("row", ALL_REFUSED, ids=lambda row: row.name)
def test_a_row_that_fails_a_check_is_refused_and_nothing_is_written(row: Row, seen: Seen) -> None:
    """The VM is refused with the check's reason and evidence, the plan has all checks, and nothing is written."""
    plan = seen.plans[row.id]
    assert (plan["decision"], plan["reason"]) == ("refuse", str(row.condition.reason)), plan["message"]
    assert [check["name"] for check in plan["checks"]] == [condition.name for condition in CONDITIONS]
    failed = [check for check in plan["checks"] if check["result"] == "failed"]
    assert [check["name"] for check in failed] == [one.name for one in (row.condition, *row.with_it)]
    first = failed[0]
    assert (first["evidence"], first["azure_code"]) == (str(row.condition.evidence), row.condition.azure_code)
    assert plan["message"] == first["message"] and len(first["message"]) > 20
    assert plan["steps"] == []
    assert seen.writes_on(row) == []


@pytest.mark.parametrize("row", ALL_PASSED, ids=lambda row: f"{row.name}-{row.condition.reason}")
def test_a_row_that_passes_every_check_is_swapped(row: Row, seen: Seen) -> None:
    """An allowed row passes every check and is swapped; a VM that did not run is not started."""
    plan = seen.plans[row.id]
    assert plan["decision"] == "swap", plan["message"]
    assert {check["result"] for check in plan["checks"]} == {"passed"}
    expected = {"@previous": "previous-before"}.get(row.wanted, row.wanted)
    assert seen.disks[row.id] == expected
    assert seen.power[row.id] == row.power


def test_all_writes_concern_vms_that_pass(seen: Seen) -> None:
    """The app writes only to the VMs that are swapped, not to a disk, an image or another VM."""
    allowed = tuple(f"{row.id}/".lower() for row in ALL_PASSED)
    assert seen.writes
    assert [line for line in seen.writes if not f"{line.split(' ')[1]}/".lower().startswith(allowed)] == []


@pytest.mark.parametrize("row", WITH_CODE, ids=lambda row: row.name)
def test_azure_refuses_the_same_request_without_the_app(row: Row, seen: Seen) -> None:
    """Azure refuses the same request with the error code of the check."""
    assert seen.codes[row.id] == (row.code or row.condition.azure_code)
