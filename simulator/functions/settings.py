"""App settings: the app's environment, `%NAME%` in bindings, and settings that disable functions.

Decides how a setting is looked up. Does not know the settings of any app.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_NAME = re.compile(r"%([^%]*)%")


class UnknownSetting(ValueError):
    """A binding names an app setting that does not exist; `setting` is its name."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"the app setting {setting} does not exist")
        self.setting = setting


@contextmanager
def applied(settings: Mapping[str, str]) -> Iterator[None]:
    """Put settings into the environment inside the block and restore it afterwards."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace each `%NAME%` by its setting. UnknownSetting names the first missing one.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns#binding-expressions---app-settings
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise UnknownSetting(match[1])
        return settings[match[1]]

    return _NAME.sub(value, text)


def is_disabled(function_name: str, settings: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.<function>.Disabled` is `true` or `1`; `__` may replace the dots, as on Linux.

    https://learn.microsoft.com/azure/azure-functions/disable-function
    """
    names = (f"AzureWebJobs.{function_name}.Disabled", f"AzureWebJobs__{function_name}__Disabled")
    return any(settings.get(name, "").strip().lower() in ("true", "1") for name in names)
