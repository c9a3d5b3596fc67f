"""What is sent to the topic: the exact event, once, to nobody else, and without a word in the log."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import pytest

from refresh.gateways.errors import GatewayError, Refused, Unavailable
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import LOST, Answer, ScriptedArm, against

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "swap-x-1/refresh.swap.succeeded",
    "source": "/azure-vm-refresh",
    "type": "refresh.swap.succeeded",
    "subject": "/subscriptions/s",
    "time": "2026-11-01T02:00:00+00:00",
    "datacontenttype": "application/json",
    "data": {"down_s": 33.0, "by_hand": ["az vm start"], "warnings": []},
}


def scripted(*answers: Answer) -> ScriptedArm:
    return ScriptedArm(*answers, REFRESH_OUTCOME_TOPIC="{base}/api/events")


async def publish(gateways: ArmGateways) -> None:
    assert gateways.topic is not None
    await gateways.topic.publish(EVENT)


def test_an_event_is_one_post_of_a_batch_of_one(caplog: pytest.LogCaptureFixture) -> None:
    """A POST with a token to the topic's endpoint, CloudEvents as they were made; nothing of it is logged."""
    arm = scripted(Answer(200))
    with caplog.at_level(logging.INFO):
        against(arm, publish)
    (asked,) = arm.requests
    assert (asked.method, asked.path, asked.query) == ("POST", "/api/events", {"api-version": "2018-01-01"})
    assert asked.headers["Content-Type"].startswith("application/cloudevents-batch+json")
    assert asked.headers["Authorization"] == "Bearer secret-token"
    (sent,) = asked.body
    assert {**sent, "time": EVENT["time"]} == EVENT
    assert datetime.fromisoformat(sent["time"]) == datetime.fromisoformat(EVENT["time"])
    told = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert not [line for line in told if "/api/events" in line or "secret-token" in line]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, {"error": {"code": "Unauthorized", "message": "no"}}), Refused),
        (Answer(413, {"error": {"code": "RequestEntityTooLarge", "message": "no"}}), Refused),
        (Answer(404, {"error": {"code": "NotFound", "message": "no"}}), GatewayError),
        (Answer(307, None, {"Location": "{base}/elsewhere"}), GatewayError),
        (Answer(503, {"error": {"code": "Busy", "message": "no"}}, {"Retry-After": "1"}), Unavailable),
        (LOST, Unavailable),
    ],
)
def test_a_topic_that_says_no_is_asked_once(answer: Answer, kind: type[GatewayError]) -> None:
    """Every refusal is an error of the app's own tree after one request: no retry, no redirect."""
    arm = scripted(answer)
    with pytest.raises(kind):
        against(arm, publish)
    assert [asked.path for asked in arm.requests] == ["/api/events"]
