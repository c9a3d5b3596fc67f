"""The topic receives the exact event, once; no other host does, and nothing of it is logged."""

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
    """One POST with a token to the topic's endpoint has the CloudEvent unchanged; nothing of it is logged."""
    arm = scripted(Answer(200))
    with caplog.at_level(logging.INFO):
        against(arm, publish)
    (published,) = arm.requests
    assert (published.method, published.path, published.query) == ("POST", "/api/events", {"api-version": "2018-01-01"})
    assert published.headers["Content-Type"].startswith("application/cloudevents-batch+json")
    assert published.headers["Authorization"] == "Bearer secret-token"
    (sent,) = published.body
    assert {**sent, "time": EVENT["time"]} == EVENT
    assert datetime.fromisoformat(sent["time"]) == datetime.fromisoformat(EVENT["time"])
    lines = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert not [line for line in lines if "/api/events" in line or "secret-token" in line]


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
def test_a_failed_publication_is_sent_once(answer: Answer, kind: type[GatewayError]) -> None:
    """Every failure is a GatewayError after one request: no retry, no redirect."""
    arm = scripted(answer)
    with pytest.raises(kind):
        against(arm, publish)
    assert [published.path for published in arm.requests] == ["/api/events"]
