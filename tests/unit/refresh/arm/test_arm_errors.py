"""Every failure of an ARM request is one of the app's errors and contains no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from refresh.arm.errors import from_answer, retry_after_s
from refresh.gateways.errors import GatewayError, NotFound, Refused, Unavailable
from refresh.wiring import ArmGateways
from simulator.clock import Clock, run
from tests.support.worlds.scripted_arm import LOST, VM, Answer, ScriptedArm, against

_CONFLICT = {"error": {"code": "PropertyChangeNotAllowed", "message": "Changing property 'x' is not allowed."}}

# Azure's answer, the app's error, Azure's code, and the wait that the answer requires.
_ANSWERS: list[tuple[Answer, type[GatewayError], str, float | None]] = [
    (Answer(404, {"error": {"code": "ResourceNotFound", "message": "gone"}}), NotFound, "ResourceNotFound", None),
    (Answer(404), Unavailable, "Http404", None),
    (Answer(404, b"<html>no such page</html>", {"Content-Type": "text/html"}), Unavailable, "Http404", None),
    (Answer(404, {"error": {"message": "no code"}}), Unavailable, "Http404", None),
    (Answer(409, _CONFLICT), Refused, "PropertyChangeNotAllowed", None),
    (Answer(409, _CONFLICT, {"Retry-After": "7"}), Refused, "PropertyChangeNotAllowed", 7),
    (Answer(400, {"code": "BadRequest", "message": "no envelope"}), Refused, "BadRequest", None),
    (Answer(403, {"error": {"code": "AuthorizationFailed", "message": "no"}}), Refused, "AuthorizationFailed", None),
    (Answer(401, {"error": {"code": "InvalidToken", "message": "no"}}), Refused, "InvalidToken", None),
    (Answer(412, {"error": {"code": "PreconditionFailed", "message": "etag"}}), Refused, "PreconditionFailed", None),
    (Answer(429, {"error": {"code": "TooMany", "message": "x"}}, {"Retry-After": "17"}), Unavailable, "TooMany", 17),
    (Answer(429, None, {"retry-after-ms": "250"}), Unavailable, "Http429", 0.25),
    (Answer(429, None, {"Retry-After": "Sun, 01 Nov 2026 02:00:30 GMT"}), Unavailable, "Http429", 30),
    (Answer(408), Unavailable, "Http408", None),
    (Answer(500, {"error": {"code": "InternalError", "message": "oops"}}), Unavailable, "InternalError", None),
    (Answer(503, b"<html>bad gateway</html>", {"Content-Type": "text/html"}), Unavailable, "Http503", None),
    (Answer(302, None, {"Location": "{base}/elsewhere"}), Unavailable, "UnreadableAnswer", None),
    (Answer(200, b"[" * 100_000), Unavailable, "UnreadableAnswer", None),
    (Answer(200, b"null", {"Content-Encoding": "gzip"}), Unavailable, "UnreadableAnswer", None),
    (Answer(200, b"{}", {"Content-Type": "application/json; charset=klingon"}), Unavailable, "UnreadableAnswer", None),
    (Answer(200, b"{not json"), Unavailable, "UnreadableAnswer", None),
    (Answer(200, b""), Unavailable, "UnreadableAnswer", None),
    (Answer(200, []), Unavailable, "UnreadableAnswer", None),
    (Answer(200, {"properties": {}}), Unavailable, "UnreadableAnswer", None),
]


@pytest.mark.parametrize(("answer", "kind", "code", "wait_s"), _ANSWERS)
def test_a_failed_read_raises_its_error_after_one_request(
    answer: Answer, kind: type[GatewayError], code: str, wait_s: float | None
) -> None:
    """A failed GET is sent once and raises the error of its status, with Azure's code and Retry-After."""
    arm = ScriptedArm(answer)
    with pytest.raises(GatewayError) as raised:
        against(arm, lambda gateways: gateways.compute.read_vm(VM))
    assert (type(raised.value), raised.value.code, raised.value.retry_after_s) == (kind, code, wait_s)
    assert len(arm.requests) == 1


@pytest.mark.parametrize(("answer", "kind", "code", "wait_s"), [row for row in _ANSWERS if row[0].status != 200])
def test_a_failed_begin_raises_its_error_after_one_request(
    answer: Answer, kind: type[GatewayError], code: str, wait_s: float | None
) -> None:
    """A failed POST is sent once, so that a start or stop is never begun twice."""
    arm = ScriptedArm(answer)
    with pytest.raises(GatewayError) as raised:
        against(arm, lambda gateways: gateways.compute.begin_start(VM))
    assert (type(raised.value), raised.value.code, raised.value.retry_after_s) == (kind, code, wait_s)
    assert len(arm.requests) == 1


@pytest.mark.parametrize(("answer", "kind", "code", "wait_s"), [row for row in _ANSWERS if row[0].status != 200])
def test_a_failed_tag_change_raises_its_error_after_one_request(
    answer: Answer, kind: type[GatewayError], code: str, wait_s: float | None
) -> None:
    """The app's own REST calls raise the same errors as the SDK's."""
    arm = ScriptedArm(answer)
    with pytest.raises(GatewayError) as raised:
        against(arm, lambda gateways: gateways.tags.merge_tags(VM, {"a": "b"}))
    assert (type(raised.value), raised.value.code, raised.value.retry_after_s) == (kind, code, wait_s)
    assert len(arm.requests) == 1


def test_a_lost_connection_is_unavailable_and_a_post_is_not_sent_again() -> None:
    """A POST whose answer was lost is not repeated: ARM may have accepted it, so the caller reads the VM."""
    arm = ScriptedArm(LOST, LOST)
    with pytest.raises(Unavailable) as raised:
        against(arm, lambda gateways: gateways.compute.begin_start(VM))
    assert (raised.value.code, raised.value.status, len(arm.requests)) == ("Unreachable", None, 1)


