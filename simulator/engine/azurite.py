"""Runs Azurite, Microsoft's emulator of Azure Storage, as a process with its own ports and in-memory storage.

Decides how it is started, when it is ready, and how it is ended. Does not know its users.
https://github.com/Azure/Azurite
"""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from typing import Self

from simulator.engine.process import end_process
from simulator.engine.program import find_azurite

ACCOUNT = "devstoreaccount1"
# Azurite's published key; it is valid nowhere else.
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SERVICES = ("Blob", "Queue", "Table")
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at http://127\.0\.0\.1:(\d+)")
_OPTIONS = ("--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry")


class AzuriteFailed(RuntimeError):
    """Azurite ended before it listened; the text is its output."""


class Azurite:
    """A context manager that runs Azurite; `ports` maps Blob, Queue and Table to their ports.

    Entering raises MissingProgram if Azurite is not on this machine, AzuriteFailed if it does not start.
    """

    def __init__(self) -> None:
        self.ports: dict[str, int] = {}
        self._process: Process | None = None
        self._draining: asyncio.Task[None] | None = None

    @property
    def connection_string(self) -> str:
        """The connection string of this Azurite."""
        return connection_string({name: f"http://127.0.0.1:{port}/{ACCOUNT}" for name, port in self.ports.items()})

    async def __aenter__(self) -> Self:
        ports = [argument for service in _SERVICES for argument in (f"--{service.lower()}Port", "0")]
        command: Sequence[str] = (*find_azurite(), *_OPTIONS, *ports)
        # In its own session: Ctrl-C in a terminal must not end the storage before the engine that uses it.
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
        )
        printed: list[str] = []
        assert self._process.stdout is not None
        while len(self.ports) < len(_SERVICES):
            line = (await self._process.stdout.readline()).decode(errors="replace")
            if not line:
                await self.__aexit__()
                raise AzuriteFailed(f"Azurite did not start: {''.join(printed)[-600:]}")
            printed.append(line)
            if found := _LISTENING.search(line):
                self.ports[found[1]] = int(found[2])
        self._draining = asyncio.create_task(_drain(self._process.stdout))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            await end_process(self._process)
        if self._draining is not None:
            await self._draining


async def _drain(stream: asyncio.StreamReader) -> None:
    # A full pipe would block the process.
    while await stream.read(65536):
        pass


def connection_string(endpoints: Mapping[str, str]) -> str:
    """A connection string with Azurite's account and these service endpoints."""
    parts = [f"{service}Endpoint={url}" for service, url in endpoints.items()]
    return ";".join([f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={_KEY}", *parts]) + ";"
