"""The settings of the app, read and checked.

Decides which values contradict each other; `table.py` has the settings and their parsers. Does not know where the texts
come from. All faults are reported at once, each with its cure, so that five typing errors take one deployment to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from refresh.settings import values as setting_values
from refresh.settings.table import SETTINGS


class SettingsError(Exception):
    """The app cannot work with these settings; `faults` names every wrong one with its cure."""

    def __init__(self, faults: Iterable[str]) -> None:
        """Keep `faults`, one line each."""
        self.faults = tuple(faults)
        super().__init__("\n".join((f"{len(self.faults)} setting(s) to correct:", *(f"- {f}" for f in self.faults))))


@dataclass(frozen=True)
class Settings:
    """Every setting, read and checked. Ids of `disk_groups` and subscriptions are lower-case."""

    subscriptions: tuple[str, ...]
    management_group: str
    galleries: tuple[str, ...]
    images: str
    refresh_schedule: str
    sweep_schedule: str
    purge_schedule: str
    retention_schedule: str
    retention: str
    keep_disks: int
    keep_disks_days: int
    keep_versions: int
    keep_versions_days: int
    rollout: str
    max_swaps: int
    health_rungs: tuple[str, ...]
    health_timeout_s: int
    quarantine_after: int
    quarantine_share: float
    capacity_timeout_s: int
    stop_mode: str
    disk_trust: str
    disk_groups: tuple[str, ...]
    previous_reserved_days: int
    build_subnets: tuple[str, ...]
    recipes: str
    history_days: int
    outcome_topic: str
    notice_s: int
    selfcheck: str
    arm_endpoint: str
    api_auth: str
    client_id: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read every setting from `env` (name to text); empty means default. SettingsError names all faults at once."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for setting in SETTINGS:
            text = env.get(setting.name, "").strip() or setting.default
            try:
                values[setting.field] = setting.parse(text)
            except ValueError as fault:
                faults.append(f"{setting.name}={text[:120]!r}: {fault}")
        faults.extend(_contradictions(values))
        if faults:
            raise SettingsError(faults)
        return cls(**values)

    @property
    def token_scope(self) -> str:
        """The scope of tokens for `arm_endpoint`; the public cloud's for a simulator."""
        return setting_values.CLOUDS.get(
            urlsplit(self.arm_endpoint).hostname or "", setting_values.CLOUDS["management.azure.com"]
        )


def defaults() -> dict[str, str]:
    """Name and default of every setting that has a default: a host needs them for `%NAME%` in timer bindings."""
    return {setting.name: setting.default for setting in SETTINGS if setting.default}


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    faults = []
    # A value that could not be read is absent here: its own fault is reported already.
    if "subscriptions" in values and "management_group" in values:
        if values["subscriptions"] and values["management_group"]:
            faults.append("REFRESH_SUBSCRIPTIONS and REFRESH_MANAGEMENT_GROUP: set one of them, not both")
        if not values["subscriptions"] and not values["management_group"]:
            faults.append(
                "REFRESH_SUBSCRIPTIONS or REFRESH_MANAGEMENT_GROUP: set one of them; without both, no VM is in scope"
            )
    if values.get("disk_trust") == "gallery" and values.get("galleries") == ():
        faults.append(
            "REFRESH_GALLERIES: must name a gallery when REFRESH_DISK_TRUST=gallery, or every swap is refused"
        )
    if values.get("notice_s") and values.get("outcome_topic") == "":
        faults.append("REFRESH_NOTICE_S: needs REFRESH_OUTCOME_TOPIC, because the notice is given by an event")
    topic, arm = values.get("outcome_topic"), values.get("arm_endpoint")
    if topic and not _is_local(topic) and _is_local(arm):
        faults.append(
            "REFRESH_OUTCOME_TOPIC: must be this machine while REFRESH_ARM_ENDPOINT is; a local run uses no other one"
        )
    if _is_local(topic) and arm and not _is_local(arm):
        faults.append(
            "REFRESH_OUTCOME_TOPIC: may be this machine only while REFRESH_ARM_ENDPOINT is; else it gets a real token"
        )
    return faults


def _is_local(url: str | None) -> bool:
    return setting_values.is_loopback(urlsplit(url or "").hostname)
