"""Marketplace plans of VMs: the `plan` that a VM names, that of its OS disk, and the terms of an offer.

Decides which combinations Azure refuses. Leaves the plan that a disk inherits to `disk_sources.py`.
Messages of `VMMarketplaceInvalidInput`: https://learn.microsoft.com/azure/virtual-machines/windows/error-messages
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.disk_sources import SourceFacts
from simulator.arm.state.marketplace import find_image

_KEYS = ("publisher", "product", "name")
_TERMS = "Microsoft.MarketplaceOrdering/offerTypes/virtualmachine"
type _Plan = tuple[str, ...] | None


def check_new_plan(services: Services, vm: Record, facts: SourceFacts) -> None:
    """Refuse a new VM whose `plan` is not that of its image or attached OS disk (`facts`), or whose terms are
    not accepted; an image that is not in the table of marketplace images may have any."""
    storage = vm.properties.get("storageProfile") or {}
    reference = storage.get("imageReference") or {}
    is_unknown = "publisher" in reference and find_image(reference) is None
    wants, has = _key(facts.plan), _key(vm.body.get("plan"))
    if not is_unknown:
        attached = str((storage.get("osDisk") or {}).get("createOption", "")).lower() == "attach"
        name = str((storage.get("osDisk") or {}).get("name", ""))
        _check(wants, has, f"OS disk name is '{name}'." if attached else f"VM: '{vm.id.text}'.")
    if has is not None:
        _check_terms(services, vm, has)


def check_swapped_plan(vm: Record, current: Json, wanted: Record) -> None:
    """Refuse an OS disk whose plan is not the VM's, as for a new VM with that disk; `current`: the properties of the
    current disk.

    A disk from before 2020 shows no plan, so two disks without one are not compared with the VM's.
    """
    has, gets = _key(vm.body.get("plan")), _key(wanted.properties.get("purchasePlan"))
    if gets is None and _key(current.get("purchasePlan")) is None:
        return
    _check(gets, has, f"OS disk name is '{wanted.id.name}'.")


def check_plan_kept(vm: Record, sent: Json) -> None:
    """Refuse another plan for a VM that exists."""
    if "plan" not in sent or _key(sent["plan"]) in (None, _key(vm.body.get("plan"))):
        return
    if vm.body.get("plan"):
        # Documented as a property that cannot change; message not known.
        raise errors.change_not_allowed("plan")
    # Reported: https://github.com/Azure/azure-cli/issues/5949
    text = "This resource was created without a plan. A new plan cannot be associated with an update."
    raise errors.ArmError(400, "CannotSetPlanOnUpdate", text)


def _check(wants: _Plan, has: _Plan, where: str) -> None:
    if wants == has:
        return
    if has is None:
        # Reported for disks and images: https://github.com/Azure/azure-cli/issues/5949
        text = (
            "Creating a virtual machine from Marketplace image or a custom image sourced from a Marketplace image "
            f"requires Plan information in the request. {where}"
        )
    elif wants is None:
        text = (
            "Creating a virtual machine from a non Marketplace image does not need Plan information, please remove the "
            f"Plan information in the request. {where}"
        )
    else:
        text = f"The purchase information does not match. Unable to deploy from the Marketplace image. {where}"
    raise errors.provider_error(400, "VMMarketplaceInvalidInput", text)


def _check_terms(services: Services, vm: Record, plan: tuple[str, ...]) -> None:
    """Refuse a plan whose agreement in the subscription is not accepted; without an agreement it counts as accepted.

    https://learn.microsoft.com/rest/api/marketplacecatalog/marketplaceordering, reported:
    https://github.com/nforgeio/neonKUBE/issues/1673
    """
    publisher, product, name = plan
    path = f"publishers/{publisher}/offers/{product}/plans/{name}/agreements/current"
    agreement = services.store.get(f"/subscriptions/{vm.id.subscription}/providers/{_TERMS}/{path}")
    if agreement is None or agreement.properties.get("accepted") is not False:
        return
    raise errors.ArmError(
        400,
        "ResourcePurchaseValidationFailed",
        "User failed validation to purchase resources. Error message: 'You have not accepted the legal terms on this "
        f"subscription: '{vm.id.subscription}' for this plan. Before the subscription can be used, you need to accept "
        "the legal terms of the image. To read and accept legal terms, use the Azure CLI commands described at "
        "https://go.microsoft.com/fwlink/?linkid=2110637 or the PowerShell commands available at "
        "https://go.microsoft.com/fwlink/?linkid=862451. Alternatively, deploying via the Azure portal provides a UI "
        f"experience for reading and accepting the legal terms. Offer details: publisher='{publisher}' offer = "
        f"'{product}', sku = '{name}''.",
    )


def _key(plan: Json | None) -> _Plan:
    """The parts that must be equal, with case: Azure compares a plan's properties case-sensitively."""
    return tuple(str(plan.get(key, "")) for key in _KEYS) if plan else None
