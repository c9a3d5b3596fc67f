"""Requests that the API refuses: each gets a clear answer, writes nothing, starts nothing and reveals no secret."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from tests.support.worlds.builders import GROUP, SUBSCRIPTION, VM_ID, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body

KEY = "bm90LWEta2V5"
TWIN = VM_ID.replace("rg-app", "rg-other")
FOREIGN = VM_ID.replace(SUBSCRIPTION, "22222222-2222-2222-2222-222222222222")
TWO = ["web02", VM_ID]

BAD: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/api/swap", "no json", 400, "not JSON"),
    ("POST", "/api/swap", [], 400, "JSON object"),
    ("POST", "/api/swap", {}, 400, '"all": true'),
    ("POST", "/api/rollback", {}, 400, '"all": true'),
    ("POST", "/api/tags", {"period": "202611"}, 400, '"all": true'),
    ("POST", "/api/rollback", {"vms": ["web02"], "disk": "x"}, 400, "disk is not accepted"),
    ("POST", "/api/images", {"vms": ["web02"]}, 400, "vms is not accepted"),
    ("POST", "/api/swap", {"vm": "web02"}, 400, "vm is not accepted"),
    ("POST", "/api/swap", {"vms": ["web02"], "disk": "../web02"}, 400, "disk must be"),
    ("POST", "/api/swap", {"vms": ["missing"]}, 404, "called missing"),
    ("POST", "/api/swap", {"vms": [f"{GROUP}/providers/Microsoft.Compute/virtualMachines/no"]}, 404, "does not exist"),
    ("POST", "/api/swap", {"vms": ["web01"]}, 400, TWIN),
    ("POST", "/api/swap", {"vms": [FOREIGN]}, 400, "none of the configured subscriptions"),
    ("POST", "/api/swap", {"vms": [VM_ID.replace("rg-app", "..")]}, 400, "vms/0 must be"),
    ("POST", "/api/swap", {"vms": TWO, "disk": "web01-new"}, 400, "one VM only"),
    ("POST", "/api/swap", {"vms": [VM_ID, TWIN], "disk": disk_id("web01-new")}, 400, "one VM only"),
    ("POST", "/api/disks", {"period": "2026-11"}, 400, "202611"),
    ("POST", "/api/refresh", {"rollout": "now"}, 400, "rollout must be"),
    ("POST", "/api/pause", {"why": 7}, 400, "why must be"),
    ("GET", "/api/vms?after=x", None, 400, "nextLink"),
    ("GET", "/api/vms?name=x", None, 400, "name is not accepted"),
    ("GET", "/api/vms?vm=%20", None, 400, "vm must be"),
    ("GET", "/api/queue?x=1", None, 400, "x is not accepted"),
    ("GET", "/api/runs?top=0", None, 400, "top must be"),
    ("GET", "/api/runs?from=yesterday", None, 400, "from must be"),
    ("GET", "/api/runs?to=0001-01-01", None, 400, "to must be"),
    ("GET", "/api/runs?kind=swop", None, 400, "kind must be"),
    ("GET", "/api/runs/nonsense", None, 400, "not the id of a run"),
    ("GET", "/api/runs/swaps-202611-00000000", None, 404, "no run"),
]


def test_every_bad_request_gets_a_clear_answer_and_has_no_effect(caplog: pytest.LogCaptureFixture) -> None:
    """Each of 29 requests gets a problem with status, title, detail and path; no ARM write, run, key or stack trace."""
    caplog.set_level(logging.INFO)

    async def story(azure: LocalAzure) -> None:
        for method, path, body, status, text_part in BAD:
            url = f"{azure.functions}{path}{'&' if '?' in path else '?'}code={KEY}"
            data = None if body is None else (body if body == "no json" else json.dumps(body))
            async with azure.http.request(method, url, data=data) as answer:
                text = await answer.text()
                problem = json.loads(text)
                assert (answer.status, problem["status"]) == (status, status), f"{method} {path} {body}: {text}"
                assert answer.headers["Content-Type"].startswith("application/problem+json")
                assert {"type", "title", "detail", "instance"} <= set(problem)
                assert text_part in problem["detail"], f"{method} {path} {body}: {text}"
                assert problem["instance"] == path.split("?")[0]
                for secret in (KEY, "code=", "Traceback", "sig="):
                    assert secret not in text
        assert azure.dispatcher_state() == {}
        assert azure.hub.orchestrations.instances == {}
        requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
        assert {row["method"] for row in requests if "ResourceGraph" not in row["path"]} <= {"GET"}

    twin = {**vm_body(), "id": TWIN}
    play(story, [vm_body(), twin, vm_body("web02"), disk_body("web01-new")], events=False)
    assert KEY not in caplog.text
