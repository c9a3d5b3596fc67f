"""Activity: ends the checks of an image version. If passed, it counts as latest; if failed, it stays excluded.

A version that has not arrived in some regions is admitted for the others: regions that failed are no targets any more.
One tag on the version has the result, for the next run, for retention and for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refresh import wiring
from refresh.domain.azure.galleries import Version
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.azure.quarantine import is_quarantined
from refresh.domain.images.replication import is_usable_in_part, targets_without_failed
from refresh.domain.images.version_choice import checks_of
from refresh.domain.terms import tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.gateways.errors import GatewayError, Refused
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.records.month import FAILED, BuildInput, ImageRow

_CONFLICT = 409


async def admit_version(data: dict[str, Any]) -> dict[str, Any]:
    """`BuildInput` and `passed` to `{"done": True}`, `{"waiting": True, "row"}` (call again) or `{"row": ImageRow}`.

    A build that does not call again ends with `row`.
    """
    return await end_checks(wiring.gateways(), BuildInput.from_json(data), passed=bool(data["passed"]))


async def end_checks(gateways: Gateways, build: BuildInput, *, passed: bool) -> dict[str, Any]:
    """The result of `admit_version`, over `gateways`: reads the version and begins what is missing."""
    version_id = build.version or ""
    try:
        version = await retry_until_answered(lambda: gateways.gallery.read_version(version_id), budget_s=BULK_BUDGET_S)
        if version.provisioning_state == "Updating":
            return {"waiting": True, **_row(build, MonthReason.TIMED_OUT, f"version {version.name} is still Updating")}
        if not passed:
            await _reject(gateways, version)
            return {"done": True}
        # Azure can fail a change that it accepted; the same change then repairs the version.
        repairs = (
            version.provisioning_state == "Failed"
            and checks_of(version) == tags.CHECKS_PASSED
            and not (is_usable_in_part(version) and any(region.state == "Failed" for region in version.regions))
        )
        if is_quarantined(version) or not (repairs or checks_of(version) == tags.CHECKS_PENDING):
            return {"done": True}
        kept = {name: value for name, value in version.tags.items() if name.lower() != tags.REFRESH_CHECKS.lower()}
        admitted = {**kept, tags.REFRESH_CHECKS: tags.CHECKS_PASSED}
        await _admit(gateways, version, admitted)
    except GatewayError as error:
        if error.status == _CONFLICT:
            # Another run of the same build was quicker: the version is read again.
            return {"waiting": True, **_row(build, MonthReason.AZURE_SAID_NO, f"the version is being changed: {error}")}
        name = version_id.rsplit("/", 1)[-1]
        message = f"version {name} passed its checks but is still excluded from latest: {error}; run again"
        return _row(build, MonthReason.AZURE_SAID_NO, message)
    return {"waiting": True, **_row(build, MonthReason.TIMED_OUT, f"version {version.name} is still being admitted")}


async def _admit(gateways: Gateways, version: Version, admitted: Mapping[str, str]) -> None:
    targets = targets_without_failed(version)
    try:
        await retry_until_answered(
            lambda: gateways.gallery.begin_admit_version(version.id, admitted, targets), budget_s=BULK_BUDGET_S
        )
    except Refused as error:
        if targets == version.targets or error.status == _CONFLICT:
            raise
        # A gallery can forbid to remove regions; then Azure tries the failed ones once more.
        await retry_until_answered(
            lambda: gateways.gallery.begin_admit_version(version.id, admitted, version.targets), budget_s=BULK_BUDGET_S
        )


async def _reject(gateways: Gateways, version: Version) -> None:
    failed = {tags.REFRESH_CHECKS: tags.CHECKS_FAILED}
    await retry_until_answered(lambda: gateways.tags.merge_tags(version.id, failed), budget_s=BULK_BUDGET_S)


def _row(build: BuildInput, reason: MonthReason, message: str) -> dict[str, Any]:
    name = (build.version or "").rsplit("/", 1)[-1]
    return {"row": ImageRow(build.definition, FAILED, reason, message, name).to_json()}
