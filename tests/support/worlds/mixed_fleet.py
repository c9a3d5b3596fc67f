"""Five VMs in two subscriptions and two regions: edited with an event, found by the sweep, rolled back, left down.

Decides the fleet and what happens to it. Does not know what is disturbed meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.records.durable_names import swap_id
from simulator.arm.core.store import Json
from tests.support.worlds.builders import GROUP, SUBSCRIPTION
from tests.support.worlds.local_azure import disk_body, vm_body
from tests.support.worlds.three_subscriptions import SECOND, moved

ALL = (SUBSCRIPTION, SECOND)
SETTINGS = {"REFRESH_SUBSCRIPTIONS": ",".join(ALL)}
NEVER_BOOTS = {"disk": "*-bad", "boots": False}


@dataclass(frozen=True)
class Machine:
    """One VM: its tag names its disk `<name>-<wish>`. `edited`: a person writes the tag; else it stands there already.

    `down`: an earlier swap has left it down.
    """

    name: str
    subscription: str
    region: str
    wish: str = "new"
    edited: bool = False
    down: bool = False

    @property
    def id(self) -> str:
        """The VM's id."""
        return self._moved(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{self.name}")

    def disk(self, word: str) -> str:
        """The id of its disk `<name>-<word>`."""
        return self._moved(f"{GROUP}/providers/Microsoft.Compute/disks/{self.name}-{word}")

    def bodies(self) -> list[Json]:
        """The VM, its disk and its free disks."""
        tags = {} if self.edited else {"OsDiskName": f"{self.name}-{self.wish}"}
        if self.down:
            old, new = f"{self.name}-old", f"{self.name}-new"
            tags["RefreshState"] = write_intent_tag(swap_id(self.id, 1), was_running=True, old_disk=old, new_disk=new)
        vm = vm_body(self.name, power="deallocated" if self.down else "running")
        vm["tags"] |= tags
        disks = [disk_body(f"{self.name}-{word}") for word in ("old", "new", "bad")]
        return [moved({**body, "location": self.region}, self.subscription) for body in (*disks, vm)]

    def _moved(self, text: str) -> str:
        return text.replace(SUBSCRIPTION, self.subscription)


MACHINES = (
    Machine("web01", SUBSCRIPTION, "westeurope", edited=True),
    Machine("web02", SUBSCRIPTION, "northeurope"),
    Machine("down01", SUBSCRIPTION, "northeurope", down=True),
    Machine("web03", SECOND, "westeurope", edited=True, wish="bad"),
    Machine("down02", SECOND, "northeurope", wish="old", down=True),
)


def machine(name: str) -> Machine:
    """The VM of that name."""
    return next(one for one in MACHINES if one.name == name)


def fleet() -> list[Json]:
    """Every VM with its disks."""
    return [body for one in MACHINES for body in one.bodies()]
