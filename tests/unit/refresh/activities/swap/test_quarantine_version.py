"""Quarantining a version writes a tag and excludes the version from latest, and changes nothing else of it."""

from __future__ import annotations

from typing import Any

from refresh.activities.swap.quarantine_version import quarantine
from tests.support.worlds.scripted_arm import VERSION, Answer, ScriptedArm, against

_OPERATION = {"Azure-AsyncOperation": "{base}/subscriptions/s/operations/1?c=signed", "Retry-After": "10"}
TARGETS = [
    {"name": "West US", "regionalReplicaCount": 3, "storageAccountType": "Premium_LRS"},
    {"name": "East US 2", "regionalReplicaCount": 1, "encryption": {"osDiskImage": {"diskEncryptionSetId": "key"}}},
]


def quarantined(profile: dict[str, Any], vms: int = 2) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The activity's result and the requests sent to ARM, for a version with this publishing profile."""
    body = {"id": VERSION, "properties": {"provisioningState": "Succeeded", "publishingProfile": profile}}
    arm = ScriptedArm(Answer(200, body), Answer(200, {}), Answer(200, body), Answer(200, {"id": VERSION}, _OPERATION))
    answer = against(arm, lambda gateways: quarantine(gateways, VERSION, vms))
    return answer, [(call.method, call.body) for call in arm.requests[1:]]  # the first reads the mark


def test_a_quarantined_version_keeps_every_region() -> None:
    """The request repeats the target regions unchanged, because ARM drops a region that it does not name."""
    answer, (marked, read, changed) = quarantined({"targetRegions": TARGETS, "excludeFromLatest": False})
    assert (answer["ok"], answer["first"]) == (True, True), answer
    assert marked == ("PATCH", {"operation": "Merge", "properties": {"tags": _mark(2)}})
    assert read == ("GET", None)
    profile = {"targetRegions": TARGETS, "excludeFromLatest": True}
    assert changed == ("PATCH", {"properties": {"publishingProfile": profile}})


def test_a_version_that_shows_no_regions_is_sent_none() -> None:
    """A version without target regions is sent none: an empty list would remove it from every region."""
    _, sent = quarantined({"excludeFromLatest": False})
    assert sent[-1] == ("PATCH", {"properties": {"publishingProfile": {"excludeFromLatest": True}}})


def test_what_is_excluded_is_only_marked() -> None:
    """A version that is excluded from latest already is only tagged."""
    answer, sent = quarantined({"targetRegions": TARGETS, "excludeFromLatest": True}, vms=3)
    assert (answer["ok"], [method for method, _ in sent]) == (True, ["PATCH", "GET"])
    assert sent[0][1]["properties"]["tags"] == _mark(3)


def _mark(vms: int) -> dict[str, str]:
    return {"RefreshQuarantined": f"rolled back on {vms} VMs"}
