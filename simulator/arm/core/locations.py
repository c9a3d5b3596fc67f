"""Azure's regions: short names, display names, and which have availability zones.

Decides which regions exist in the simulated Azure. Rejects nothing: an unknown region is accepted as written.
https://learn.microsoft.com/azure/reliability/regions-list
"""

from __future__ import annotations

from typing import Any

from simulator.arm.core.store import normal_location

_ZONAL = (
    "Australia East|Brazil South|Canada Central|Central India|Central US|East Asia|East US|East US 2|France Central|"
    "Germany West Central|Israel Central|Italy North|Japan East|Japan West|Korea Central|Mexico Central|"
    "New Zealand North|North Europe|Norway East|Poland Central|Qatar Central|South Africa North|South Central US|"
    "Southeast Asia|Spain Central|Sweden Central|Switzerland North|UAE North|UK South|West Europe|West US 2|West US 3|"
    "Central US EUAP|East US 2 EUAP"
)
_ZONELESS = (
    "Australia Central|Australia Southeast|Canada East|Korea South|North Central US|South India|UK West|"
    "West Central US|West India|West US"
)
_ZONES = {normal_location(name): name for name in _ZONAL.split("|")}
_NAMES = _ZONES | {normal_location(name): name for name in _ZONELESS.split("|")}


def display_name(location: str) -> str:
    """The display name, such as `West US`; an unknown location is returned as written."""
    return _NAMES.get(normal_location(location), location)


def has_zones(location: str) -> bool:
    """Whether the region has availability zones; true for an unknown region."""
    return normal_location(location) in _ZONES or normal_location(location) not in _NAMES


def names() -> list[str]:
    """Every region's short name, in order."""
    return sorted(_NAMES)


def listing(subscription: str) -> list[dict[str, Any]]:
    """The regions as `GET /subscriptions/{s}/locations` lists them."""
    return [
        {
            "id": f"/subscriptions/{subscription}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": display,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name, display in sorted(_NAMES.items())
    ]
