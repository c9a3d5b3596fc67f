"""Lists the VMs of a subscription whose tags are not fulfilled, from ARM's list: Resource Graph lags behind.

Decides how long such a list may take. Leaves which VM counts to `domain.vm.hints`, and what follows to the caller.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping

from refresh.domain.azure.vms import Vm
from refresh.domain.vm.hints import is_worth_a_look
from refresh.gateways.errors import Unnamed
from refresh.gateways.gateways import Gateways
from refresh.reading.fleet.each_subscription import read_within

_log = logging.getLogger(__name__)


async def collect_mismatches(gateways: Gateways, subscription: str, found: MutableMapping[str, Vm]) -> None:
    """Add to `found` (by lower-case id) each VM of the subscription that is worth a look.

    GatewayError when the list is incomplete; then `found` has those on the pages that were read.
    """

    async def collect() -> None:
        try:
            async for vm in gateways.compute.list_vms(subscription):
                if _is_mismatch(vm):
                    found[vm.id.lower()] = vm
        except Unnamed as error:
            _log.error("the VMs of subscription %s: %s", subscription, error)

    await read_within(collect)


def is_marked(vm: Vm) -> bool:
    """Whether the VM has the mark of a swap: it may be down."""
    try:
        return bool(vm.own_tags.refresh_state)
    except Exception:  # `_is_mismatch` has logged it
        return False


def _is_mismatch(vm: Vm) -> bool:
    try:
        return is_worth_a_look(vm)
    except Exception:  # the look reads the VM by itself, and refuses it if it fails as well
        _log.exception("unexpected error about %s", vm.id)
        return True
