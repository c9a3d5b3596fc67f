"""Instances of an app as processes: ended as a deployment does, lost as a machine is."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulator.clock import Clock
from simulator.engine.instances import Instance, InstanceFailed, start_instance
from simulator.engine.program import ENGINE_VARIABLE
from tests.support.worlds.fake_engine import make_engine
from tests.support.worlds.toy import TOY_APP, TOY_SETTINGS
from tests.support.worlds.waiting import until


def processes_of(group: int) -> list[int]:
    """The processes of a process group, by the kernel's own table."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def with_instance(story: Callable[[Instance], Awaitable[None]], app: Path = TOY_APP) -> None:
    """Run a story with an instance of the toy app, which is killed at the end."""

    async def main() -> None:
        instance = await start_instance(app, settings=TOY_SETTINGS, storage="none", task_hub="hub")
        try:
            await story(instance)
        finally:
            await instance.lose()

    asyncio.run(main())


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is the engine of every instance."""
    monkeypatch.setenv(ENGINE_VARIABLE, str(make_engine(tmp_path)))


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@needs_proc
def test_an_instance_that_is_asked_to_end_ends_by_itself(tmp_path: Path) -> None:
    """Well before it would be killed, with exit code 0, and its engine with it."""

    async def story(instance: Instance) -> None:
        group = os.getpgid(instance.engine)
        begun_s = Clock.stopwatch()
        assert await instance.end() == 0
        assert Clock.stopwatch() - begun_s < 8
        assert processes_of(group) == []

    with_instance(story)


@needs_proc
def test_a_lost_instance_takes_every_engine_of_its_own_with_it() -> None:
    """Also the one that was started again after the first had died."""

    async def story(instance: Instance) -> None:
        group = os.getpgid(instance.engine)
        os.kill(instance.engine, signal.SIGKILL)
        await until(lambda: instance.engine not in processes_of(group), 20)
        await until(lambda: len(processes_of(group)) == 2, 20)
        await instance.lose()
        await until(lambda: processes_of(group) == [], 20)

    with_instance(story)


def test_an_instance_that_cannot_start_says_so(tmp_path: Path) -> None:
    """An app that is none: InstanceFailed with the exit code."""

    async def story(instance: Instance) -> None:
        raise AssertionError("it must not start")

    (tmp_path / "host.json").write_text("{}")
    with pytest.raises(InstanceFailed, match="ended with 1"):
        with_instance(story, tmp_path)
