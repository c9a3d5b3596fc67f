"""Only complete answers of Resource Graph count, and rows are matched exactly in code."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from refresh.gateways.errors import GatewayError, Unavailable
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import SUBSCRIPTION, VM, Answer, ScriptedArm, against

_QUOTA = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}


def _page(*rows: Any, token: str | None = None, truncated: str = "false") -> dict[str, Any]:
    page = {
        "totalRecords": len(rows),
        "count": len(rows),
        "data": list(rows),
        "facets": [],
        "resultTruncated": truncated,
    }
    return page if token is None else {**page, "$skipToken": token}


def _row(name: str, **tags: str) -> dict[str, Any]:
    return {"id": VM.replace("web-1", name), "tags": tags}


def test_the_whole_scope_is_read_page_by_page() -> None:
    """Every page of 1,000 rows is read by its token, in the configured subscriptions."""
    arm = ScriptedArm(
        Answer(200, _page(_row("a", AutoRefresh="true"), token="more", truncated="true")),
        Answer(200, _page(_row("b", AutoRefresh="hold"))),
    )
    scope = against(arm, lambda gateways: gateways.graph.list_scope())
    assert [vm.rsplit("/", 1)[-1] for vm in scope] == ["a", "b"]
    bodies = [sent.body for sent in arm.requests]
    assert [body["options"].get("$skipToken") for body in bodies] == [None, "more"]
    assert all(body["options"]["$top"] == 1000 and body["subscriptions"] == [SUBSCRIPTION] for body in bodies)
    assert all("managementGroups" not in body for body in bodies)


def test_rows_are_matched_exactly_and_listed_once() -> None:
    """Names and values (true, hold) count in any case, similar ones do not, and duplicates are dropped."""
    rows = [
        _row("yes", autorefresh="TRUE"),
        _row("held", AUTOREFRESH="Hold"),
        _row("YES", AutoRefresh="true"),
        _row("no", AutoRefresh="false", Note='"AutoRefresh":"true"'),
        {"id": VM, "tags": None},
    ]
    scope = against(ScriptedArm(Answer(200, _page(*rows))), lambda gateways: gateways.graph.list_scope())
    assert [vm.rsplit("/", 1)[-1] for vm in scope] == ["yes", "held"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, _page(_row("a", AutoRefresh="true"), truncated="true")),
        Answer(200, _page(), {"x-ms-tenant-subscription-limit-hit": "true"}),
        Answer(200, {"count": 0}),
        Answer(200, _page({"tags": {}})),
    ],
)
def test_an_incomplete_answer_is_an_error(answer: Answer) -> None:
    """A truncated answer without a token, a limited scope or rows without ids raise an error."""
    with pytest.raises(GatewayError):
        against(ScriptedArm(answer), lambda gateways: gateways.graph.list_scope())


def test_a_throttled_page_is_unavailable_with_its_wait() -> None:
    """A 429 on a later page raises an error instead of returning fewer VMs."""
    arm = ScriptedArm(Answer(200, _page(_row("a"), token="more")), Answer(429, None, {"Retry-After": "4"}))
    with pytest.raises(Unavailable) as raised:
        against(arm, lambda gateways: gateways.graph.list_scope())
    assert (raised.value.retry_after_s, len(arm.requests)) == (4, 2)


def test_a_used_up_quota_is_waited_out_between_pages() -> None:
    """The next page is read when the quota is full again, so that a 429 does not lose the pages read."""

    async def call(gateways: ArmGateways) -> float:
        start = asyncio.get_running_loop().time()
        await gateways.graph.list_scope()
        return asyncio.get_running_loop().time() - start

    paged = ScriptedArm(Answer(200, _page(_row("a"), token="more"), _QUOTA), Answer(200, _page(), _QUOTA))
    assert against(paged, call) == pytest.approx(5, abs=0.5)


def test_a_management_group_is_the_scope_when_configured() -> None:
    """The selection and the list of subscriptions use the management group."""
    subscriptions = [
        {"id": "/subscriptions/B", "subscriptionId": "B"},
        {"id": "/subscriptions/a", "subscriptionId": "a"},
    ]
    arm = ScriptedArm(
        Answer(200, _page(*subscriptions)), Answer(200, _page()), Answer(200, {}), REFRESH_MANAGEMENT_GROUP="landing"
    )

    async def call(gateways: ArmGateways) -> tuple[Any, Any]:
        listed = await gateways.graph.list_subscriptions()
        return listed, await gateways.graph.list_scope()

    assert against(arm, call) == (["b", "a"], [])
    assert [sent.body["managementGroups"] for sent in arm.requests] == [["landing"], ["landing"]]


def test_the_clock_of_a_management_group_reads_its_first_subscription() -> None:
    """The subscription whose Date is read is looked up once."""
    arm = ScriptedArm(
        Answer(200, _page({"id": "/subscriptions/a", "subscriptionId": "a"})),
        Answer(200, {}),
        Answer(200, {}),
        REFRESH_MANAGEMENT_GROUP="landing",
    )

    async def call(gateways: ArmGateways) -> set[str]:
        return {await gateways.clock.now(), await gateways.clock.now()}

    assert len(against(arm, call)) == 1
    assert [sent.path for sent in arm.requests][1:] == ["/subscriptions/a", "/subscriptions/a"]


def test_many_subscriptions_are_queried_in_batches() -> None:
    """More subscriptions than one query takes become several queries, each with its own."""
    many = [f"{n:08d}-0000-0000-0000-000000000000" for n in range(1001)]
    arm = ScriptedArm(Answer(200, _page()), Answer(200, _page()), REFRESH_SUBSCRIPTIONS=",".join(many))
    against(arm, lambda gateways: gateways.graph.list_scope())
    assert [len(sent.body["subscriptions"]) for sent in arm.requests] == [1000, 1]
    assert arm.requests[1].body["subscriptions"] == many[1000:]


def test_configured_subscriptions_need_no_request() -> None:
    """The list of subscriptions comes from the settings, without a request."""
    arm = ScriptedArm()
    assert against(arm, lambda gateways: gateways.graph.list_subscriptions()) == (SUBSCRIPTION,)
    assert arm.requests == []