def test_a_read_that_loses_its_connection_twice_is_unavailable() -> None:
    """A GET may be sent once more by the HTTP library, then it is an error."""
    with pytest.raises(Unavailable):
        against(ScriptedArm(LOST, LOST), lambda gateways: gateways.compute.read_vm(VM))


def test_a_lost_second_page_is_an_error_not_a_shorter_list() -> None:
    """A list that cannot be read to its end raises instead of ending early."""
    page = {"value": [{"id": VM}], "nextLink": "{base}/subscriptions/x/page2"}
    arm = ScriptedArm(Answer(200, page), Answer(429, None, {"Retry-After": "5"}))
    seen: list[str] = []

    async def call(gateways: ArmGateways) -> None:
        async for vm in gateways.compute.list_vms("11111111-1111-1111-1111-111111111111"):
            seen.append(vm.id)

    with pytest.raises(Unavailable) as raised:
        against(arm, call)
    assert (seen, raised.value.retry_after_s, len(arm.requests)) == ([VM], 5, 2)


@pytest.mark.parametrize("page", [[], {"value": "none"}, {"value": [1]}, {"value": [{"name": "no id"}]}])
def test_a_page_that_is_no_list_is_unavailable(page: object) -> None:
    """A page of another shape than ARM's is an answer that cannot be read."""
    with pytest.raises(Unavailable):
        against(ScriptedArm(Answer(200, page)), lambda gateways: _all_vms(gateways))


async def _all_vms(gateways: ArmGateways) -> int:
    return len([vm async for vm in gateways.compute.list_vms("11111111-1111-1111-1111-111111111111")])


@pytest.mark.parametrize("resource", ["", "web-1", VM + "/extensions/x", VM.replace("/web/", "/../"), VM + "/.."])
def test_an_id_that_is_no_vm_is_refused_without_a_request(resource: str) -> None:
    """An id of another type is never used in a request to ARM."""
    arm = ScriptedArm()
    with pytest.raises(Refused):
        against(arm, lambda gateways: gateways.compute.read_vm(resource))
    assert arm.requests == []


def test_an_unreachable_azure_is_unavailable() -> None:
    """A refused connection is Unavailable, and its message has no address."""

    async def call(_: Clock) -> None:
        async with ScriptedArm() as arm:
            await arm._runner.cleanup()
            await arm.gateways.compute.read_vm(VM)

    with pytest.raises(Unavailable) as raised:
        run(call, Clock("virtual"))
    assert "127.0.0.1" not in str(raised.value)


def test_no_error_contains_a_signed_url_or_the_token() -> None:
    """Messages contain no query of a URL, no token and no claims challenge."""
    signed = "see https://management.azure.com/operations/1?t=1&c=CERT&s=SIGNATURE&h=HASH for more"
    arm = ScriptedArm(
        Answer(403, {"error": {"code": "Denied", "message": signed}}, {"WWW-Authenticate": 'Bearer claims="abc"'})
    )
    with pytest.raises(Refused) as raised:
        against(arm, lambda gateways: gateways.compute.begin_deallocate(VM))
    assert raised.value.message == "see https://management.azure.com/operations/1 for more"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert arm.requests[0].headers["Authorization"] == "Bearer secret-token"


def test_details_of_an_error_are_in_its_message() -> None:
    """The message includes `details`, the only place where Resource Graph has the cause."""
    error = from_answer(400, {}, '{"error":{"code":"BadRequest","message":"a","details":[{"message":"b"},{"x":1}]}}')
    assert (error.code, error.message) == ("BadRequest", "a b")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"Retry-After": "0"}, 0),
        ({"RETRY-AFTER": "2.5"}, 2.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Sun, 01 Nov 2026 02:00:30 GMT"}, None),
        ({"Retry-After": "Sun, 01 Nov 2026 02:00:30 GMT", "Date": "Sun, 01 Nov 2026 02:01:00 GMT"}, 0),
        ({"x-ms-retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:01:05"}, 65),
        ({"x-ms-user-quota-remaining": "3", "x-ms-user-quota-resets-after": "00:01:05"}, None),
    ],
)
def test_the_wait_that_azure_requires_is_read_in_every_form(headers: Mapping[str, str], wait_s: float | None) -> None:
    """Seconds, milliseconds, a date (from the answer's Date) and Resource Graph's quota are read."""
    assert retry_after_s(headers) == wait_s


def test_a_policy_that_is_only_in_the_details_is_named() -> None:
    """The message names the assignment and its id where Azure has them only in the details."""
    info = {"policyAssignmentDisplayName": "No restarts", "policyAssignmentId": "/x/keep", "policyDefinitionName": "d"}
    error = {"code": "RequestDisallowedByPolicy", "message": "Disallowed. See error details for policy resource IDs."}
    noise: list[object] = [None, {"type": "Other"}, {"type": "PolicyViolation", "info": "no object"}]
    body = {"error": {**error, "additionalInfo": [*noise[:2], {"type": "PolicyViolation", "info": info}]}}
    refused = from_answer(403, {}, json.dumps(body))
    assert refused.message.endswith("policy assignment 'No restarts' (/x/keep)")
    assert from_answer(403, {}, json.dumps({"error": {**error, "additionalInfo": noise}})).message == error["message"]


def test_a_body_that_is_nested_too_deeply_gives_no_reason() -> None:
    """The error is that of the status."""
    assert type(from_answer(403, {}, "[" * 100_000)) is Refused
