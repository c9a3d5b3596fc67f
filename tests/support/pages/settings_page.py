"""Generates docs/settings.md from the table of settings.

Decides the headings and the introduction. Takes the settings and their accepted values from the table and its parsers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from refresh.settings.table import SETTINGS, Setting
from tests.support.pages.markdown import literal, table

HEADINGS: Mapping[str, str] = {
    "REFRESH_SUBSCRIPTIONS": "Scope and images",
    "REFRESH_SCHEDULE": "Schedules",
    "REFRESH_RETENTION": "Retention",
    "REFRESH_ROLLOUT": "Rollout and swaps",
    "REFRESH_DISK_TRUST": "Trust",
    "REFRESH_BUILD_SUBNETS": "Image builds",
    "REFRESH_HISTORY_DAYS": "History, events, self-check",
    "REFRESH_ARM_ENDPOINT": "Platform",
}
"""The headings, each by its first setting, in the order of the table."""

# No setting accepts this text; the parser's error names what it accepts.
_BAD_TEXT = "\0"

_HEAD = """# Settings

*Generated from the table of settings by `make docs`; edit the table, not this page.*

Settings are app settings (environment variables) of the function app. With `infra/` they are the parameter `settings`
of `main.bicep`; locally they are environment variables. An empty value means the default. The app checks all settings
at once and reports every error with its remedy; while one is wrong, requests are answered with the problem
`wrong-settings`. There are no secrets among them: the app signs in with its managed identity.

Some settings depend on each other: exactly one of `REFRESH_SUBSCRIPTIONS` and `REFRESH_MANAGEMENT_GROUP` is set;
`REFRESH_DISK_TRUST=gallery` needs `REFRESH_GALLERIES`; `REFRESH_NOTICE_S` needs `REFRESH_OUTCOME_TOPIC`.
"""

_BUILT_IN = (
    "`true`. The Durable library registers this function; it can fetch identity tokens, and the app does not use it."
)
_PLATFORM = (
    (
        "`TASK_HUB_NAME`",
        "The name of the durable task hub. Two apps on one storage account need two names. "
        "[Never change it](upgrade.md#what-never-changes) while swaps are under way.",
    ),
    ("`AzureWebJobs.BuiltIn__HttpActivity.Disabled`", _BUILT_IN),
    ("`AzureWebJobs.BuiltIn__HttpPollOrchestrator.Disabled`", _BUILT_IN),
)


def settings_page() -> str:
    """The whole page."""
    platform = table(("setting", "value"), _PLATFORM)
    return "\n".join((_HEAD, *_sections(), f"## Settings of the host\n\n{platform}"))


def accepted_by(setting: Setting) -> str:
    """The accepted values of the setting, from its parser's error. AssertionError when it accepts any text."""
    try:
        setting.parse(_BAD_TEXT)
    except ValueError as fault:
        return str(fault).removeprefix("must be ").removeprefix("must have ")
    raise AssertionError(f"{setting.name} accepts any text")


def _sections() -> Iterator[str]:
    heading = ""

    def heading_of(setting: Setting) -> str:
        nonlocal heading
        heading = HEADINGS.get(setting.name, heading)
        return heading

    for name, settings in groupby(SETTINGS, heading_of):
        yield f"## {name}\n\n{table(('setting', 'default', 'meaning', 'accepts'), map(_row, settings))}"


def _row(setting: Setting) -> tuple[str, ...]:
    default = f"`{setting.default}`" if setting.default else "none"
    return f"`{setting.name}`", default, setting.description, literal(accepted_by(setting))
