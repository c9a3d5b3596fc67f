"""Around a deployment: `python -m tools.drain` pauses swaps and waits for those under way; `--resume` ends the pause.

Decides what follows the wait (`deployment_pause` decides when it ends): the deployment goes on, or it stops, the VMs
are named and the deployment's pause ends. `--force` goes on whatever is under way. Does not know what is deployed;
leaves address and authentication to `deployed_app`. Exit code 0: go on; 1: stop; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.api_client import ApiError, environment
from tools.shared.azure_cli import CliError
from tools.shared.command_line import Parser, positive, run_command
from tools.shared.deployed_app import READS, connect, find_app
from tools.shared.deployment_pause import DeploymentPause, Swap

WAIT_S = 900.0
POLL_S = 5.0
FORCE = "DEPLOY_FORCE"
"""The environment variable that means `--force`, because azd passes no arguments to its hooks."""

RESUME = "python3 -m tools.drain --resume"
_NOT_ALLOWED = (401, 403)


async def before(pause: DeploymentPause, *, wait_s: float, force: bool) -> int:
    """Pause and wait; the exit code. When the deployment must not begin, its pause is ended. ApiError."""
    try:
        left = await pause.pause(0 if force else wait_s)
    except ApiError as error:
        if force:
            return _go_on(error)
        await _end(pause)
        raise ApiError(_refused(error), error.status) from None
    except asyncio.CancelledError:
        await _end(pause)
        raise
    if left and not force:
        print(_stop(left, wait_s), file=sys.stderr)
        await _end(pause)
        return 1
    if left:
        print(f"--force: the deployment goes on in the middle of {len(left)} swap(s):\n{_listed(left)}")
    else:
        print("swaps are paused, and no VM is between its stop and its verdict")
    if pause.requested:
        print(f"If the deployment breaks off, the next one takes this pause over; `{RESUME}` ends it.")
    return 0


async def after(pause: DeploymentPause) -> int:
    """End the deployment's pause; the exit code. An identity that may not call the API has paused nothing. ApiError."""
    try:
        print(await pause.release())
    except ApiError as error:
        if error.status not in _NOT_ALLOWED:
            raise ApiError(f"{error}\nSwaps stay paused until the next deployment, or until `{RESUME}`.") from None
        print(f"{error}\nThe identity that deploys may not call the API: this deployment has paused nothing.")
    return 0


def _go_on(error: Exception) -> int:
    print(f"{error}\n--force: the deployment goes on, though the app may not be paused", file=sys.stderr)
    return 0


async def _end(pause: DeploymentPause) -> None:
    if not pause.requested:
        return
    try:
        print(await pause.release(), file=sys.stderr)
    except ApiError as error:
        print(f"{error}\nThe app may still be paused: `{RESUME}` ends the pause.", file=sys.stderr)


def _listed(swaps: Sequence[Swap]) -> str:
    return "\n".join(f"  {each.vm}: {each.step} since {each.since or '?'}, /api/runs/{each.run}" for each in swaps)


def _stop(left: Sequence[Swap], waited_s: float) -> str:
    return (
        f"The deployment stops: after {waited_s / 60:.0f} minutes these VMs are still in their swap:\n{_listed(left)}\n"
        "Each run shows what it waits for; deploy again when they have ended. To deploy anyway: --force, with azd "
        f"{FORCE}=yes in front of the command. A VM whose swap is interrupted stays down longer (docs/deploy.md)."
    )


def _refused(error: ApiError) -> str:
    cure = (
        "The identity that deploys needs access: its object id in API_ALLOWED_PRINCIPALS, or a key in FUNCTIONS_KEY"
        if error.status in _NOT_ALLOWED
        else "An app that does not answer may have a VM stopped"
    )
    anyway = f"To deploy anyway: --force, with azd {FORCE}=yes in front of the command."
    return f"{error}\n{cure}: the deployment stops here. {anyway}"


def parse(arguments: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
    """The command line, checked; `env` may have DEPLOY_FORCE, which means `--force`."""
    description = "Pause swaps before a deployment and wait for those under way; afterwards --resume ends the pause."
    parser = Parser("drain", description, reads=f"{FORCE}, {READS}")
    parser.add_argument("--resume", action="store_true", help="after the deployment: end its pause and no other")
    parser.add_argument("--force", action="store_true", help="pause and go on at once, even during a swap")
    parser.add_argument("--wait-s", type=float, default=WAIT_S, help="seconds to wait for swaps (default %(default)s)")
    parser.add_argument("--poll-s", type=positive, default=POLL_S, help="seconds between reads (default %(default)s)")
    asked = parser.parse_args(arguments)
    asked.force = asked.force or env.get(FORCE, "").strip().lower() in ("1", "true", "yes")
    return asked


async def run(asked: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Carry out the command line; the exit code. ApiError, CliError, ValueError."""
    try:
        return await _run(asked, env)
    except CliError as error:
        if asked.resume or not asked.force:
            raise
        return _go_on(error)


async def _run(asked: argparse.Namespace, env: Mapping[str, str]) -> int:
    app = find_app(env)
    if app is None or app.idle:
        print(f"{app.idle if app else 'the app is not deployed yet'}: no swap to wait for")
        return 0
    pause = DeploymentPause(connect(env, app), asked.poll_s, lambda line: print(line, flush=True))
    if asked.resume:
        return await after(pause)
    return await before(pause, wait_s=asked.wait_s, force=asked.force)


def main(arguments: Sequence[str]) -> int:
    """The exit code; errors go to stderr."""
    env = environment()
    try:
        return asyncio.run(run(parse(arguments, env), env))
    except (ApiError, CliError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(run_command(main))
