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
    subscription of the simulated Azure can use it.

    `temporary_mb` is the temporary disk, `nvme_mib` the sum of the local NVMe disks of `nvme_disk_mib` each (0: none).
    """

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
    hibernates: bool = False
    temporary_mb: int = 0
    nvme_mib: int = 0
    nvme_disk_mib: int = 0

    @property
    def has_local_disk(self) -> bool:
        """Whether a VM of this size has a disk of its host."""
        return bool(self.temporary_mb or self.nvme_mib)


# Local disks: https://learn.microsoft.com/azure/virtual-machines/sizes/overview (the page of each series); the numbers
# of the L series are those of its SKUs, as public tools print them. Hibernation: https://learn.microsoft.com/azure/virtual-machines/hibernate-resume
_SIZES = (
    Size("Standard_A2_v2", "standardAv2Family", 2, 4, 4, premium=False, generations=("V1",), temporary_mb=20480),
    Size("Standard_B2s", "standardBSFamily", 2, 4, 4, ephemeral=True, temporary_mb=8192),
    Size("Standard_B2ms", "standardBSFamily", 2, 8, 4, ephemeral=True, temporary_mb=16384),
    Size("Standard_DS1_v2", "standardDSv2Family", 1, 3.5, 4, ephemeral=True, temporary_mb=7168),
    Size("Standard_D2s_v3", "standardDSv3Family", 2, 8, 4, ephemeral=True, temporary_mb=16384),
    Size("Standard_D2_v5", "standardDv5Family", 2, 8, 4, premium=False),
    Size("Standard_D2s_v5", "standardDSv5Family", 2, 8, 4, hibernates=True),
    Size("Standard_D4s_v5", "standardDSv5Family", 4, 16, 8, hibernates=True),
    Size("Standard_D2ds_v5", "standardDDSv5Family", 2, 8, 4, ephemeral=True, hibernates=True, temporary_mb=76800),
    Size("Standard_D4ds_v5", "standardDDSv5Family", 4, 16, 8, ephemeral=True, hibernates=True, temporary_mb=153600),
    Size("Standard_E4s_v5", "standardESv5Family", 4, 32, 8, hibernates=True),
    Size(
        "Standard_E2bds_v5",
        "standardEBDSv5Family",
        2,
        16,
        4,
        controllers=("SCSI", "NVMe"),
        ephemeral=True,
        temporary_mb=76800,
    ),
    Size("Standard_D2s_v6", "StandardDsv6Family", 2, 8, 4, generations=("V2",), controllers=("NVMe",)),
    Size(
        "Standard_D2ds_v6",
        "StandardDdsv6Family",
        2,
        8,
        4,
        generations=("V2",),
        controllers=("NVMe",),
        ephemeral=True,
        nvme_mib=112640,
        nvme_disk_mib=112640,
    ),
    Size(
        "Standard_L8s_v3",
        "standardLSv3Family",
        8,
        64,
        16,
        ephemeral=True,
        temporary_mb=81920,
        nvme_mib=1831054,
        nvme_disk_mib=1831054,
    ),
    Size(
        "Standard_L8s_v4",
        "StandardLsv4Family",
        8,
        64,
        16,
        generations=("V2",),
        controllers=("NVMe",),
        ephemeral=True,
        nvme_mib=1830912,
        nvme_disk_mib=457728,
    ),
    Size("Standard_D2ps_v5", "standardDPSv5Family", 2, 8, 4, generations=("V2",), architecture="Arm64"),
    Size("Standard_DC2as_v5", "standardDCASv5Family", 2, 8, 4, generations=("V2",), confidential="SNP"),
    Size(
        "Standard_NC24ads_A100_v4",
        "StandardNCADSA100v4Family",
        24,
        220,
        8,
        generations=("V2",),
        restricted=True,
        temporary_mb=65536,
        nvme_mib=915527,
        nvme_disk_mib=915527,
    ),
)
SIZES = {size.name.lower(): size for size in _SIZES}


def size_of(name: str | None) -> Size | None:
    """The size with that name, None if it is not in the table."""
    return SIZES.get((name or "").lower())
