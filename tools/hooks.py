"""azd's hooks (azure.yaml): `python -m tools.hooks <hook>` runs the steps of one, the same on every system.

Decides their order, and that the last step of a hook runs whatever became of those before it: a pause does not outlive
its deployment because the self-check failed. Whether swaps may begin on the new package is the self-check's to decide.
`azd provision` pauses as well, because a changed setting restarts the app; it resumes by itself, because azd does not
say whether a deployment follows. It does not know what a step does. The exit code is the first that is not 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from tools import drain, events, providers, registration, selfcheck

type Step = Callable[[], int]

_PAUSE, _RESUME = partial(drain.main, ()), partial(drain.main, ("--resume",))
HOOKS: Mapping[str, tuple[tuple[Step, ...], Step | None]] = {
    # Entra needs an app registration before Bicep can name it; there is no ARM resource for one.
    "preprovision": ((registration.main, providers.main, _PAUSE), None),
    "postprovision": ((), _RESUME),
    "predeploy": ((_PAUSE,), None),
    # Event Grid takes a function as destination only once it is deployed.
    "postdeploy": ((events.main, selfcheck.main), _RESUME),
}


def run_hook(steps: Sequence[Step], last: Step | None) -> int:
    """Run `steps` until one fails, then `last` in any case; the first exit code that is not 0, else 0."""
    code = next((code for step in steps if (code := step())), 0)
    ended = last() if last is not None else 0
    return code or ended


def main(arguments: Sequence[str]) -> int:
    """Run the hook that is named; its exit code, 2 for a hook that azure.yaml does not have."""
    if len(arguments) != 1 or arguments[0] not in HOOKS:
        print(f"name one of {', '.join(HOOKS)}", file=sys.stderr)
        return 2
    return run_hook(*HOOKS[arguments[0]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
