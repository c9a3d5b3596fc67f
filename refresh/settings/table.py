"""Every setting of the app in one table: name, default, meaning and accepted values.

Decides names, defaults and bounds; the example file, the docs, the infrastructure and the local host are made from this
table. Does not know where the values come from; `settings.py` reads them and finds those that contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from refresh.domain.health.ladder import OPTIONAL
from refresh.domain.terms.vm_tags import HEALTH_TIMEOUT_FROM_S, HEALTH_TIMEOUT_TO_S
from refresh.settings import schedules, values

MAX_CONCURRENT_ACTIVITIES = 64
"""Activities that one instance of the app runs at once: `maxConcurrentActivityFunctions` of host.json."""

ACTIVITIES_BESIDE_SWAPS = 20
"""Activities kept free of swaps, so that reads of VMs, bulk work and tag edits go on while every swap waits."""

MAX_STARTS = 24
"""VMs that are down and are started at the same time, beside the swaps: activities and Azure's reads allow no more."""

MIN_STARTS = 4
"""Activities that `REFRESH_MAX_SWAPS` leaves for starts of VMs that are down."""

MAX_NOTICE_S = 7200
"""The longest notice. A VM that waits out its notice holds one of `REFRESH_MAX_SWAPS`."""


@dataclass(frozen=True)
class Setting:
    """One setting: its environment variable, the field of `Settings` it fills, default, meaning and parser.

    `parse` returns the value of a text, or raises ValueError with what the text must be. An empty default means that
    there is none.
    """

    name: str
    field: str
    default: str
    description: str
    parse: Callable[[str], Any]


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "REFRESH_SUBSCRIPTIONS",
        "subscriptions",
        "",
        "Ids of the subscriptions whose VMs may be in scope, comma-separated. Set this or `REFRESH_MANAGEMENT_GROUP`.",
        values.listed(values.guid),
    ),
    Setting(
        "REFRESH_MANAGEMENT_GROUP",
        "management_group",
        "",
        "Name of a management group whose subscriptions may be in scope. Set this or `REFRESH_SUBSCRIPTIONS`.",
        values.management_group,
    ),
    Setting(
        "REFRESH_GALLERIES",
        "galleries",
        "",
        "Full ids of the Compute Galleries that disks are made from, comma-separated.",
        values.listed(values.gallery),
    ),
    Setting(
        "REFRESH_IMAGES",
        "images",
        "images.toml",
        "File that describes image definitions and how their versions are published, relative to the app's folder.",
        values.folder,
    ),
    Setting(
        "REFRESH_SCHEDULE",
        "refresh_schedule",
        "0 0 2 1 * *",
        "When the monthly refresh runs (NCRONTAB, UTC).",
        schedules.schedule,
    ),
    Setting(
        "SWEEP_SCHEDULE",
        "sweep_schedule",
        "0 */5 * * * *",
        "When the sweep compares every VM's tag with its OS disk (NCRONTAB).",
        schedules.schedule,
    ),
    Setting(
        "PURGE_SCHEDULE",
        "purge_schedule",
        "0 30 3 * * *",
        "When runs older than `REFRESH_HISTORY_DAYS` are deleted (NCRONTAB).",
        schedules.schedule,
    ),
    Setting(
        "RETENTION_SCHEDULE",
        "retention_schedule",
        "0 0 4 * * 0",
        "When to check for unneeded disks and image versions (NCRONTAB).",
        schedules.schedule,
    ),
    Setting(
        "REFRESH_RETENTION",
        "retention",
        "list",
        "`list`: the timer lists what could be deleted; `delete`: the timer deletes it.",
        values.one_of("list", "delete"),
    ),
    Setting(
        "REFRESH_KEEP_DISKS",
        "keep_disks",
        "2",
        "Number of newest spare disks of each VM that are never deleted.",
        values.between(1, 100),
    ),
    Setting(
        "REFRESH_KEEP_DISKS_DAYS",
        "keep_disks_days",
        "35",
        "Days after a disk was made, and after it was last in use, before it may be deleted.",
        values.between(1, 3650),
    ),
    Setting(
        "REFRESH_KEEP_VERSIONS",
        "keep_versions",
        "3",
        "Number of newest good versions of each image definition that are never deleted.",
        values.between(1, 1000),
    ),
    Setting(
        "REFRESH_KEEP_VERSIONS_DAYS",
        "keep_versions_days",
        "35",
        "Days after an image version was published before it may be deleted.",
        values.between(1, 3650),
    ),
    Setting(
        "REFRESH_ROLLOUT",
        "rollout",
        "manual",
        "`manual`: people edit `OsDiskName`; `auto`: the monthly refresh writes it and swaps.",
        values.one_of("manual", "auto"),
    ),
    Setting(
        "REFRESH_MAX_SWAPS",
        "max_swaps",
        "20",
        "Number of VMs that may be swapped at the same time. VMs that are down are started beside them.",
        values.between(1, MAX_CONCURRENT_ACTIVITIES - ACTIVITIES_BESIDE_SWAPS - MIN_STARTS),
    ),
    Setting(
        "REFRESH_HEALTH_RUNGS",
        "health_rungs",
        ",".join(OPTIONAL),
        "Health signals that count after a start beside power, comma-separated; only agent and probe prove health.",
        values.listed(values.one_of(*OPTIONAL)),
    ),
    Setting(
        "REFRESH_HEALTH_TIMEOUT_S",
        "health_timeout_s",
        "300",
        "Seconds a started VM has to prove its health before the swap is rolled back to the old disk.",
        values.between(HEALTH_TIMEOUT_FROM_S, HEALTH_TIMEOUT_TO_S),
    ),
    Setting(
        "REFRESH_QUARANTINE_AFTER",
        "quarantine_after",
        "2",
        "Number of VMs rolled back from an image version after which no VM is swapped to that version.",
        values.between(1, 1000),
    ),
    Setting(
        "REFRESH_QUARANTINE_SHARE",
        "quarantine_share",
        "10%",
        "Share that these VMs must be of those that got the version this month; both must be reached.",
        values.percent,
    ),
    Setting(
        "REFRESH_CAPACITY_TIMEOUT_S",
        "capacity_timeout_s",
        "7200",
        "Seconds a swap retries a start that Azure has no capacity for; after that the sweep takes the VM over.",
        values.between(60, 86400),
    ),
    Setting(
        "REFRESH_STOP_MODE",
        "stop_mode",
        "deallocate",
        "How a VM is stopped for a swap: `deallocate`, `power-off`, `auto`. A VM's tag `RefreshStopMode` overrides it.",
        values.stop_mode,
    ),
    Setting(
        "REFRESH_DISK_TRUST",
        "disk_trust",
        "group",
        "Disks to swap in: `group`: any free disk of the VM's resource group; `gallery`: only from a configured one.",
        values.one_of("group", "gallery"),
    ),
    Setting(
        "REFRESH_DISK_GROUPS",
        "disk_groups",
        "",
        "Full ids of further resource groups whose disks `OsDiskName` may name, by full id; comma-separated.",
        values.listed(values.group),
    ),
    Setting(
        "REFRESH_PREVIOUS_RESERVED_DAYS",
        "previous_reserved_days",
        "7",
        "Days a VM's previous disk is kept for it after its new disk is proved; 0: only until it is proved.",
        values.between(0, 365),
    ),
    Setting(
        "REFRESH_BUILD_SUBNETS",
        "build_subnets",
        "",
        "Full ids of the subnets, one for each region, in which images are built and tested; none: neither is done.",
        values.listed(values.subnet),
    ),
    Setting(
        "REFRESH_RECIPES",
        "recipes",
        "recipes",
        "Folder with a subfolder for each recipe, relative to the app's folder.",
        values.folder,
    ),
    Setting(
        "REFRESH_HISTORY_DAYS",
        "history_days",
        "90",
        "Days the record of a finished run is kept.",
        values.between(1, 365),
    ),
    Setting(
        "REFRESH_OUTCOME_TOPIC",
        "outcome_topic",
        "",
        "Endpoint of the custom Event Grid topic (CloudEvents schema) that outcomes are published to; none: no events.",
        values.topic,
    ),
    Setting(
        "REFRESH_NOTICE_S",
        "notice_s",
        "0",
        "Seconds of notice between the `starting` event and the stop.",
        values.between(0, MAX_NOTICE_S),
    ),
    Setting(
        "REFRESH_SELFCHECK",
        "selfcheck",
        "off",
        "`required`: no swap before `POST /api/selfcheck` has passed for this package; `off`: no check needed.",
        values.one_of("required", "off"),
    ),
    Setting(
        "REFRESH_ARM_ENDPOINT",
        "arm_endpoint",
        "https://management.azure.com",
        "URL of Azure Resource Manager in the cloud in use; plain http only for a simulator on this machine.",
        values.endpoint,
    ),
    Setting(
        "REFRESH_API_AUTH",
        "api_auth",
        "key",
        "What guards the HTTP API: `key`: function keys; `entra`: App Service authentication, which must be on.",
        values.one_of("key", "entra"),
    ),
    Setting(
        "AZURE_CLIENT_ID",
        "client_id",
        "",
        "Client id of a user-assigned managed identity; none: the system-assigned identity.",
        values.guid,
    ),
)
