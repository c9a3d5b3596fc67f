"""Marketplace images: `…/locations/{l}/publishers/{p}/artifacttypes/vmimage/offers/{o}/skus/{s}/versions`.

Decides which images exist, the same in every region, and the properties of each. A VM can also be made from an image
that is not in the table. Does not make resources.
https://learn.microsoft.com/rest/api/compute/virtual-machine-images
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.arm.core import errors
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.store import Json

TYPE = "microsoft.compute/locations/publishers/artifacttypes/offers/skus/versions"


@dataclass(frozen=True)
class PlatformImage:
    """One SKU; a new VM from it must name its `plan` (publisher, product, name). `hibernates`: its OS supports
    hibernation."""

    publisher: str
    offer: str
    sku: str
    versions: tuple[str, ...]
    os_type: str = "Linux"
    generation: str = "V2"
    architecture: str = "x64"
    security: str | None = "TrustedLaunchSupported"
    size_gb: int = 30
    plan: tuple[str, str, str] | None = None
    hibernates: bool = False


_UBUNTU = ("24.04.202510010", "24.04.202511040")
IMAGES = (
    PlatformImage("Canonical", "ubuntu-24_04-lts", "server", _UBUNTU, hibernates=True),
    PlatformImage("Canonical", "ubuntu-24_04-lts", "server-gen1", _UBUNTU, generation="V1", security=None),
    PlatformImage("Canonical", "ubuntu-24_04-lts", "server-arm64", _UBUNTU, architecture="Arm64", security=None),
    PlatformImage(
        "Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", ("22.04.202401010", "22.04.202510070")
    ),
    PlatformImage("Debian", "debian-12", "12-gen2", ("0.20251006.2257",)),
    PlatformImage("RedHat", "RHEL", "9-lvm-gen2", ("9.4.2025040316",), size_gb=64),
    PlatformImage(
        "resf",
        "rockylinux-x86_64",
        "9-base",
        ("9.6.20250531",),
        size_gb=10,
        plan=("resf", "rockylinux-x86_64", "9-base"),
    ),
    PlatformImage(
        "MicrosoftWindowsServer",
        "WindowsServer",
        "2022-datacenter-g2",
        ("20348.2655.240810", "20348.4297.251004"),
        os_type="Windows",
        size_gb=127,
        hibernates=True,
    ),
)


def find_image(reference: Mapping[str, Any]) -> PlatformImage | None:
    """The SKU that an `imageReference` names, None for one that is not in the table."""
    wanted = tuple(str(reference.get(key, "")).lower() for key in ("publisher", "offer", "sku"))
    known = (image for image in IMAGES if (image.publisher.lower(), image.offer.lower(), image.sku.lower()) == wanted)
    return next(known, None)


def set_exact_version(reference: Json) -> None:
    """Write the exact version into an `imageReference` of the table."""
    image = find_image(reference)
    if image is not None:
        version = str(reference.get("version", "latest"))
        reference["exactVersion"] = image.versions[-1] if version.lower() == "latest" else version


def answer(request: Request) -> Answer:
    """One version, or the versions of a SKU as a bare list, with `$top` and `$orderby=name desc`."""
    names = dict(request.id.pairs)
    reference = {key: names.get(f"{key}s", "") for key in ("publisher", "offer", "sku")}
    image = find_image(reference)
    if image is None:
        raise errors.provider_error(404, "NotFound", "Artifact: VMImage was not found.")
    if request.path.tail is not None:
        versions = list(image.versions)
        if request.query.get("$orderby", "").lower().endswith("desc"):
            versions.reverse()
        top = request.query.get("$top", "")
        versions = versions[: int(top)] if top.isdigit() else versions
        return Answer(200, [_brief(request, image, version) for version in versions], counted=False)
    version = names["versions"]
    if version not in image.versions:
        raise errors.provider_error(404, "NotFound", "Artifact: VMImage was not found.")
    return Answer(200, {**_brief(request, image, version), "properties": _properties(image)}, counted=False)


def handles(request: Request) -> bool:
    """Whether a request is for a version or for the versions of a SKU."""
    kind = request.path.collection_type if request.path.tail is not None else request.id.type
    return request.method == "GET" and kind.lower() == TYPE


def _brief(request: Request, image: PlatformImage, version: str) -> Json:
    location = dict(request.id.pairs)["locations"]
    path = (
        f"/Subscriptions/{request.id.subscription}/Providers/Microsoft.Compute/Locations/{location}/Publishers/"
        f"{image.publisher}/ArtifactTypes/VMImage/Offers/{image.offer}/Skus/{image.sku}/Versions/{version}"
    )
    return {"location": location, "name": version, "id": path}


def _properties(image: PlatformImage) -> Json:
    features = [{"name": "IsAcceleratedNetworkSupported", "value": "True"}]
    if image.security:
        features.insert(0, {"name": "SecurityType", "value": image.security})
    if image.hibernates:
        features.append({"name": "IsHibernateSupported", "value": "True"})
    properties: Json = {
        "hyperVGeneration": image.generation,
        "architecture": image.architecture,
        "replicaType": "Managed",
        "replicaCount": 10,
        "disallowed": {"vmDiskType": "Unmanaged"},
        "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": False},
        "imageDeprecationStatus": {"imageState": "Active"},
        "features": features,
        "osDiskImage": {"operatingSystem": image.os_type, "sizeInGb": image.size_gb},
        "dataDiskImages": [],
    }
    if image.plan:
        publisher, product, name = image.plan
        properties["plan"] = {"publisher": publisher, "product": product, "name": name}
    return properties
