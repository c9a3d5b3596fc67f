"""Start a run of the app, wait for it and print the result: `python -m tools.refresh swap --vms web01 --dry-run`.

Works against a deployed app (`--app https://… --audience api://…`) and against `make up` (`--app http://127.0.0.1:…`).
The page goes to stdout and, in a GitHub workflow, to the job summary. Exit code 0: done, or the dry run was answered;
1: a VM or the run needs attention; 2: wrong arguments, a refused request, or no answer; 3: not ended at the timeout.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.api_client import Api, ApiError, environment, headers_of
from tools.shared.api_summary import page_of_dry_run, page_of_run
from tools.shared.azure_cli import CliError
from tools.shared.command_line import Parser, positive, run_command

ACTIONS = ("images", "disks", "tags", "swap", "adopt", "rollback", "refresh")
GOOD = ("succeeded", "not-proven")
DONE, BAD, REFUSED, UNFINISHED = 0, 1, 2, 3
_FLAGS = ("all", "force", "rebuild")
_TEXTS = ("disk", "period", "rollout")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line, checked."""
    reads = (
        "FUNCTIONS_KEY without --audience; in a GitHub workflow AZURE_TENANT_ID and AZURE_CLIENT_ID with it, else the "
        "Azure CLI's sign-in"
    )
    parser = Parser("refresh", "Start a run of the app, wait for it and print the result.", reads=reads)
    parser.add_argument("action", choices=ACTIONS, help="the request of the HTTP API (docs/api.md)")
    parser.add_argument("--app", required=True, help="address of the app, https://... or http://127.0.0.1:<port>")
    parser.add_argument("--audience", default="", help="api://<client id> of the app's registration; empty: no token")
    parser.add_argument("--vms", default="", help="names or full ids of VMs, separated by commas or blanks")
    parser.add_argument("--all", action="store_true", help="every VM in scope")
    parser.add_argument("--disk", default="", help="swap: the disk to write into the tag OsDiskName first")
    parser.add_argument("--period", default="", help="a month, YYYYMM")
    parser.add_argument(
        "--rollout", choices=("", "auto", "manual"), default="", help="refresh: auto goes on to tags and swaps"
    )
    parser.add_argument("--force", action="store_true", help="accept a disk that was rejected before")
    parser.add_argument("--rebuild", action="store_true", help="images, refresh: another version in the same month")
    parser.add_argument("--dry-run", action="store_true", help="only print what would happen")
    parser.add_argument("--no-wait", action="store_true", help="do not wait for the end")
    parser.add_argument("--poll-s", type=positive, default=15, help="seconds between reads (default %(default)s)")
    parser.add_argument("--timeout-s", type=positive, default=4 * 3600, help="seconds to wait (default %(default)s)")
    return parser.parse_args(arguments)


def body_of(asked: argparse.Namespace) -> dict[str, Any]:
    """The request's body: only the given options, so that the app's defaults apply to the others."""
    vms = asked.vms.replace(",", " ").split()
    body: dict[str, Any] = {"vms": vms} if vms else {}
    body |= {name: True for name in _FLAGS if getattr(asked, name)}
    body |= {name: getattr(asked, name) for name in _TEXTS if getattr(asked, name)}
    return body | ({"dryRun": True} if asked.dry_run else {})


async def wait_for(api: Api, run: str, *, poll_s: float, timeout_s: float) -> Mapping[str, Any]:
    """The run's record when it has ended or `timeout_s` is over; passing errors are retried. ApiError."""
    left = max(1, round(timeout_s / poll_s))
    while True:
        left -= 1
        try:
            record = await api.call("GET", f"/api/runs/{run}")
            if record["status"] != "running" or left <= 0:
                return record
            pause_s = poll_s
        except ApiError as error:
            # The run's instance is stored a moment after the answer with its id.
            if left <= 0 or not (error.may_pass or error.status == 404):
                raise
            pause_s = max(poll_s, error.retry_after_s or 0)
        await asyncio.sleep(pause_s)


async def ask(asked: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Carry out the command line; the exit code. ApiError, CliError."""
    api = Api(asked.app, headers_of(env, asked.audience))
    answer = await api.call("POST", f"/api/{asked.action}", body_of(asked))
    if asked.dry_run:
        publish(page_of_dry_run(answer, asked.action), env)
        return DONE
    hint = "" if asked.no_wait else "; Ctrl-C ends the wait, not the run"
    print(f"{answer['id']} has begun{hint}", file=sys.stderr, flush=True)
    if asked.no_wait:
        return DONE
    record = await wait_for(api, str(answer["id"]), poll_s=asked.poll_s, timeout_s=asked.timeout_s)
    publish(page_of_run(record), env)
    if record["status"] == "running":
        return UNFINISHED
    return DONE if record["status"] in GOOD else BAD


def publish(page: str, env: Mapping[str, str]) -> None:
    """Print the page, and append it to the job summary if there is one."""
    print(page)
    summary = env.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(page + "\n")


def main(arguments: Sequence[str]) -> int:
    """The exit code; errors go to stderr."""
    try:
        return asyncio.run(ask(parse(arguments), environment()))
    except (ApiError, CliError) as error:
        print(error, file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(run_command(main))
