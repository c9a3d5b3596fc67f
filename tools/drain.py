"""Around a deployment: `python -m tools.drain` pauses swaps and waits for those under way, `--resume` lets them go on.

Decides what follows when the waiting is over (`brake` says when it is): the deployment goes on, or stops with the VMs
named and the pause put back as it was. `--force` goes on whatever is under way. It does not know what is deployed, nor
where the app is and who may call it (`deployed_app`). Exit code 0: go on; 1: stop.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence

from tools.api_client import ApiError, environment
from tools.azure_cli import CliError
from tools.brake import Brake, Swap
from tools.deployed_app import connect, find_app

WAIT_S = 900.0
POLL_S = 5.0
FORCE = "DEPLOY_FORCE"
"""The environment variable that means `--force`, because azd gives its hooks no arguments."""

RESUME = "python3 -m tools.drain --resume"
_NOT_ALLOWED = (401, 403)


async def before(brake: Brake, *, wait_s: float, force: bool) -> int:
    """Pause and wait; the exit code. Where the deployment must not begin, the pause is put back as it was. ApiError."""
    try:
        left = await brake.pause(0 if force else wait_s)
    except ApiError as error:
        if force:
            return _go_on(error)
        await _put_back(brake)
        raise ApiError(_unasked(error), error.status) from None
    except asyncio.CancelledError:
        await _put_back(brake)
        raise
    if left and not force:
        print(_stop(left, wait_s), file=sys.stderr)
        await _put_back(brake)
        return 1
    if left:
        print(f"--force: the deployment goes on in the middle of {len(left)} swap(s):\n{_listed(left)}")
    else:
        print("swaps are paused, and no VM is between its stop and its verdict")
    if brake.pulled:
        print(f"If the deployment breaks off, the next one takes this pause over; `{RESUME}` ends it.")
    return 0


async def after(brake: Brake) -> int:
    """End the deployment's pause; the exit code. Who may not call the API has not paused anything. ApiError."""
    try:
        print(await brake.release())
    except ApiError as error:
        if error.status not in _NOT_ALLOWED:
            raise ApiError(f"{error}\nSwaps stay paused until the next deployment, or until `{RESUME}`.") from None
        print(f"{error}\nWho deploys may not call the API: this deployment has paused nothing.")
    return 0


def _go_on(error: Exception) -> int:
    print(f"{error}\n--force: the deployment goes on, though the app may not be paused", file=sys.stderr)
    return 0


async def _put_back(brake: Brake) -> None:
    if not brake.pulled:
        return
    try:
        print(await brake.release(), file=sys.stderr)
    except ApiError as error:
        print(f"{error}\nThe app may be paused still: `{RESUME}` ends it.", file=sys.stderr)


def _listed(swaps: Sequence[Swap]) -> str:
    return "\n".join(f"  {each.vm}: {each.step} since {each.since or '?'}, /api/runs/{each.run}" for each in swaps)


def _stop(left: Sequence[Swap], waited_s: float) -> str:
    return (
        f"The deployment stops: after {waited_s / 60:.0f} minutes these VMs are still in their swap:\n{_listed(left)}\n"
        "Each run says what it waits for; deploy again when it is over. To deploy in spite of them: --force, with azd "
        f"{FORCE}=yes in front of the command. A VM whose swap is interrupted stays down longer (docs/deploy.md)."
    )


def _unasked(error: ApiError) -> str:
    cure = (
        "Who deploys must be let in: its object id in API_ALLOWED_PRINCIPALS, or a function key in FUNCTIONS_KEY"
        if error.status in _NOT_ALLOWED
        else "An app that gives no answer may have a VM stopped"
    )
    told = f"To deploy all the same: --force, with azd {FORCE}=yes in front of the command."
    return f"{error}\n{cure}: the deployment stops here. {told}"


def parse(arguments: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
    """The command line, checked; `env` may say `--force`."""
    parser = argparse.ArgumentParser(prog="python -m tools.drain", description="Keep a deployment away from swaps.")
    parser.add_argument("--resume", action="store_true", help="after the deployment: end its pause, and no other")
    parser.add_argument("--force", action="store_true", help="pause, wait for nothing, go on whatever is under way")
    parser.add_argument("--wait-s", type=float, default=WAIT_S, help="seconds to wait for swaps at most")
    parser.add_argument("--poll-s", type=float, default=POLL_S, help="seconds between two looks")
    asked = parser.parse_args(arguments)
    asked.force = asked.force or env.get(FORCE, "").strip().lower() in ("1", "true", "yes")
    return asked


async def run(asked: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Do what the command line says; the exit code. ApiError, CliError, ValueError."""
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
    brake = Brake(connect(env, app), asked.poll_s, lambda line: print(line, flush=True))
    if asked.resume:
        return await after(brake)
    return await before(brake, wait_s=asked.wait_s, force=asked.force)


def main(arguments: Sequence[str]) -> int:
    """The exit code; what went wrong is said on stderr."""
    env = environment()
    try:
        return asyncio.run(run(parse(arguments, env), env))
    except (ApiError, CliError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
