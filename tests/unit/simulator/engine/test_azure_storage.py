"""Start, restart and end of the engine's program. A fake program reports the arguments it was started with."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from simulator.engine.azure_storage import AzureStorageEngine, EngineFailed
from simulator.engine.contract import DurableNames
from tests.support.worlds.fake_engine import make_engine
from tests.support.worlds.toy import TOY_APP
from tests.support.worlds.waiting import until


@asynccontextmanager
async def started(folder: Path, *, fails: bool = False) -> AsyncIterator[AzureStorageEngine]:
    """An engine that runs the fake program."""
    program = make_engine(folder, fails=fails)
    engine = AzureStorageEngine(TOY_APP, storage="none", task_hub="hub", program=program)
    async with AsyncExitStack() as stack:
        await engine.start(stack, DurableNames((), (), ()))
        yield engine


def reported(engine: AzureStorageEngine) -> list[str]:
    """Task hub, worker name and process id, as the program reports them."""
    return engine.rpc_url.removeprefix("http://127.0.0.1/").split("/")


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario on a new event loop."""

    async def main() -> None:
        await story()

    asyncio.run(main())


def test_a_program_that_dies_is_started_again(tmp_path: Path) -> None:
    """Until then the engine is not running; the new program has the same hub and worker name and another address."""

    async def story() -> None:
        async with started(tmp_path) as engine:
            hub, worker, first = reported(engine)
            assert (hub, int(first)) == ("hub", engine.pid)
            os.kill(engine.pid, signal.SIGKILL)
            await until(lambda: not engine.running, 10)
            await until(lambda: engine.running, 10)
            assert reported(engine) == ["hub", worker, str(engine.pid)]
            assert engine.pid != int(first)

    run(story)


def test_two_engines_are_two_workers(tmp_path: Path) -> None:
    """Two engines on one machine and hub have different names: with the same name both would own every partition."""

    async def story() -> None:
        async with started(tmp_path) as one, started(tmp_path) as other:
            assert reported(one)[0] == reported(other)[0]
            assert reported(one)[1] != reported(other)[1]

    run(story)


def test_the_program_ends_with_the_engine_and_is_not_started_again(tmp_path: Path) -> None:
    """No process is left, also if the program has just died."""

    async def story() -> None:
        async with started(tmp_path) as engine:
            first = engine.pid
            os.kill(first, signal.SIGKILL)
            await until(lambda: not engine.running, 10)
        assert not engine.running
        assert not is_there(engine.pid)
        async with started(tmp_path) as engine:
            assert is_there(engine.pid)
        assert not is_there(engine.pid)

    run(story)


def test_a_program_that_does_not_start_is_an_error_with_its_output(tmp_path: Path) -> None:
    """The error contains the line that the program printed."""

    async def story() -> None:
        with pytest.raises(EngineFailed, match="ended before it was ready: no storage"):
            async with started(tmp_path, fails=True):
                pass

    run(story)
