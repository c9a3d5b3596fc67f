"""Facts about a VM's guest in its ARM body: names, network interfaces, application health.

Decides which fields become which facts. Does not judge health.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from refresh.arm.bodies import bool_at, dict_at, list_at, text_at
from refresh.domain.azure.guests import Guest, Report

_HEALTH_STATE = "healthstate/"


def guest_from_arm(properties: Mapping[str, Any]) -> Guest:
    """The facts in a VM's ARM `properties`. The guest's own name and application health are in the instance view.

    https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view#virtualmachineinstanceview
    """
    view = dict_at(properties, "instanceView")
    return Guest(
        computer_name=text_at(view, "computerName"),
        profile_name=text_at(properties, "osProfile", "computerName"),
        nic_id=_primary_nic(properties),
        nic_ids=tuple(found for nic in _nics(properties) if (found := text_at(nic, "id"))),
        application=_application(view),
    )


def _nics(properties: Mapping[str, Any]) -> Sequence[Any]:
    return list_at(properties, "networkProfile", "networkInterfaces")


def _primary_nic(properties: Mapping[str, Any]) -> str | None:
    # `primary` is given only where there are several interfaces.
    nics = _nics(properties)
    primary = [nic for nic in nics if bool_at(nic, "properties", "primary")]
    return text_at((primary or nics)[0], "id") if nics else None


def _application(view: Mapping[str, Any] | None) -> Report | None:
    code = (text_at(view, "vmHealth", "status", "code") or "").lower()
    if not code.startswith(_HEALTH_STATE):
        return None
    return Report(code.removeprefix(_HEALTH_STATE), text_at(view, "vmHealth", "status", "time"))
