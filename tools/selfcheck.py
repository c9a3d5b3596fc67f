"""After a deployment: start the app's self-check and wait until it passes (`python -m tools.selfcheck`).

Decides how long a new deployment gets: role assignments take minutes to take effect. Does not know what is checked.
Values come from azd's environment. Exit code 0: it passed, or the identity that deploys may not call the API, in which
case the app's sweep runs the self-check within minutes; 1: it did not pass; 2: wrong arguments. For a self-check that
does not end, the page lists what it waits for.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.refresh import wait_for
from tools.shared.api_client import Api, ApiError, environment, headers_of
from tools.shared.api_summary import page_of_checks
from tools.shared.azure_cli import CliError
from tools.shared.command_line import Parser, run_command

WAIT_S = 900.0
PAUSE_S = 60.0
# A self-check ends within a minute; one that still runs after this time does not end by itself.
ENDS_WITHIN_S = 90.0
_NOT_ALLOWED = (401, 403)


async def run_until_passed(api: Api, *, wait_s: float, pause_s: float) -> Mapping[str, Any]:
    """The record of the self-check that passed, or of the last one after `wait_s` seconds. ApiError."""
    left = max(1, round(wait_s / pause_s))
    while True:
        left -= 1
        try:
            begun = await api.call("POST", "/api/selfcheck", {})
            limit_s = min(wait_s, ENDS_WITHIN_S)
            record = await wait_for(api, str(begun["id"]), poll_s=min(5.0, pause_s), timeout_s=limit_s)
            if record["status"] == "running":
                record = await explain_stuck(api, record)
            if record["status"] == "succeeded" or left <= 0:
                return record
        except ApiError as error:
            if left <= 0 or error.status in _NOT_ALLOWED:
                raise
        await asyncio.sleep(pause_s)


async def explain_stuck(api: Api, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record of a run that does not end, as failed and with what it waits for. ApiError."""
    view = await api.call("GET", "/api/selfcheck")
    rows = [row for row in view.get("standing") or () if not row["ok"]]
    waiting = ", ".join((view.get("running") or {}).get("waiting_for") or ()) or "its first turn"
    message = f"it has not ended after {ENDS_WITHIN_S:.0f} s and waits for {waiting}"
    rows = rows or [
        {"name": "selfcheck", "ok": False, "message": message, "cure": "restart the app and run the self-check again"}
    ]
    return {"package": view["package"], "bundle": view["bundle"], **record, "status": "failed", "checks": rows}


async def ask(env: Mapping[str, str], *, wait_s: float = WAIT_S, pause_s: float = PAUSE_S) -> int:
    """Run the self-check and print the page; the exit code. ApiError, CliError, ValueError."""
    address = env.get("FUNCTION_APP_URL", "")
    if not address:
        raise ValueError("FUNCTION_APP_URL: not in the environment; run `azd provision` first")
    try:
        api = Api(address, headers_of(env, env.get("API_AUDIENCE", "")))
        record = await run_until_passed(api, wait_s=wait_s, pause_s=pause_s)
    except ApiError as error:
        if error.status not in _NOT_ALLOWED:
            raise
        print(f"{error}\nThe app's sweep runs the self-check within five minutes; see GET {address}/api/selfcheck.")
        return 0
    print(page_of_checks(record))
    return 0 if record["status"] == "succeeded" else 1


def main(arguments: Sequence[str] = ()) -> int:
    """The exit code; errors go to stderr."""
    reads = "FUNCTION_APP_URL, API_AUDIENCE, FUNCTIONS_KEY"
    Parser("selfcheck", "Run the app's self-check until it passes.", reads=reads).parse_args(arguments)
    try:
        return asyncio.run(ask(environment()))
    except (ApiError, CliError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(run_command(main))
