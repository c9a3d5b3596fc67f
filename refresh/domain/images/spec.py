"""`images.toml`: the image definitions that the app makes where they are missing, and how their versions are published.

Decides which keys there are and which values each accepts; all faults are reported together. Does not know where the
file is or what exists in Azure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from refresh.domain.azure.galleries import Definition, declared_flag
from refresh.domain.azure.plans import Plan
from refresh.domain.images import toml_table
from refresh.domain.images.publishing import Publishing
from refresh.domain.images.toml_table import Table
from refresh.domain.terms import resource_id
from refresh.domain.terms.month_reason import MonthReason, Refusal

# https://learn.microsoft.com/azure/virtual-machines/image-version: letters, digits, dots and dashes.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,78}[A-Za-z0-9]|[A-Za-z0-9]")
_SECURITY = (
    "Standard",
    "TrustedLaunch",
    "TrustedLaunchSupported",
    "ConfidentialVM",
    "ConfidentialVMSupported",
    "TrustedLaunchAndConfidentialVmSupported",
)
_FIXED = ("os_type", "os_state", "generation", "architecture", "security_type")


@dataclass(frozen=True)
class ImageSpec:
    """One image of `images.toml`: the requested definition, its ARM body, and how its versions are published."""

    definition: Definition
    body: Mapping[str, Any]
    publishing: Publishing


def read_specs(text: str, galleries: Collection[str]) -> tuple[tuple[ImageSpec, ...], tuple[str, ...]]:
    """The images in the text of `images.toml`, and each of its faults as a sentence.

    `galleries` are the ids of the configured galleries; an image need not name the gallery when there is only one.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        return (), (f"images.toml is not TOML: {fault}",)
    faults = [f"images.toml has {key!r}; it takes tables [images.<name>]" for key in document if key != "images"]
    images = document.get("images", {})
    if not isinstance(images, dict) or not all(isinstance(each, dict) for each in images.values()):
        return (), (*faults, "images in images.toml must be tables: [images.<name>]")
    specs = []
    for name, values in images.items():
        table = Table(f"[images.{name}]", values)
        specs.append(_spec(name, table, galleries))
        faults += [*_name_faults(name), *table.faults()]
    return tuple(specs), tuple(faults)


def find_spec(specs: Collection[ImageSpec], definition_id: str) -> ImageSpec | None:
    """The image of `images.toml` that describes the definition with this id."""
    return next((spec for spec in specs if resource_id.same(spec.definition.id, definition_id)), None)


def check_spec(spec: ImageSpec, definition: Definition) -> Refusal | None:
    """Why nothing is built into `definition`: it differs from `images.toml` in properties that Azure never changes."""
    differences = []
    for field in _FIXED:
        needs, has = getattr(spec.definition, field), getattr(definition, field)
        if field == "security_type" and not has:
            has = "Standard"
        if field == "architecture" and not has:
            has = "x64"
        if (has or "").lower() != (needs or "").lower():
            differences.append(f"{field} is {has or 'unknown'}, not {needs}")
    if not differences:
        return None
    return Refusal(
        MonthReason.DEFINITION_DIFFERS,
        f"{definition.name} differs from images.toml: {', '.join(differences)}; correct images.toml or give the "
        "image another name",
    )


def _name_faults(name: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"[images.{name}] must be named like an image definition: letters, digits, dots and dashes"


def _spec(name: str, table: Table, galleries: Collection[str]) -> ImageSpec:
    gallery = (
        table.choice("gallery", tuple(galleries))
        if len(galleries) != 1
        else table.choice("gallery", tuple(galleries), default=next(iter(galleries)))
    )
    location = table.text("location")
    identifier = {key: table.text(key) for key in ("publisher", "offer", "sku")}
    kind = {
        "osType": table.choice("os_type", ("Linux", "Windows")),
        "osState": table.choice("os_state", ("Specialized", "Generalized")),
        "hyperVGeneration": table.choice("generation", ("V1", "V2")),
        "architecture": table.choice("architecture", ("x64", "Arm64"), default="x64"),
    }
    security = table.choice("security_type", _SECURITY, default="Standard")
    # Always sent: from api 2025-03-03 on Azure's defaults are V2 and TrustedLaunchSupported.
    features = {"SecurityType": security, **table.texts("features")}
    tags = {"AutoRefresh": "true", **table.texts("tags")}
    plan = table.texts("plan", ("name", "publisher", "product"))
    declared = {key.lower(): value for key, value in features.items()}
    properties = {
        **kind,
        "identifier": identifier,
        "features": [{"name": key, "value": value} for key, value in features.items()],
    }
    if plan:
        properties["purchasePlan"] = plan
    definition = Definition(
        f"{gallery}/images/{name}",
        name,
        location,
        kind["osType"],
        kind["osState"],
        kind["hyperVGeneration"],
        kind["architecture"],
        security,
        tags,
        disk_controllers=declared.get("diskcontrollertypes"),
        accelerated_network=declared_flag(declared.get("isacceleratednetworksupported")),
        hibernates=declared_flag(declared.get("ishibernatesupported")),
        plan=Plan(*(plan.get(key, "") for key in ("publisher", "product", "name"))) if plan else None,
    )
    body = {"location": location, "tags": tags, "properties": properties}
    return ImageSpec(definition, body, _publishing(table.table("publish")))


def _publishing(table: Table) -> Publishing:
    return Publishing(
        regions=table.names("regions"),
        replicas=table.number("replicas", 1, 100),
        storage=table.choice("storage", toml_table.STORAGE, default="") or None,
        storage_in=table.texts("storage_in", values=toml_table.STORAGE),
        encryption=table.texts("encryption", pattern=toml_table.ENCRYPTION_SET),
        end_of_life_days=table.number("end_of_life_days", 1, 3650),
        proof=table.flag("proof"),
        via_image=table.flag("via_managed_image") or False,
    )
