"""Runs the app with exactly the rights that `infra/` assigns, or with some of them removed.

Decides how a story runs under roles and which output counts as a report: log lines and answers of the API.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, override

from tests.support.infra.deployed_roles import APP, Right, assigned, denials
from tests.support.worlds.local_azure import LocalAzure, play


class LogRecorder(logging.Handler):
    """Records the app's log messages."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def recorded_log() -> Iterator[LogRecorder]:
    """The app's log messages during the block."""
    log, lines = logging.getLogger("refresh"), LogRecorder()
    before = log.level
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        log.removeHandler(lines)
        log.setLevel(before)


@dataclass
class AppUnderRoles:
    """A local Azure whose app has the rights of a deployment with `parameters`, less those that a call removes."""

    azure: LocalAzure
    log: LogRecorder
    parameters: tuple[str, ...]
    refused: list[str] = field(default_factory=list)

    async def output_of(self, part: Callable[[], Awaitable[Any]], *without: Right) -> str:
        """The answer and the log messages of the app while `part` runs `without` these rights."""
        lines = len(self.log.lines)
        answer = await self.run_without(part, *without)
        return "\n".join([json.dumps(answer), *self.log.lines[lines:]])

    async def run_without[T](self, part: Callable[[], Awaitable[T]], *without: Right) -> T:
        """The answer of `part` `without` these rights; `refused` are then the requests that ARM refused meanwhile."""
        self.azure.simulator.roles.replace(assigned(*self.parameters, without=without))
        before = len(self.azure.simulator.journal.requests)
        answer = await part()
        self.refused = denials(list(self.azure.simulator.journal.requests)[before:])
        return answer

    async def run(self, path: str, **body: Any) -> dict[str, Any]:
        """Start a run with the API and return its record once it has ended, or the problem when it does not start."""
        status, begun = await self.azure.api("POST", path, body)
        if status != 202:
            return dict(begun)
        await self.azure.hub.completed(begun["id"])
        return dict((await self.azure.api("GET", begun["href"]))[1])

    async def images(self) -> dict[str, Any]:
        """Build one more version of every image, and list the resources of unfinished builds."""
        run = await self.run("/api/images", rebuild=True)
        return {**run, "orphans": (await self.azure.api("GET", "/api/orphans"))[1]}

    async def swap(self, vm: str, disk: str) -> list[dict[str, Any]]:
        """Edit the tag of a VM as a person does; returns the outcomes that follow."""
        before = len(self.azure.outcomes())
        await self.azure.tag(vm, OsDiskName=disk)
        await self.azure.settled()
        return self.azure.outcomes()[before:]


def run_under_roles(
    story: Callable[[AppUnderRoles], Awaitable[None]], scenario: list[dict[str, Any]], *parameters: str, **settings: str
) -> None:
    """Run `story` under the roles of a deployment with these parameters of main.bicep."""

    async def begun(azure: LocalAzure) -> None:
        with recorded_log() as log:
            azure.simulator.roles.replace(assigned(*parameters))
            await story(AppUnderRoles(azure, log, parameters))

    play(begun, scenario, settings={"AZURE_CLIENT_ID": APP, **settings})
