"""Every setting of the app in one table: its name, default, meaning and what it may say.

Decides names, defaults and bounds; everybody else reads them here (the example file, the README, the infrastructure,
the local host). Refuses to know where the values come from, what is done with them, and which of them contradict each
other: that is `settings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from refresh.domain.health.ladder import OPTIONAL
from refresh.domain.terms.vm_tags import HEALTH_TIMEOUT_FROM_S, HEALTH_TIMEOUT_TO_S
from refresh.settings import values

MAX_CONCURRENT_ACTIVITIES = 64
"""`maxConcurrentActivityFunctions` of host.json: how many activities one instance of the app runs at once."""

ACTIVITIES_BESIDE_SWAPS = 20
"""What is kept free of swaps, so that looks, bulk work and a tag edit get their turn while every swap waits."""

MAX_NOTICE_S = 7200
"""A VM that waits out its notice holds one of `REFRESH_MAX_SWAPS`: longer notices would leave no room for anybody."""


@dataclass(frozen=True)
class Setting:
    """One setting: its environment variable, the field of `Settings` it fills, default, meaning and parser.

    `parse` takes the text and answers the value, or raises ValueError with what it must be. An empty default means
    that there is none.
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
        "Subscriptions whose VMs may be in scope: ids, comma-separated. Either this or `REFRESH_MANAGEMENT_GROUP`.",
        values.listed(values.guid),
    ),
    Setting(
        "REFRESH_MANAGEMENT_GROUP",
        "management_group",
        "",
        "Name of a management group: every subscription below it. Either this or `REFRESH_SUBSCRIPTIONS`.",
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
        "The file that describes image definitions and how their versions are published, relative to the app's folder.",
        values.folder,
    ),
    Setting(
        "REFRESH_SCHEDULE",
        "refresh_schedule",
        "0 0 2 1 * *",
        "When a month is made (NCRONTAB, UTC).",
        values.schedule,
    ),
    Setting(
        "SWEEP_SCHEDULE",
        "sweep_schedule",
        "0 */5 * * * *",
        "When all tags are looked over (NCRONTAB).",
        values.schedule,
    ),
    Setting(
        "PURGE_SCHEDULE",
        "purge_schedule",
        "0 30 3 * * *",
        "When old runs are forgotten (NCRONTAB).",
        values.schedule,
    ),
    Setting(
        "RETENTION_SCHEDULE",
        "retention_schedule",
        "0 0 4 * * 0",
        "When it is looked for disks and image versions that nobody needs any more (NCRONTAB).",
        values.schedule,
    ),
    Setting(
        "REFRESH_RETENTION",
        "retention",
        "list",
        "`list`: the timer only lists what could be deleted; `delete`: it deletes it.",
        values.one_of("list", "delete"),
    ),
    Setting(
        "REFRESH_KEEP_DISKS",
        "keep_disks",
        "2",
        "Newest spare disks of each VM that are never deleted.",
        values.between(1, 100),
    ),
    Setting(
        "REFRESH_KEEP_DISKS_DAYS",
        "keep_disks_days",
        "35",
        "Days since a disk was made, and since it was last in use, before it may be deleted.",
        values.between(1, 3650),
    ),
    Setting(
        "REFRESH_KEEP_VERSIONS",
        "keep_versions",
        "3",
        "Newest good versions of each image definition that are never deleted.",
        values.between(1, 1000),
    ),
    Setting(
        "REFRESH_KEEP_VERSIONS_DAYS",
        "keep_versions_days",
        "35",
        "Days since an image version was published before it may be deleted.",
        values.between(1, 3650),
    ),
    Setting(
        "REFRESH_ROLLOUT",
        "rollout",
        "manual",
        "`manual`: people edit `OsDiskName`; `auto`: the month goes on to write it and swaps.",
        values.one_of("manual", "auto"),
    ),
    Setting(
        "REFRESH_MAX_SWAPS",
        "max_swaps",
        "20",
        "VMs that may be in their downtime window at once.",
        values.between(1, MAX_CONCURRENT_ACTIVITIES - ACTIVITIES_BESIDE_SWAPS),
    ),
    Setting(
        "REFRESH_HEALTH_RUNGS",
        "health_rungs",
        ",".join(OPTIONAL),
        "What is looked at after a start, beside power: any of these, comma-separated; only agent and probe prove.",
        values.listed(values.one_of(*OPTIONAL)),
    ),
    Setting(
        "REFRESH_HEALTH_TIMEOUT_S",
        "health_timeout_s",
        "300",
        "Seconds a started VM has to prove that it is healthy before the old disk comes back.",
        values.between(HEALTH_TIMEOUT_FROM_S, HEALTH_TIMEOUT_TO_S),
    ),
    Setting(
        "REFRESH_QUARANTINE_AFTER",
        "quarantine_after",
        "2",
        "VMs that must be rolled back from an image version before no VM is swapped to it any more.",
        values.between(1, 1000),
    ),
    Setting(
        "REFRESH_CAPACITY_TIMEOUT_S",
        "capacity_timeout_s",
        "7200",
        "Seconds a VM is started again and again while Azure has no room for it, before the sweep goes on with it.",
        values.between(60, 86400),
    ),
    Setting(
        "REFRESH_STOP_MODE",
        "stop_mode",
        "deallocate",
        "How a VM is stopped for a swap: `deallocate` or `power-off`; a VM's tag `RefreshStopMode` wins.",
        values.stop_mode,
    ),
    Setting(
        "REFRESH_DISK_TRUST",
        "disk_trust",
        "group",
        "`group`: any free disk of the VM's resource group; `gallery`: only disks from a configured gallery.",
        values.one_of("group", "gallery"),
    ),
    Setting(
        "REFRESH_DISK_GROUPS",
        "disk_groups",
        "",
        "Full ids of further resource groups whose disks `OsDiskName` may name by full id, comma-separated.",
        values.listed(values.group),
    ),
    Setting(
        "REFRESH_BUILD_SUBNETS",
        "build_subnets",
        "",
        "Full ids of subnets, one for each region, that images are built and proved in; none: neither is done.",
        values.listed(values.subnet),
    ),
    Setting(
        "REFRESH_RECIPES",
        "recipes",
        "recipes",
        "The folder that holds a folder for each recipe, relative to the app's own.",
        values.folder,
    ),
    Setting(
        "REFRESH_HISTORY_DAYS",
        "history_days",
        "90",
        "Days a finished run is remembered.",
        values.between(1, 365),
    ),
    Setting(
        "REFRESH_OUTCOME_TOPIC",
        "outcome_topic",
        "",
        "Endpoint of a custom Event Grid topic (CloudEvents schema) outcomes are published to; none: they are not.",
        values.topic,
    ),
    Setting(
        "REFRESH_NOTICE_S",
        "notice_s",
        "0",
        "Seconds between the published word that a running VM is about to be swapped and its stop.",
        values.between(0, MAX_NOTICE_S),
    ),
    Setting(
        "REFRESH_SELFCHECK",
        "selfcheck",
        "off",
        "`required`: no swap before `POST /api/selfcheck` has passed for this package; `off`: none is waited for.",
        values.one_of("required", "off"),
    ),
    Setting(
        "REFRESH_ARM_ENDPOINT",
        "arm_endpoint",
        "https://management.azure.com",
        "Azure Resource Manager of the cloud in use; plain http for a simulator on this machine only.",
        values.endpoint,
    ),
    Setting(
        "REFRESH_API_AUTH",
        "api_auth",
        "key",
        "What guards the HTTP API: `key`: function keys; `entra`: App Service authentication, on and in front of it.",
        values.one_of("key", "entra"),
    ),
    Setting(
        "AZURE_CLIENT_ID",
        "client_id",
        "",
        "Client id of a user-assigned managed identity; none: system.",
        values.guid,
    ),
)
