"""azd's hooks (azure.yaml): `python -m tools.hooks <hook>` runs the steps of one, the same on every system.

Decides their order, and that the last step of a hook runs even when one before it failed: a failed self-check does not
keep the app paused. The self-check decides whether swaps may begin on the new package. `azd provision` pauses as well,
because a changed setting restarts the app; it resumes by itself, because azd does not show whether a deployment
follows. Does not know what a step does. The exit code is the first that is not 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import drain, events, providers, registration, selfcheck
from tools.shared.command_line import Parser, run_command

Step = Callable[[], int]

_PAUSE, _RESUME = partial(drain.main, ()), partial(drain.main, ("--resume",))
HOOKS: Mapping[str, tuple[tuple[Step, ...], Step | None]] = {
    # Entra needs an app registration before Bicep can name it; there is no ARM resource for one.
    "preprovision": ((registration.main, providers.main, _PAUSE), None),
    "postprovision": ((), _RESUME),
    "predeploy": ((_PAUSE,), None),
    # Event Grid accepts a function as destination only after it is deployed.
    "postdeploy": ((events.main, selfcheck.main), _RESUME),
}


def run_hook(steps: Sequence[Step], last: Step | None) -> int:
    """Run `steps` until one fails, then `last` in any case; the first exit code that is not 0, else 0."""
    code = next((code for step in steps if (code := step())), 0)
    ended = last() if last is not None else 0
    return code or ended


def main(arguments: Sequence[str]) -> int:
    """Run the named hook; its exit code. SystemExit with code 2 for a hook that azure.yaml does not have."""
    parser = Parser("hooks", "Run the steps of one of azd's hooks, as azure.yaml does.")
    parser.add_argument("hook", choices=tuple(HOOKS), help="the hook, as azure.yaml names it")
    return run_hook(*HOOKS[parser.parse_args(arguments).hook])


if __name__ == "__main__":
    sys.exit(run_command(main))
