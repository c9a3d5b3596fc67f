"""Long-running operations of Azure: begun with one request, read with one GET, never waited for.

Decides what is kept of an operation (when ARM accepted it, and a token to read its status) and how the status is read.
Does not know which operation it is and when it is read. A token contains a signed URL and a copy of the first answer:
it is never shown or logged. https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.pipeline import PipelineResponse
from azure.core.polling import AsyncLROPoller
from azure.core.polling.base_polling import BadResponse, BadStatus
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.polling.async_arm_polling import AsyncARMPolling

from refresh.arm.bodies import http_date, text_at
from refresh.arm.errors import azure_errors, from_answer, from_operation, retry_after_s, unreadable
from refresh.arm.quota import reads_left
from refresh.arm.token_host import OTHER_HOST
from refresh.gateways.errors import NotFound, Unavailable
from refresh.gateways.operations import Begun, Progress

type Operation = Callable[..., Awaitable[AsyncLROPoller[Any]]]
"""An SDK client's `begin_*` method."""

type _Answers = list[PipelineResponse[HttpRequest, AsyncHttpResponse]]


async def begin(operation: Operation, *args: Any) -> Begun:
    """Call `operation` with `args`: exactly one request. NotFound, Refused, Unavailable when ARM does not accept it."""
    answers: _Answers = []
    with azure_errors():
        poller = await operation(*args, polling=AsyncARMPolling(), raw_response_hook=answers.append)
        # azure-core cannot resume an operation that ended at once (no header to poll): then there is no token.
        over = poller.polling_method().finished()
        headers = answers[-1].http_response.headers
        token = None if over else poller.continuation_token()
        return Begun(http_date(headers), token, None if over else retry_after_s(headers))


async def progress(operation: Operation, *args: Any, token: str) -> Progress:
    """The state of the operation of `token`: one GET of its status URL. `operation` and `args` are not sent again.

    `Unknown` when the token cannot be read or names another host, or Azure has no record of the operation any more:
    then only the resource shows the result. Refused, Unavailable when the status could not be read.
    """
    answers: _Answers = []
    polling = AsyncARMPolling(raw_response_hook=answers.append)
    try:
        await operation(*args, polling=polling, continuation_token=token)
    except (ValueError, KeyError, TypeError, AttributeError, UnboundLocalError):
        # Written by another version of azure-core, or not a token at all (the SDK fails on an empty one).
        return Progress("Unknown", "TokenRefused", "the operation's token cannot be read any more")
    try:
        with azure_errors():
            await _read_status(polling, answers)
            return _progress(polling.status(), answers[-1].http_response)
    except NotFound as gone:
        return Progress("Unknown", gone.code, gone.message)
    except Unavailable as error:
        if error.code != OTHER_HOST and error.status != 404:
            raise
        return Progress("Unknown", error.code, error.message)


async def _read_status(polling: AsyncARMPolling, answers: _Answers) -> None:
    try:
        await polling.update_status()
    except BadStatus:
        answer = answers[-1].http_response
        raise from_answer(answer.status_code, answer.headers, answer.text()) from None
    except BadResponse:
        raise unreadable("an operation's status") from None


def _progress(status: str, answer: AsyncHttpResponse) -> Progress:
    if status.lower() == "succeeded":
        return Progress("Succeeded", ended_at=_ended_at(answer))
    if status.lower() in ("failed", "canceled"):
        code, message = from_operation(answer.text())
        return Progress("Failed", code or status, message, ended_at=_ended_at(answer))
    return Progress("InProgress", retry_after_s=retry_after_s(answer.headers), reads_left=reads_left(answer.headers))


def _ended_at(answer: AsyncHttpResponse) -> str | None:
    # https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
    try:
        return text_at(json.loads(answer.text()), "endTime")
    except ValueError:
        return None
