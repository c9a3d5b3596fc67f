"""The number of reads that are left, from the headers of an answer of ARM.

Decides which headers count. `domain/azure/rhythm.py` uses the numbers.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
https://learn.microsoft.com/azure/virtual-machines/troubleshooting/troubleshooting-throttling-errors
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from refresh.domain.azure.rhythm import ReadsLeft

_OF_SUBSCRIPTION = "x-ms-ratelimit-remaining-subscription-reads"
# `Microsoft.Compute/LowCostGetSubscriptionMaximum;23999,Microsoft.Compute/LowCostGetResource;35`
_OF_RESOURCE = "x-ms-ratelimit-remaining-resource"
_COUNTER = re.compile(r";\s*(\d{1,9})\s*(?:,|$)", re.ASCII)


def reads_left(headers: Mapping[str, str]) -> ReadsLeft:
    """The counters in the answer to a GET, the lowest where a header has several; None where it cannot be read."""
    low = {name.lower(): value for name, value in headers.items()}
    counters = [int(left) for left in _COUNTER.findall(low.get(_OF_RESOURCE, ""))]
    of_subscription = low.get(_OF_SUBSCRIPTION, "").strip()
    return ReadsLeft(
        min(counters, default=None), int(of_subscription) if re.fullmatch(r"[0-9]{1,9}", of_subscription) else None
    )
