"""The app's pause around a deployment: pause, wait until no VM can be down, resume.

Decides when a deployment may begin: when the app is paused and no swap is left but those in their notice. Then no VM is
between its stop and its verdict, and none is stopped until the pause ends. The dispatcher runs one operation after
another: when its state is "paused", it lists every swap that was admitted before, and admits none after. An admitted
swap goes on to its end, so each one is waited for, except one in its notice: the dispatcher cancels that one when the
notice is over and the pause is still on. A swap with a stored intent is past its notice, whatever step is listed,
because the step may be reported late.

Image builds are not waited for: they take no VM down and go on after a restart. A pause made by a person stays, also
one that is made during that of the deployment. The pause of a deployment has its own `why`, so the next deployment
takes over the pause of one that broke off.

Does not know where the app is, what is deployed, or what follows the wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.shared.api_client import Api, ApiError

WHY = "deployment under way (tools.drain)"
ANSWER_S = 180.0
"""How long requests that fail are repeated: a cold start takes tens of seconds."""

_NOTICE = "notice"


@dataclass(frozen=True)
class Swap:
    """A swap under way: its VM (id), run, step and since when (ISO) it is at that step."""

    vm: str
    run: str
    step: str
    since: str


@dataclass(frozen=True)
class Queue:
    """The app's queue: whether it is paused, whether by a deployment, why, and the swaps to wait for."""

    paused: bool
    ours: bool
    why: str
    swaps: tuple[Swap, ...]


def read_queue(answer: Mapping[str, Any]) -> Queue:
    """Read the answer to `GET /api/queue`. ApiError for an answer that is not the app's."""
    rows = answer.get("running")
    if not isinstance(answer.get("paused"), bool) or not isinstance(rows, list):
        raise ApiError("GET /api/queue is not answered by azure-vm-refresh")
    whys = [str(answer.get("paused_why") or ""), *map(_why_of, answer.get("paused_also") or ())]
    # A person may have paused the app as well while the deployment's pause was on.
    why = next((one for one in whys if one != WHY), WHY) if answer["paused"] else whys[0]
    swaps = tuple(_swap(row) for row in rows if not _is_in_notice(row))
    return Queue(answer["paused"], answer["paused"] and why == WHY, why, swaps)


def _why_of(further: Any) -> str:
    return str(further.get("why") or "") if isinstance(further, Mapping) else ""


def _is_in_notice(row: Mapping[str, Any]) -> bool:
    return row.get("step") == _NOTICE and not row.get("new_disk")


def _swap(row: Mapping[str, Any]) -> Swap:
    named = {key: str(row.get(key) or "") for key in ("vm", "run", "since")}
    return Swap(step=str(row.get("step") or "preparing"), **named)


@dataclass
class DeploymentPause:
    """The pause of the app behind `api`, read every `poll_s` seconds; `requested` once it was requested here."""

    api: Api
    poll_s: float
    report: Callable[[str], None]
    requested: bool = field(default=False, init=False)

    async def pause(self, wait_s: float) -> tuple[Swap, ...]:
        """Pause, and wait until no swap is under way; the swaps that are left after `wait_s` seconds. ApiError.

        When the pause ends meanwhile, it is requested again: nothing is deployed without one.
        """
        loop = asyncio.get_running_loop()
        begun, printed = loop.time(), ""
        while True:
            queue = await self._read()
            waited_s = loop.time() - begun
            self.requested |= queue.ours
            if not queue.paused:
                if waited_s >= wait_s + ANSWER_S:
                    raise ApiError("the app does not pause: it goes on starting swaps")
                self.requested = True
                await self._call("POST", "/api/pause", {"why": WHY})
            elif not queue.swaps or waited_s >= wait_s:
                return queue.swaps
            else:
                line = f"waiting for {', '.join(f'{name_of(swap)} ({swap.step})' for swap in queue.swaps)}"
                if line != printed:
                    self.report(line)
                printed = line
            await asyncio.sleep(min(self.poll_s, max(0.2, wait_s - waited_s)))

    async def release(self) -> str:
        """End the deployment's pause and no other; a sentence with the result. ApiError."""
        for _ in range(max(1, round(ANSWER_S / self.poll_s))):
            queue = await self._read()
            if queue.paused and not queue.ours:
                return f"the app stays paused, because a person paused it: {queue.why or 'no reason given'}"
            # Requested even when the queue shows no pause: a pause that was just requested may not have arrived yet.
            await self._call("POST", "/api/resume", {})
            if not (await self._read()).ours:
                return "swaps go on"
            await asyncio.sleep(self.poll_s)
        raise ApiError("the app does not end the deployment's pause")

    async def _read(self) -> Queue:
        return read_queue(await self._call("GET", "/api/queue"))

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request, repeated after errors that a cold start or a restart explains. ApiError."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            try:
                return await self.api.call(method, path, body)
            except ApiError as error:
                passing = error.may_pass or error.status == 404 or (error.status or 0) >= 500
                if not passing or loop.time() - begun >= ANSWER_S:
                    raise
                await asyncio.sleep(max(self.poll_s, error.retry_after_s or 0))


def name_of(swap: Swap) -> str:
    """The name of the swap's VM."""
    return swap.vm.rpartition("/")[2]
