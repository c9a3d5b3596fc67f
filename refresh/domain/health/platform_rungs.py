"""The rungs that the platform speaks for: serial log, Resource Health, Application Health, data disks.

Decides what each of them makes of what Azure shows. None of them proves a guest well. Refuses to know how rungs weigh
together (`health`) and what the guest itself says (`health_rungs`).
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.domain.azure.guests import Report
from refresh.domain.health.ladder import Rung, RungName, RungVerdict
from refresh.domain.terms import times

# A stop that somebody asked for is told as unavailability too.
_OUR_OWN_STOP = ("customer initiated", "user initiated", "userinitiated", "customerinitiated")


def judge_log(finding: str | None) -> Rung:
    """The serial log condemns and never acquits: a login prompt is printed by a guest without a network as well."""
    if finding is not None:
        return Rung(RungName.BOOT_LOG, RungVerdict.CONDEMNS, finding)
    return Rung(RungName.BOOT_LOG, RungVerdict.QUIET, "nothing against the boot")


def judge_resource(report: Report, started_at: str | None) -> Rung:
    """What the platform thinks lags behind by minutes: it weighs only where nothing in the guest speaks.

    https://learn.microsoft.com/azure/service-health/resource-health-overview
    """
    ours = (report.reason or "").lower().replace("-", " ") in _OUR_OWN_STOP
    fresh = started_at is None or times.not_before(report.at, started_at)
    if report.state == "unavailable" and fresh and not ours:
        return Rung(
            RungName.RESOURCE_HEALTH,
            RungVerdict.DOUBTS,
            f"unavailable since {report.at} ({report.reason or 'no reason'})",
        )
    return Rung(RungName.RESOURCE_HEALTH, RungVerdict.QUIET, report.state)


def judge_application(report: Report, started_at: str | None) -> Rung:
    """The Application Health extension's word, if it is of this boot; initializing may last up to four hours.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension
    """
    if started_at is not None and not times.not_before(report.at, started_at):
        return Rung(RungName.APPLICATION_HEALTH, RungVerdict.QUIET, f"{report.state}, before the start")
    if report.state == "unhealthy":
        return Rung(RungName.APPLICATION_HEALTH, RungVerdict.DOUBTS, f"unhealthy at {report.at}", required=True)
    says = RungVerdict.FITS if report.state == "healthy" else RungVerdict.QUIET
    return Rung(RungName.APPLICATION_HEALTH, says, f"{report.state} at {report.at}")


def judge_data_disks(now: Collection[str], before: Collection[str]) -> Rung:
    """Every data disk hangs where it hung, cached as it was; one that somebody added is no harm."""
    missing = [disk for disk in before if disk not in now]
    if missing:
        return Rung(RungName.DATA_DISKS, RungVerdict.CONDEMNS, f"not as before: {', '.join(missing)[:120]}")
    return Rung(RungName.DATA_DISKS, RungVerdict.FITS, f"as before: {', '.join(before)[:120]}")
