"""Batches that run at once share one list of a group's VMs, for half a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from refresh.domain.azure.vms import Vm
from refresh.gateways.errors import GatewayError, Unavailable
from refresh.reading.fleet.recent_vms import RecentVms
from simulator.clock import Clock, run
from tests.support.worlds.builders import GROUP, SUBSCRIPTION, make_vm


class Lists:
    """Counts the lists that are read; the first `failing` fail."""

    def __init__(self, failing: int = 0) -> None:
        self.read: list[str] = []
        self._failing = failing

    async def list_group_vms(self, group_id: str) -> AsyncIterator[Vm]:
        self.read.append(group_id)
        await asyncio.sleep(1)
        if len(self.read) <= self._failing:
            raise Unavailable("InternalServerError", "not now")
        yield make_vm()

    async def list_vms(self, subscription: str) -> AsyncIterator[Vm]:
        self.read.append(subscription)
        yield make_vm()


async def vms_of(lists: Lists, group: str = GROUP) -> list[Vm]:
    return [vm async for vm in RecentVms(lists).list_group_vms(group)]


def test_one_list_serves_all_batches_for_a_while() -> None:
    """Names of groups compare without case; a list older than half a minute is read again."""

    async def story(clock: Clock) -> None:
        del clock
        lists, other = Lists(), Lists()
        found = await asyncio.gather(*(vms_of(lists, group) for group in (GROUP, GROUP.upper(), GROUP)))
        assert [len(one) for one in found] == [1, 1, 1]
        assert (lists.read, other.read) == ([GROUP], [])
        assert len(await vms_of(other)) == len(other.read) == 1
        await asyncio.sleep(20)
        await vms_of(lists)
        assert lists.read == [GROUP]
        await asyncio.sleep(20)
        await vms_of(lists)
        assert lists.read == [GROUP, GROUP]
        assert [vm.name async for vm in RecentVms(lists).list_vms(SUBSCRIPTION)] == ["web01"]

    run(story, Clock("virtual"))


def test_a_failed_list_is_read_again() -> None:
    """An error is not kept, and a batch that gives up does not end the list for the others."""

    async def story(clock: Clock) -> None:
        del clock
        lists = Lists(failing=1)
        with pytest.raises(GatewayError):
            await vms_of(lists)
        impatient = asyncio.ensure_future(vms_of(lists))
        patient = asyncio.ensure_future(vms_of(lists))
        await asyncio.sleep(0.5)
        impatient.cancel()
        assert len(await patient) == 1
        assert len(lists.read) == 2

    run(story, Clock("virtual"))
