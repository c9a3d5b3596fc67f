"""VM sizes and their capabilities.

Decides which sizes the simulated Azure offers, a small part of Azure's own. Rejects nothing: a size that is not in the
table is accepted as written and has no limits.
https://learn.microsoft.com/azure/virtual-machines/sizes/overview
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """One size. `generations` and `controllers` have the spelling of Azure's capability values; `restricted`: no
    subscription of the simulated Azure can use it."""

    name: str
    family: str
    cpus: int
    memory_gb: float
    data_disks: int
    premium: bool = True
    generations: tuple[str, ...] = ("V1", "V2")
    architecture: str = "x64"
    controllers: tuple[str, ...] = ("SCSI",)
    ephemeral: bool = False
    confidential: str | None = None
    restricted: bool = False


_SIZES = (
    Size("Standard_A2_v2", "standardAv2Family", 2, 4, 4, premium=False, generations=("V1",)),
    Size("Standard_B2s", "standardBSFamily", 2, 4, 4, ephemeral=True),
    Size("Standard_B2ms", "standardBSFamily", 2, 8, 4, ephemeral=True),
    Size("Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 4, ephemeral=True),
    Size("Standard_D2s_v3", "standardDSv3Family", 2, 8, 4, ephemeral=True),
    Size("Standard_D2_v5", "standardDv5Family", 2, 8, 4, premium=False),
    Size("Standard_D2s_v5", "standardDSv5Family", 2, 8, 4),
    Size("Standard_D4s_v5", "standardDSv5Family", 4, 16, 8),
    Size("Standard_D2ds_v5", "standardDDSv5Family", 2, 8, 4, ephemeral=True),
    Size("Standard_E4s_v5", "standardESv5Family", 4, 32, 8),
    Size("Standard_E2bds_v5", "standardEBDSv5Family", 2, 16, 4, controllers=("SCSI", "NVMe"), ephemeral=True),
    Size("Standard_D2s_v6", "StandardDsv6Family", 2, 8, 4, generations=("V2",), controllers=("NVMe",)),
    Size("Standard_D2ps_v5", "standardDPSv5Family", 2, 8, 4, generations=("V2",), architecture="Arm64"),
    Size("Standard_DC2as_v5", "standardDCASv5Family", 2, 8, 4, generations=("V2",), confidential="SNP"),
    Size("Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family", 24, 220, 8, generations=("V2",), restricted=True),
)
SIZES = {size.name.lower(): size for size in _SIZES}


def size_of(name: str | None) -> Size | None:
    """The size with that name, None if it is not in the table."""
    return SIZES.get((name or "").lower())
