"""The Azure CLI as a function: what the deployment's own steps ask Azure with.

Decides that an answer is JSON and that a refusal ends the step with Azure's own words. Refuses to know what is asked.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any


class CliError(Exception):
    """A command failed; the text is the command and what it said."""


def run(program: str, *arguments: str) -> str:
    """Run `az` or `azd` and answer what it printed. CliError with what it said when it failed."""
    found = shutil.which(program)
    if found is None:
        raise CliError(f"{program} is not on the PATH: install it, see docs/deploy.md")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 # ours
    if done.returncode != 0:
        raise CliError(f"{program} {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def az(*arguments: str) -> Any:
    """What `az` answers, read as JSON; None when it says nothing."""
    said = run("az", *arguments, "--output", "json", "--only-show-errors")
    return json.loads(said) if said.strip() else None
