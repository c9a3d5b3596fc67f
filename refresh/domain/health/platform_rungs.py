"""The rungs that the platform reports: serial log, Resource Health, Application Health, data disks.

Decides the verdict of each on what Azure shows. None of them proves that a guest is healthy. `ladder.py` weighs the
rungs together.
"""

from __future__ import annotations

from collections.abc import Collection

from refresh.domain.azure.guests import Report
from refresh.domain.health.evidence import against_of
from refresh.domain.health.ladder import Rung, RungName, RungVerdict
from refresh.domain.terms import times

# Resource Health also reports a stop that was requested as unavailability.
_REQUESTED_STOP = ("customer initiated", "user initiated", "userinitiated", "customerinitiated")


def judge_log(finding: str | None) -> Rung:
    """The serial log proves failure, never health: a guest without a network prints a login prompt as well."""
    if finding is not None:
        return Rung(RungName.BOOT_LOG, RungVerdict.FAILED, finding, against=against_of(RungName.BOOT_LOG))
    return Rung(RungName.BOOT_LOG, RungVerdict.NO_SIGNAL, "no sign of a failed boot")


def judge_resource(report: Report, started_at: str | None) -> Rung:
    """Resource Health lags by minutes: it counts only where the guest gives no signal.

    https://learn.microsoft.com/azure/service-health/resource-health-overview
    """
    requested = (report.reason or "").lower().replace("-", " ") in _REQUESTED_STOP
    fresh = started_at is None or times.not_before(report.at, started_at)
    if report.state == "unavailable" and fresh and not requested:
        return Rung(
            RungName.RESOURCE_HEALTH,
            RungVerdict.SUSPECT,
            f"unavailable since {report.at} ({report.reason or 'no reason'})",
        )
    return Rung(RungName.RESOURCE_HEALTH, RungVerdict.NO_SIGNAL, report.state)


def judge_application(report: Report, started_at: str | None, *, healthy_before: bool = True) -> Rung:
    """The report of the Application Health extension, if it is from this boot; initializing may last up to four hours.

    An application that was unhealthy before the stop as well is not the new disk's fault.
    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension
    """
    if started_at is not None and not times.not_before(report.at, started_at):
        return Rung(RungName.APPLICATION_HEALTH, RungVerdict.NO_SIGNAL, f"{report.state}, before the start")
    if report.state == "unhealthy":
        against = against_of(RungName.APPLICATION_HEALTH, given_before=healthy_before)
        seen = f"unhealthy at {report.at}{'' if healthy_before else '; it was unhealthy before the swap too'}"
        return Rung(RungName.APPLICATION_HEALTH, RungVerdict.SUSPECT, seen, required=True, against=against)
    verdict = RungVerdict.AS_EXPECTED if report.state == "healthy" else RungVerdict.NO_SIGNAL
    return Rung(RungName.APPLICATION_HEALTH, verdict, f"{report.state} at {report.at}")


def judge_data_disks(now: Collection[str], before: Collection[str]) -> Rung:
    """Whether every data disk is attached and cached as before; an added one does not count.

    A missing one does not fail the swap: an OS disk detaches no data disk, so their owner did, and the old OS disk
    would not bring it back.
    """
    missing = [disk for disk in before if disk not in now]
    if missing:
        return Rung(RungName.DATA_DISKS, RungVerdict.NO_SIGNAL, f"not as before: {', '.join(missing)[:120]}")
    return Rung(RungName.DATA_DISKS, RungVerdict.AS_EXPECTED, f"as before: {', '.join(before)[:120]}")
