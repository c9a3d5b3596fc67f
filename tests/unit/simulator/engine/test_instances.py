"""Instances of an app as processes: ended as by a deployment, killed as with a lost machine."""

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
    """The processes of a process group, from `/proc`."""
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
    """Run a scenario with an instance of the toy app, which is killed at the end."""

    async def main() -> None:
        instance = await start_instance(app, settings=TOY_SETTINGS, storage="none", task_hub="hub")
        try:
            await story(instance)
        finally:
            await instance.lose()

    asyncio.run(main())


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every instance runs the fake engine."""
    monkeypatch.setenv(ENGINE_VARIABLE, str(make_engine(tmp_path)))


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@needs_proc
def test_an_instance_ends_on_sigterm_without_being_killed(tmp_path: Path) -> None:
    """It ends well before SIGKILL, with exit code 0, and so does its engine."""

    async def story(instance: Instance) -> None:
        group = os.getpgid(instance.engine)
        begun_s = Clock.stopwatch()
        assert await instance.end() == 0
        assert Clock.stopwatch() - begun_s < 8
        assert processes_of(group) == []

    with_instance(story)


@needs_proc
def test_a_killed_instance_ends_all_its_engines() -> None:
    """Including an engine that was restarted after the first one died."""

    async def story(instance: Instance) -> None:
        group = os.getpgid(instance.engine)
        os.kill(instance.engine, signal.SIGKILL)
        await until(lambda: instance.engine not in processes_of(group), 20)
        await until(lambda: len(processes_of(group)) == 2, 20)
        await instance.lose()
        await until(lambda: processes_of(group) == [], 20)

    with_instance(story)


def test_an_instance_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    """A folder without an app raises InstanceFailed with the exit code."""

    async def story(instance: Instance) -> None:
        raise AssertionError("it must not start")

    (tmp_path / "host.json").write_text("{}")
    with pytest.raises(InstanceFailed, match="ended with 1"):
        with_instance(story, tmp_path)
