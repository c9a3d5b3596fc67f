"""Ask the app for something, wait, and print what became of it: `python -m tools.refresh swap --vms web01 --dry-run`.

Works against a deployed app (`--app https://… --audience api://…`) and against `make up` (`--app http://127.0.0.1:…`).
The page goes to stdout and, in a GitHub workflow, to the job summary. Exit code 0: done, or the dry run was answered;
1: something needs a look; 2: the request was refused, or nobody answered; 3: still running when the time was up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.api_client import Api, ApiError, environment, headers_of
from tools.api_summary import page_of_dry_run, page_of_run
from tools.azure_cli import CliError

ACTIONS = ("images", "disks", "tags", "swap", "rollback", "refresh")
GOOD = ("succeeded", "not-proven")
DONE, BAD, REFUSED, UNFINISHED = 0, 1, 2, 3
_FLAGS = ("all", "force", "rebuild")
_TEXTS = ("disk", "period", "rollout")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(prog="python -m tools.refresh", description="Ask azure-vm-refresh for something.")
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--app", required=True, help="address of the app, https://… or http://127.0.0.1:<port>")
    parser.add_argument("--audience", default="", help="api://<client id> of the app's registration; empty: no token")
    parser.add_argument("--vms", default="", help="names or full ids, separated by commas or blanks")
    parser.add_argument("--all", action="store_true", help="every VM in scope")
    parser.add_argument("--disk", default="", help="swap: the disk to write into the tag first")
    parser.add_argument("--period", default="", help="a month, YYYYMM")
    parser.add_argument(
        "--rollout", choices=("", "auto", "manual"), default="", help="refresh: go on to tags and swaps"
    )
    parser.add_argument("--force", action="store_true", help="even a disk that was rejected before")
    parser.add_argument("--rebuild", action="store_true", help="images, refresh: another version in the same month")
    parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the end")
    parser.add_argument("--poll-s", type=float, default=15, help="seconds between two looks")
    parser.add_argument("--timeout-s", type=float, default=4 * 3600, help="seconds to wait at most")
    return parser.parse_args(arguments)


def body_of(asked: argparse.Namespace) -> dict[str, Any]:
    """The request's body: only what was said, so that the app's own defaults stand."""
    vms = asked.vms.replace(",", " ").split()
    body: dict[str, Any] = {"vms": vms} if vms else {}
    body |= {name: True for name in _FLAGS if getattr(asked, name)}
    body |= {name: getattr(asked, name) for name in _TEXTS if getattr(asked, name)}
    return body | ({"dryRun": True} if asked.dry_run else {})


async def wait_for(api: Api, run: str, *, poll_s: float, timeout_s: float) -> Mapping[str, Any]:
    """The run's record once it has ended, or as it stands when the time is up; what may pass is asked again."""
    left = max(1, round(timeout_s / poll_s))
    while True:
        left -= 1
        try:
            record = await api.call("GET", f"/api/runs/{run}")
            if record["status"] != "running" or left <= 0:
                return record
            pause_s = poll_s
        except ApiError as error:
            # The run's instance is written a moment after the answer that names it.
            if left <= 0 or not (error.may_pass or error.status == 404):
                raise
            pause_s = max(poll_s, error.retry_after_s or 0)
        await asyncio.sleep(pause_s)


async def ask(asked: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Do what the command line says; the exit code. ApiError, CliError."""
    api = Api(asked.app, headers_of(env, asked.audience))
    answer = await api.call("POST", f"/api/{asked.action}", body_of(asked))
    if asked.dry_run:
        tell(page_of_dry_run(answer, asked.action), env)
        return DONE
    print(f"{answer['id']} has begun", file=sys.stderr, flush=True)
    if asked.no_wait:
        return DONE
    record = await wait_for(api, str(answer["id"]), poll_s=asked.poll_s, timeout_s=asked.timeout_s)
    tell(page_of_run(record), env)
    if record["status"] == "running":
        return UNFINISHED
    return DONE if record["status"] in GOOD else BAD


def tell(page: str, env: Mapping[str, str]) -> None:
    """Print the page, and add it to the job summary when there is one."""
    print(page)
    summary = env.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(page + "\n")


def main(arguments: Sequence[str]) -> int:
    """The exit code; what went wrong is said on stderr."""
    try:
        return asyncio.run(ask(parse(arguments), environment()))
    except (ApiError, CliError) as error:
        print(error, file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
