"""The engine's program: started, started again, ended. A stand-in for the program tells what it was started with."""

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
    """An engine whose program is the stand-in."""
    program = make_engine(folder, fails=fails)
    engine = AzureStorageEngine(TOY_APP, storage="none", task_hub="hub", program=program)
    async with AsyncExitStack() as stack:
        await engine.start(stack, DurableNames((), (), ()))
        yield engine


def told(engine: AzureStorageEngine) -> list[str]:
    """Task hub, worker name and process id, as the program has them."""
    return engine.rpc_url.removeprefix("http://127.0.0.1/").split("/")


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story on a loop of its own."""

    async def main() -> None:
        await story()

    asyncio.run(main())


def test_a_program_that_dies_is_started_again(tmp_path: Path) -> None:
    """It does not count as running meanwhile; the next one has the same hub and worker name at another address."""

    async def story() -> None:
        async with started(tmp_path) as engine:
            hub, worker, first = told(engine)
            assert (hub, int(first)) == ("hub", engine.pid)
            os.kill(engine.pid, signal.SIGKILL)
            await until(lambda: not engine.running, 10)
            await until(lambda: engine.running, 10)
            assert told(engine) == ["hub", worker, str(engine.pid)]
            assert engine.pid != int(first)

    run(story)


def test_two_engines_are_two_workers(tmp_path: Path) -> None:
    """On one machine and one hub each has a name of its own: with one name both would own every partition."""

    async def story() -> None:
        async with started(tmp_path) as one, started(tmp_path) as other:
            assert told(one)[0] == told(other)[0]
            assert told(one)[1] != told(other)[1]

    run(story)


def test_the_program_ends_with_the_engine_and_is_not_started_again(tmp_path: Path) -> None:
    """Nothing is left behind, also when the program has just died."""

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


def test_a_program_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    """The error has what it printed as its own."""

    async def story() -> None:
        with pytest.raises(EngineFailed, match="ended before it was ready: no storage"):
            async with started(tmp_path, fails=True):
                pass

    run(story)
