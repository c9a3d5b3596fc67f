"""Runs `az` and `azd` for the steps of a deployment.

Decides that answers are JSON, and that a failed command raises an error with Azure's message.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from typing import Any


class CliError(Exception):
    """A command failed; the text is the command and its error."""


def run(program: str, *arguments: str) -> str:
    """Run `az` or `azd`; its standard output. CliError with its error when it fails."""
    found = shutil.which(program)
    if found is None:
        raise CliError(f"{program} is not on the PATH: install it, see docs/deploy.md")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 # ours
    if done.returncode != 0:
        raise CliError(f"{shlex.join((program, *arguments))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def az(*arguments: str) -> Any:
    """The JSON that `az` prints; None when it prints nothing. CliError."""
    printed = run("az", *arguments, "--output", "json", "--only-show-errors")
    return json.loads(printed) if printed.strip() else None
