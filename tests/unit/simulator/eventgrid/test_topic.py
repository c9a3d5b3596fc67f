"""The custom topic accepts and refuses the same requests as Event Grid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from simulator.eventgrid.topic import MAX_BODY_BYTES
from simulator.identity import make_token
from tests.unit.simulator.arm.azure import AllowHttp, Azure, Credential, run_story

EVENT = {"specversion": "1.0", "id": "1", "source": "/test", "type": "test.happened", "data": {"n": 1}}
BATCH = "application/cloudevents-batch+json; charset=utf-8"


class TopicCredential(Credential):
    """A token for Event Grid."""

    token = make_token(
        "tenant", "11111111-1111-4111-8111-111111111111", "https://eventgrid.azure.net", 0, 4_000_000_000
    )


def client(azure: Azure, credential: Any) -> EventGridPublisherClient:
    return EventGridPublisherClient(azure.endpoints.topic, credential, per_call_policies=[AllowHttp()], retry_total=0)


async def published(azure: Azure) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await azure.sim("GET", "published")).body
    return rows


def test_the_real_sdk_publishes_and_the_control_plane_shows_it() -> None:
    """One event or a batch is accepted, listed with its simulated time, reset, and not in ARM's journal."""

    async def story(azure: Azure) -> None:
        async with client(azure, TopicCredential()) as topic:
            await topic.send(CloudEvent(source="/test", type="test.one", subject="s", data={"n": 1}))
            await topic.send([EVENT, {**EVENT, "id": "2"}])
        rows = await published(azure)
        assert [row["event"]["type"] for row in rows] == ["test.one", "test.happened", "test.happened"]
        assert rows[0]["event"]["data"] == {"n": 1}
        assert rows[0]["t"] == azure.clock.now().isoformat()
        journal = (await azure.sim("GET", "journal")).body["requests"]
        assert not [row for row in journal if row["path"] == "/api/events"]
        await azure.sim("POST", "reset", {})
        assert await published(azure) == []

    run_story(story, [])


def test_a_token_for_another_audience_is_refused() -> None:
    """A request with a token for ARM or without a token is refused."""

    async def story(azure: Azure) -> None:
        async with client(azure, Credential()) as topic:
            with pytest.raises(ClientAuthenticationError):
                await topic.send([EVENT])
        async with azure.http.post(f"{azure.endpoints.topic}?api-version=2018-01-01", json=[EVENT]) as answer:
            assert answer.status == 401
            assert (await answer.json())["error"]["code"] == "Unauthorized"
        assert await published(azure) == []

    run_story(story, [])


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (json.dumps([EVENT]), BATCH, 200),
        (json.dumps(EVENT), "application/cloudevents+json", 200),
        (json.dumps([EVENT]), "application/json", 400),
        (json.dumps(EVENT), BATCH, 400),
        (json.dumps([{**EVENT, "specversion": "0.3"}]), BATCH, 400),
        (json.dumps([{key: value for key, value in EVENT.items() if key != "source"}]), BATCH, 400),
        ("[", BATCH, 400),
        (json.dumps([{**EVENT, "data": "x" * MAX_BODY_BYTES}]), BATCH, 413),
    ],
)
def test_only_cloud_events_up_to_one_megabyte_are_accepted(body: str, content_type: str, status: int) -> None:
    """A wrong schema or version, a missing attribute or too much data refuses the batch, with Event Grid's status."""

    async def story(azure: Azure) -> None:
        url, headers = f"{azure.endpoints.topic}?api-version=2018-01-01", {"Content-Type": content_type}
        headers["Authorization"] = f"Bearer {TopicCredential.token}"
        async with azure.http.post(url, data=body, headers=headers) as answer:
            assert answer.status == status
        assert bool(await published(azure)) is (status == 200)

    run_story(story, [])


def test_faults_apply_to_the_topic_by_its_path() -> None:
    """A fault makes it fail, or accept an event without keeping it."""

    async def story(azure: Azure) -> None:
        match = {"path": "/api/events$"}
        failed = {"match": match, "times": 1, "respond": {"status": 503, "body": {"error": {"code": "Busy"}}}}
        await azure.sim("POST", "faults", [failed, {"match": {**match, "method": "POST"}, "nothing": True, "times": 1}])
        async with client(azure, TopicCredential()) as topic:
            with pytest.raises(HttpResponseError):
                await topic.send([EVENT])
            await topic.send([EVENT])
            assert await published(azure) == []
            await topic.send([EVENT])
            assert len(await published(azure)) == 1

    run_story(story, [])
