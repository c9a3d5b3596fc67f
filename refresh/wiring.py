"""Puts the app together: settings from the environment, gateways for the running event loop.

Decides that each is made once, at its first use: importing the app reads no environment and opens no connection, so
that the Functions host can index it anywhere. Does not know what the gateways are used for.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field

from refresh import package
from refresh.arm.access import ArmAccess
from refresh.arm.clients import Clients
from refresh.arm.clock import ArmClock
from refresh.arm.compute import ArmCompute
from refresh.arm.disks import ArmDisks
from refresh.arm.gallery import ArmGallery
from refresh.arm.graph import ArmGraph
from refresh.arm.guests import ArmGuests
from refresh.arm.sources import ArmSources
from refresh.arm.tags import ArmTags
from refresh.arm.temporary_groups import ArmTemporaryGroups
from refresh.arm.topic import OutcomeTopic
from refresh.domain.images.spec import ImageSpec, read_specs
from refresh.gateways.gateways import Gateways
from refresh.settings.settings import Settings, SettingsError


@dataclass(frozen=True)
class ArmGateways:
    """`gateways.Gateways` on Azure Resource Manager; `close` closes its connections."""

    clients: Clients
    compute: ArmCompute
    disks: ArmDisks
    gallery: ArmGallery
    sources: ArmSources
    graph: ArmGraph
    tags: ArmTags
    guests: ArmGuests
    access: ArmAccess
    topic: OutcomeTopic | None
    temporary_groups: ArmTemporaryGroups
    clock: ArmClock

    async def close(self) -> None:
        """Close every connection."""
        await self.clients.close()


@dataclass
class _Wired:
    settings: Settings | None = None
    # A connection belongs to the loop on which it was opened.
    gateways: dict[asyncio.AbstractEventLoop, ArmGateways] = field(default_factory=dict)


_wired = _Wired()


def settings() -> Settings:
    """The settings of this process, read from its environment at the first use.

    SettingsError names every fault; it is raised at every use until the environment is right.
    """
    if _wired.settings is None:
        _wired.settings = Settings.from_env(os.environ)
    return _wired.settings


def gateways() -> Gateways:
    """The gateways of the running event loop, made at the first use. SettingsError as in `settings`."""
    loop = asyncio.get_running_loop()
    if loop not in _wired.gateways:
        for ended in [known for known in _wired.gateways if known.is_closed()]:
            del _wired.gateways[ended]
        _wired.gateways[loop] = connect(settings())
    return _wired.gateways[loop]


def image_specs() -> tuple[ImageSpec, ...]:
    """The images of `images.toml`, read at every use; none without that file. SettingsError names all faults."""
    path = package.ROOT / settings().images
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsError([f"{path.name} cannot be read ({type(fault).__name__})"]) from fault
    specs, faults = read_specs(text, settings().galleries)
    if faults:
        raise SettingsError(faults)
    return specs


def connect(settings: Settings) -> ArmGateways:
    """New gateways for these `settings`; the caller closes them."""
    clients = Clients(settings)
    graph = ArmGraph(clients, settings)
    return ArmGateways(
        clients=clients,
        compute=ArmCompute(clients),
        disks=ArmDisks(clients),
        gallery=ArmGallery(clients),
        sources=ArmSources(clients),
        graph=graph,
        tags=ArmTags(clients),
        guests=ArmGuests(clients),
        access=ArmAccess(clients),
        topic=OutcomeTopic(clients, settings.outcome_topic) if settings.outcome_topic else None,
        temporary_groups=ArmTemporaryGroups(clients),
        clock=ArmClock(clients, graph),
    )


async def close() -> None:
    """Close the running loop's gateways and drop the settings: the next use reads the environment again."""
    _wired.settings = None
    open_here = _wired.gateways.pop(asyncio.get_running_loop(), None)
    if open_here is not None:
        await open_here.close()
