"""What the app says of a fleet it works on with exactly the rights that `infra/` gives it.

Decides how a story is played under roles and what counts as having been told: log lines and answers of the API.
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


class Lines(logging.Handler):
    """Keeps what the app logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def listening() -> Iterator[Lines]:
    """What the app logs meanwhile."""
    log, lines = logging.getLogger("refresh"), Lines()
    before = log.level
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        log.removeHandler(lines)
        log.setLevel(before)


@dataclass
class Stage:
    """A local Azure whose app has the rights of a deployment with `parameters`, less what `told` takes away."""

    azure: LocalAzure
    log: Lines
    parameters: tuple[str, ...]
    refused: list[str] = field(default_factory=list)

    async def told(self, part: Callable[[], Awaitable[Any]], *without: Right) -> str:
        """Everything the app says while `part` happens `without` these rights: its answer and the log."""
        lines = len(self.log.lines)
        answer = await self.watch(part, *without)
        return "\n".join([json.dumps(answer), *self.log.lines[lines:]])

    async def watch[T](self, part: Callable[[], Awaitable[T]], *without: Right) -> T:
        """What `part` answers `without` these rights; `refused` is then what ARM refused meanwhile."""
        self.azure.simulator.roles.replace(assigned(*self.parameters, without=without))
        asked = len(self.azure.simulator.journal.requests)
        answer = await part()
        self.refused = denials(list(self.azure.simulator.journal.requests)[asked:])
        return answer

    async def run(self, path: str, **body: Any) -> dict[str, Any]:
        """Start a run over the API and give its record once it has ended; the problem where it does not begin."""
        status, begun = await self.azure.api("POST", path, body)
        if status != 202:
            return dict(begun)
        await self.azure.hub.completed(begun["id"])
        return dict((await self.azure.api("GET", begun["href"]))[1])

    async def images(self, period: str) -> dict[str, Any]:
        """Make the images of a month, and look for what is left half made."""
        run = await self.run("/api/images", period=period)
        return {**run, "orphans": (await self.azure.api("GET", "/api/orphans"))[1]}

    async def swap(self, vm: str, disk: str) -> list[dict[str, Any]]:
        """Edit the tag of a VM as a person does; the outcomes that follow."""
        known = len(self.azure.outcomes())
        await self.azure.tag(vm, OsDiskName=disk)
        await self.azure.settled()
        return self.azure.outcomes()[known:]


def on_stage(
    story: Callable[[Stage], Awaitable[None]], scenario: list[dict[str, Any]], *parameters: str, **settings: str
) -> None:
    """Play `story` under the roles of a deployment with these parameters of main.bicep."""

    async def begun(azure: LocalAzure) -> None:
        with listening() as log:
            azure.simulator.roles.replace(assigned(*parameters))
            await story(Stage(azure, log, parameters))

    play(begun, scenario, settings={"AZURE_CLIENT_ID": APP, **settings})
