"""The app's pause as a deployment uses it: make it, wait until no VM can be down, end it.

Decides when a deployment may begin: once the app says that it is paused and no swap is left but those in their notice.
Then no VM is between its stop and its verdict, and none is stopped until the pause ends. This holds because all
operations of the app's dispatcher happen one after another: a book that says "paused" names every swap that was let in
before, and none is let in after it. A swap that was let in goes on to its end, so each one is waited for. Only one in
its notice is not: the dispatcher calls it off when its notice is over and the pause is still there. A swap that has
stored its intent is past its notice, whatever its step says, because that word may come late.

Image builds are not waited for: they take no VM down and go on after a restart. A pause that somebody else made is
never touched. The one that a deployment makes is known by its `why`, so the next deployment takes over the pause of one
that broke off. A pause by a person in the moment between a look and the answer to it cannot be told apart.

It does not know where the app is, what is deployed, nor what follows when the waiting is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.api_client import Api, ApiError

WHY = "deployment under way (tools.drain)"
ANSWER_S = 180.0
"""How long an app that answers with an error is asked again: a cold start takes tens of seconds."""

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
    """What the app says: whether it is paused, whether by a deployment, why, and the swaps to wait for."""

    paused: bool
    ours: bool
    why: str
    swaps: tuple[Swap, ...]


def read_queue(answer: Mapping[str, Any]) -> Queue:
    """The answer to `GET /api/queue`. ApiError for an answer that is not the app's."""
    rows = answer.get("running")
    if not isinstance(answer.get("paused"), bool) or not isinstance(rows, list):
        raise ApiError("GET /api/queue is not answered by azure-vm-refresh")
    why = str(answer.get("paused_why") or "")
    swaps = tuple(_swap(row) for row in rows if not _is_in_notice(row))
    return Queue(answer["paused"], answer["paused"] and why == WHY, why, swaps)


def _is_in_notice(row: Mapping[str, Any]) -> bool:
    return row.get("step") == _NOTICE and not row.get("new_disk")


def _swap(row: Mapping[str, Any]) -> Swap:
    named = {key: str(row.get(key) or "") for key in ("vm", "run", "since")}
    return Swap(step=str(row.get("step") or "preparing"), **named)


@dataclass
class Brake:
    """The pause of the app behind `api`, looked at every `poll_s` seconds; `pulled` once it was asked for here."""

    api: Api
    poll_s: float
    say: Callable[[str], None]
    pulled: bool = field(default=False, init=False)

    async def pause(self, wait_s: float) -> tuple[Swap, ...]:
        """Pause, and wait until no swap is under way; the swaps that still are after `wait_s` seconds. ApiError.

        A pause that ends meanwhile is made anew: nothing is deployed without one.
        """
        loop = asyncio.get_running_loop()
        begun, said = loop.time(), ""
        while True:
            queue = await self._look()
            waited_s = loop.time() - begun
            self.pulled |= queue.ours
            if not queue.paused:
                if waited_s >= wait_s + ANSWER_S:
                    raise ApiError("the app does not take the pause: it goes on starting swaps")
                self.pulled = True
                await self._ask("POST", "/api/pause", {"why": WHY})
            elif not queue.swaps or waited_s >= wait_s:
                return queue.swaps
            else:
                line = f"waiting for {', '.join(f'{name_of(swap)} ({swap.step})' for swap in queue.swaps)}"
                if line != said:
                    self.say(line)
                said = line
            await asyncio.sleep(min(self.poll_s, max(0.2, wait_s - waited_s)))

    async def release(self) -> str:
        """End the deployment's pause and no other; a sentence about what was done. ApiError."""
        for _ in range(max(1, round(ANSWER_S / self.poll_s))):
            queue = await self._look()
            if queue.paused and not queue.ours:
                return f"the app stays paused, because somebody has paused it: {queue.why or 'no reason is given'}"
            # Asked for even where no pause is seen: one that was just made may not have arrived yet.
            await self._ask("POST", "/api/resume", {})
            if not (await self._look()).ours:
                return "swaps go on"
            await asyncio.sleep(self.poll_s)
        raise ApiError("the app does not end the deployment's pause")

    async def _look(self) -> Queue:
        return read_queue(await self._ask("GET", "/api/queue"))

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One request; an error that a cold start or a restart explains is asked about again. ApiError."""
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
    """The VM's own name."""
    return swap.vm.rpartition("/")[2]
