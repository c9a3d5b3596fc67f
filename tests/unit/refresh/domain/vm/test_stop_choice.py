"""How a VM is stopped, and what that loses: `auto` powers off where deallocating loses something."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.azure.sizes import Restriction, VmSize
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.vm.stop_choice import StopFacts, choose_stop, warnings_of_stop
from refresh.domain.vm.warnings import WarningKind
from tests.support.worlds.builders import GROUP, make_vm

PLAIN = VmSize("Standard_D2s_v5", takes_premium=True, zones=("1", "2", "3"))
HOST = f"{GROUP}/providers/Microsoft.Compute/hostGroups/racks"
RESERVED = f"{GROUP}/providers/Microsoft.Compute/capacityReservationGroups/ours"
NEAR = f"{GROUP}/providers/Microsoft.Compute/proximityPlacementGroups/near"


def size(**fields: Any) -> StopFacts:
    """A size like the plain one with these fields."""
    return StopFacts(VmSize(**{"name": "Standard_X", "zones": ("1", "2", "3"), **fields}))


LOSSES: list[tuple[dict[str, Any], StopFacts, WarningKind, str]] = [
    ({}, size(temporary_mb=76800), WarningKind.LOCAL_DISK, "temporary disk (75 GiB)"),
    ({}, size(nvme_mib=457728), WarningKind.LOCAL_DISK, "local NVMe disks (447 GiB)"),
    ({}, size(nvme_mib=457728, temporary_mb=81920), WarningKind.LOCAL_DISK, "temporary disk (80 GiB) and local NVMe"),
    ({}, StopFacts(size_unread="no answer in time"), WarningKind.LOCAL_DISK, "no answer in time"),
    ({"dedicated_host": f"{HOST}/hosts/rack7"}, StopFacts(PLAIN), WarningKind.DEDICATED_HOST, "rack7"),
    ({"dedicated_host": HOST}, StopFacts(PLAIN), WarningKind.DEDICATED_HOST, "racks"),
    ({"capacity_reservation": RESERVED}, StopFacts(PLAIN), WarningKind.CAPACITY_RESERVATION, "ours"),
    ({}, StopFacts(PLAIN, dynamic_ips=("web01-ip",)), WarningKind.DYNAMIC_IP, "web01-ip"),
    ({}, StopFacts(PLAIN, addresses_unread="AuthorizationFailed"), WarningKind.DYNAMIC_IP, "AuthorizationFailed"),
]


@pytest.mark.parametrize(("vm", "facts", "code", "named"), LOSSES)
def test_auto_avoids_each_loss_that_deallocating_is_warned_of(
    vm: dict[str, Any], facts: StopFacts, code: WarningKind, named: str
) -> None:
    """The warning names the loss and the cure; `auto` powers off and names what it avoids."""
    (warning,) = warnings_of_stop(make_vm(**vm), facts)
    assert warning.code is code
    assert named in warning.message
    assert "power-off (RefreshStopMode)" in warning.message or "could not be read" in warning.message
    stop = choose_stop(make_vm({"RefreshStopMode": "auto"}, **vm), "deallocate", facts)
    assert (stop.mode, stop.shown_mode) == (StopMode.POWER_OFF, "power-off")
    assert stop.why.startswith("auto: deallocating would lose ")
    by_setting = choose_stop(make_vm(**vm), "auto", facts)
    assert by_setting == stop


@pytest.mark.parametrize(
    ("vm", "facts", "code", "named"),
    [
        ({"priority": "Spot"}, StopFacts(PLAIN), WarningKind.SPOT, "Spot"),
        ({"placement_group": NEAR}, StopFacts(PLAIN), WarningKind.PLACEMENT_GROUP, "near"),
        ({}, size(restrictions=(Restriction("NotAvailableForSubscription"),)), WarningKind.SIZE_RESTRICTED, "region"),
        ({}, size(restrictions=(Restriction("QuotaId"),)), WarningKind.SIZE_RESTRICTED, "QuotaId"),
        (
            {"zones": ("2",)},
            size(restrictions=(Restriction("NotAvailableForSubscription", ("2", "3")),)),
            WarningKind.SIZE_RESTRICTED,
            "zone 2",
        ),
        ({"zones": ("3",)}, size(zones=("1", "2")), WarningKind.SIZE_RESTRICTED, "does not list size Standard_X in"),
    ],
)
def test_a_start_that_may_fail_is_warned_of_and_does_not_change_an_auto(
    vm: dict[str, Any], facts: StopFacts, code: WarningKind, named: str
) -> None:
    """These do not make `auto` power off: nothing of the VM is lost."""
    (warning,) = warnings_of_stop(make_vm(**vm), facts)
    assert warning.code is code
    assert named in warning.message
    assert choose_stop(make_vm(**vm), "auto", facts).mode is StopMode.DEALLOCATE


def test_a_size_that_azure_does_not_list_may_be_retired_and_may_have_local_disks() -> None:
    """Both are warned of; `auto` powers off."""
    vm = make_vm(size="Standard_G5")
    assert [one.code for one in warnings_of_stop(vm, StopFacts())] == ["size-restricted", "local-disk-lost"]
    assert choose_stop(vm, "auto", StopFacts()).mode is StopMode.POWER_OFF


@pytest.mark.parametrize(
    ("vm", "facts"),
    [
        ({}, StopFacts(PLAIN)),
        ({"zones": ("1",)}, size(restrictions=(Restriction("NotAvailableForSubscription", ("2", "3")),))),
        ({"zones": ()}, size(restrictions=(Restriction("NotAvailableForSubscription", ("1",)),))),
        ({"zones": ("1",)}, size(zones=())),
    ],
)
def test_what_does_not_concern_the_vm_is_not_warned_of(vm: dict[str, Any], facts: StopFacts) -> None:
    """Restrictions of other zones, and regions without zones."""
    assert warnings_of_stop(make_vm(**vm), facts) == ()
    stop = choose_stop(make_vm({"RefreshStopMode": "auto"}, **vm), "deallocate", facts)
    assert (stop.mode, stop.shown_mode) == (StopMode.DEALLOCATE, "deallocate")
    assert "no local or temporary disk" in stop.why


@pytest.mark.parametrize(
    ("tags", "setting", "mode", "why"),
    [
        ({}, "deallocate", "deallocate", "REFRESH_STOP_MODE is deallocate"),
        ({"RefreshStopMode": "Power-Off"}, "auto", "power-off", "RefreshStopMode is power-off"),
        ({"RefreshStopMode": "deallocate"}, "auto", "deallocate", "RefreshStopMode is deallocate"),
    ],
)
def test_a_mode_that_is_asked_for_is_kept(tags: dict[str, str], setting: str, mode: str, why: str) -> None:
    """The VM's tag counts more than the setting, and no loss changes either."""
    stop = choose_stop(make_vm(tags), setting, size(temporary_mb=1))
    assert (stop.mode, stop.why, stop.certain) == (mode, why, True)


def test_an_auto_in_a_list_is_open_only_where_an_address_decides() -> None:
    """A list has no public addresses; what is known without them decides."""
    vm = make_vm({"RefreshStopMode": "auto"})
    assert choose_stop(vm, "deallocate", StopFacts(PLAIN, has_addresses=False)).shown_mode == "auto"
    assert choose_stop(vm, "deallocate", None).shown_mode == "auto"
    known = StopFacts(VmSize("Standard_L8s_v3", nvme_mib=1), has_addresses=False)
    assert choose_stop(vm, "deallocate", known).shown_mode == "power-off"
