"""Whether a marketplace image can become versions of an image definition.

Decides from the facts that Azure shows of both. Does not know how they were read.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.azure.galleries import Definition
from refresh.domain.azure.plans import Plan
from refresh.domain.recipes.recipe import MarketplaceImage
from refresh.domain.terms.month_reason import MonthReason, Refusal


@dataclass(frozen=True)
class ImageFacts:
    """A marketplace image in one region; `image` names its exact version."""

    image: MarketplaceImage
    os_type: str | None = None
    generation: str | None = None
    architecture: str | None = None
    security: str | None = None
    plan: Plan | None = None


def check_definition(definition: Definition) -> Refusal | None:
    """Why no recipe can be built into this definition; None when one can.

    https://learn.microsoft.com/azure/virtual-machines/custom-data and, for Trusted Launch,
    https://github.com/hashicorp/packer-plugin-azure/issues/304
    """
    if definition.os_type != "Linux":
        return Refusal(
            MonthReason.WINDOWS_RECIPE,
            f"{definition.name} is {definition.os_type or 'of unknown OS'}, and Windows does not process custom data: "
            "a recipe can make Linux images only; build from a VM, disk or VHD instead",
        )
    if (definition.security_type or "").lower() in (
        "trustedlaunchsupported",
        "trustedlaunchandconfidentialvmsupported",
    ):
        return Refusal(
            MonthReason.TRUSTED_LAUNCH,
            f"{definition.name} is {definition.security_type}, and Azure captures no VM into such a definition; use "
            "a definition with security type Standard or TrustedLaunch",
        )
    return None


def check_image(definition: Definition, found: ImageFacts) -> Refusal | None:
    """Why `found` cannot become a version of `definition`; None when it can. Azure's defaults: V1, x64."""
    pairs = (
        ("OS type", definition.os_type, found.os_type),
        ("generation", definition.generation or "V1", found.generation or "V1"),
        ("architecture", definition.architecture or "x64", found.architecture or "x64"),
    )
    for what, wanted, has in pairs:
        if (has or "").lower() != (wanted or "").lower():
            return Refusal(
                MonthReason.SOURCE_DOES_NOT_FIT,
                f"image {found.image} has {what} {has or 'unknown'}, {definition.name} has {wanted}; name another "
                "image in [image] of recipe.toml, or make a definition that fits it",
            )
    if wants_trusted_launch(definition) and "trustedlaunch" not in (found.security or "").lower():
        return Refusal(
            MonthReason.SOURCE_DOES_NOT_FIT,
            f"image {found.image} does not declare support for Trusted Launch, which {definition.name} requires",
        )
    return None


def wants_trusted_launch(definition: Definition) -> bool:
    """Whether every VM of this definition is one with Trusted Launch."""
    return (definition.security_type or "").lower() == "trustedlaunch"
