"""A long-running operation is begun with one request and read with one GET, also by another process."""

from __future__ import annotations

import logging

import pytest

from refresh.gateways.errors import Unavailable
from refresh.gateways.operations import Begun, Progress
from refresh.wiring import ArmGateways, connect
from tests.support.worlds.scripted_arm import DATE_ISO, VERSION, VM, Answer, ScriptedArm, against

_OPERATION = {"Azure-AsyncOperation": "{base}/subscriptions/s/operations/1?c=signed"}
_ACCEPTED = Answer(201, {"id": VERSION, "properties": {"provisioningState": "Creating"}}, _OPERATION)


async def _begin_and_ask(gateways: ArmGateways) -> Progress:
    begun = await gateways.gallery.begin_create_version(VERSION, {"location": "westus"})
    assert begun.token is not None
    return await gateways.gallery.version_progress(VERSION, begun.token)


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        (Answer(200, {"status": "InProgress"}, {"Retry-After": "60"}), Progress("InProgress", retry_after_s=60.0)),
        (Answer(200, {"status": "Succeeded"}), Progress("Succeeded")),
        (
            Answer(200, {"status": "Failed", "error": {"code": "Quota", "message": "no room"}}),
            Progress("Failed", "Quota", "no room"),
        ),
        (Answer(200, {"status": "Canceled"}), Progress("Failed", "Canceled", None)),
        (
            Answer(404, {"error": {"code": "NotFound", "message": "forgotten"}}),
            Progress("Unknown", "NotFound", "forgotten"),
        ),
    ],
)
def test_a_versions_creation_is_read_with_one_get(status: Answer, progress: Progress) -> None:
    """The token contains the operation's URL; the status has Azure's reason."""
    arm = ScriptedArm(_ACCEPTED, status)
    assert against(arm, _begin_and_ask) == progress
    assert [(a.method, a.path) for a in arm.requests] == [("PUT", VERSION), ("GET", "/subscriptions/s/operations/1")]
    assert arm.requests[0].body == {"location": "westus"}


@pytest.mark.parametrize("status", [Answer(429, None, {"Retry-After": "3"}), Answer(500), Answer(200, b"garbage")])
def test_a_status_that_cannot_be_read_is_unavailable_after_one_get(status: Answer) -> None:
    """A throttled, failed or garbled status is an error that the caller retries, not a result of the operation."""
    arm = ScriptedArm(_ACCEPTED, status)
    with pytest.raises(Unavailable):
        against(arm, _begin_and_ask)
    assert len(arm.requests) == 2


def test_a_token_outlives_the_gateways_that_made_it() -> None:
    """Another process with its own clients can use the token."""
    arm = ScriptedArm(_ACCEPTED, Answer(200, {"status": "Succeeded"}))

    async def call(gateways: ArmGateways) -> Progress:
        begun = await gateways.gallery.begin_create_version(VERSION, {})
        others = connect(arm.settings)
        try:
            return await others.gallery.version_progress(VERSION, begun.token or "")
        finally:
            await others.close()

    assert against(arm, call) == Progress("Succeeded")


def test_an_operation_that_ends_at_once_has_no_token() -> None:
    """An operation that ended with ARM's answer has no token."""
    arm = ScriptedArm(Answer(201, {"id": VERSION, "properties": {"provisioningState": "Succeeded"}}))
    begun = against(arm, lambda gateways: gateways.gallery.begin_create_version(VERSION, {}))
    assert begun == Begun(DATE_ISO, None)


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhIjogMX0=", "gASVAAAA"])
def test_a_token_that_cannot_be_read_is_unknown_without_a_request(token: str) -> None:
    """A token of another library version gives `Unknown`, so that the resource is read; it raises nothing."""
    arm = ScriptedArm()
    progress = against(arm, lambda gateways: gateways.gallery.version_progress(VERSION, token))
    assert (progress.state, progress.code) == ("Unknown", "TokenRefused")
    assert arm.requests == []


def test_nothing_of_an_operation_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the signed URL nor the token is in any log of the app or the SDK, at any level."""
    with caplog.at_level(logging.DEBUG):
        against(ScriptedArm(_ACCEPTED, Answer(200, {"status": "Succeeded"})), _begin_and_ask)
    lines = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert lines
    assert not [line for line in lines if "signed" in line or "secret-token" in line]


@pytest.mark.parametrize("operation", ["deallocate", "start", "os_disk"])
def test_a_failed_operation_of_a_vm_has_its_reason(operation: str) -> None:
    """The reason of a failed start, stop or swap is read from its status URL with one GET."""
    failed = {"status": "Failed", "error": {"code": "AllocationFailed", "message": "no capacity"}}
    accepted = Answer(200, {"id": VM, "properties": {"provisioningState": "Updating"}}, _OPERATION)
    arm = ScriptedArm(accepted if operation == "os_disk" else Answer(202, None, _OPERATION), Answer(200, failed))

    async def call(gateways: ArmGateways) -> Progress:
        compute = gateways.compute
        begun = await {
            "deallocate": lambda: compute.begin_deallocate(VM),
            "start": lambda: compute.begin_start(VM),
            "os_disk": lambda: compute.begin_os_disk(VM, "/d", "d"),
        }[operation]()
        return await compute.operation_progress(VM, begun.token or "")

    assert against(arm, call) == Progress("Failed", "AllocationFailed", "no capacity")
    assert [a.method for a in arm.requests][1:] == ["GET"]
