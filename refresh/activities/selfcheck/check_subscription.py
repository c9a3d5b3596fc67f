"""Activity: checks one subscription: its VMs can be listed, the rights to swap them, the registered providers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from refresh import wiring
from refresh.domain.azure.polls import LIST_BUDGET_S
from refresh.domain.azure.refusals import describe_refusal
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight import rights
from refresh.domain.selfcheck.registration import judge_registrations, needed_providers
from refresh.domain.selfcheck.rights_in_scope import groups_in_scope, judge_rights
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.fleet.vms_and_disks import collect_named
from refresh.records.selfcheck import CheckRow, arm_check

# A registration that is not read in this time is reported as unknown, so that the other checks keep their time.
_REGISTRATION_BUDGET_S = 8.0
_ASSIGN = (
    "assign the app's roles there (docs/permissions.md), wait ten minutes until Azure applies them, run the check again"
)


async def check_subscription(data: dict[str, Any]) -> dict[str, Any]:
    """`{"subscription": id}` to `{"checks": rows}`; changes nothing."""
    gateways, subscription = wiring.gateways(), str(data["subscription"])
    named = f"subscription {subscription}"
    try:
        vms = await retry_until_answered(
            lambda: collect_named(gateways.compute.list_vms(subscription), f"the VMs of {named}"),
            budget_s=LIST_BUDGET_S,
        )
    except GatewayError as error:
        why = f"the VMs of {named} could not be listed: {describe_refusal(error.code, error.message)}"[:600]
        rows = [CheckRow(arm_check(subscription), False, why, _ASSIGN)]
    else:
        listed = CheckRow(arm_check(subscription), True, f"{len(vms)} VM(s) listed in {named}")
        rows = [listed, await _rights(gateways, subscription, vms)]
    rows.append(await _providers(gateways, subscription, has_vms=rows[0].ok))
    return {"checks": [row.to_json() for row in rows]}


async def _rights(gateways: Gateways, subscription: str, vms: Sequence[Vm]) -> CheckRow:
    name, needed = f"rights {subscription}", rights.needed_to_swap(wiring.settings().stop_mode)
    try:
        gaps = {scope: await _missing(gateways, scope, needed) for scope in groups_in_scope(vms)}
    except GatewayError as error:
        why = f"the app could not read its own rights: {describe_refusal(error.code, error.message)}"[:600]
        return CheckRow(name, False, why, _ASSIGN)
    ok, message = judge_rights(gaps)
    return CheckRow(name, ok, message[:1000], None if ok else _ASSIGN)


async def _missing(gateways: Gateways, scope: str, needed: tuple[str, ...]) -> tuple[str, ...]:
    granted = await retry_until_answered(lambda: gateways.access.read_grants(scope), budget_s=LIST_BUDGET_S)
    return rights.missing(needed, granted)


async def _providers(gateways: Gateways, subscription: str, *, has_vms: bool) -> CheckRow:
    needs = needed_providers(wiring.settings().health_rungs, has_vms=has_vms)
    states: dict[str, str] = {}
    unread: dict[str, str] = {}
    for need in needs:
        try:
            async with asyncio.timeout(_REGISTRATION_BUDGET_S):
                states[need.namespace] = await gateways.access.read_registration(subscription, need.namespace)
        except GatewayError as error:
            unread[need.namespace] = describe_refusal(error.code, error.message)[:300]
        except TimeoutError:
            unread[need.namespace] = f"no answer within {_REGISTRATION_BUDGET_S:.0f} s"
    found = judge_registrations(subscription, needs, states, unread)
    return CheckRow(f"providers {subscription}", found.ok, found.message[:1000], found.cure)
