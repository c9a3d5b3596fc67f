"""`make histories`: tells every story again and stores what each orchestration was told and asked for.

Only after a change that is meant to change what orchestrations ask for: see `docs/development.md` on what becomes of
those under way.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from refresh.orchestrations.disks import create_disks, refresh_month, write_tags
from refresh.orchestrations.images import build_image, create_images
from refresh.orchestrations.recipes import build_vm, prove_version, run_recipe
from refresh.orchestrations.retention import apply_retention
from refresh.orchestrations.selfcheck import answer_selfcheck, selfcheck
from refresh.orchestrations.swap import look, swap_vm, swap_vms
from simulator.clock import Clock, run
from simulator.durable import Worker
from tests.support.histories.histories import FOLDER, History
from tests.support.histories.recorder import Witness, finish
from tests.support.histories.replay_orchestrations import Orchestrator
from tests.support.histories.story import Told
from tests.support.histories.swap_stories import STORIES
from tests.support.worlds.local_azure import local_azure

START = datetime(2026, 11, 1, 2, tzinfo=UTC)
ORCHESTRATORS: Mapping[str, Orchestrator] = {
    "apply_retention": apply_retention.apply_retention,
    "answer_selfcheck": answer_selfcheck.answer_selfcheck,
    "build_image": build_image.build_image,
    "build_vm": build_vm.build_vm,
    "create_disks": create_disks.create_disks,
    "create_images": create_images.create_images,
    "look": look.look,
    "prove_version": prove_version.prove_version,
    "refresh_month": refresh_month.refresh_month,
    "run_recipe": run_recipe.run_recipe,
    "selfcheck": selfcheck.selfcheck,
    "swap_vm": swap_vm.swap_vm,
    "swap_vms": swap_vms.swap_vms,
    "write_tags": write_tags.write_tags,
}


def record(told: Told) -> list[History]:
    """Tell a story and give the histories of it that are kept."""
    witnesses: list[Witness] = []

    def stand_by(worker: Worker) -> Worker:
        witnesses.append(Witness(worker))
        return witnesses[-1]

    async def main(clock: Clock) -> None:
        async with local_azure(clock, told.fleet, settings=told.settings) as azure:
            azure.hub.wrap_worker(stand_by)
            await told.tale(azure)

    run(main, Clock("virtual", start=START))
    found = []
    for name, kept in told.kept.items():
        for which, story in kept:
            history = witnesses[0].history(name, which, story)
            finish(history, ORCHESTRATORS[name])
            found.append(history)
    return found


def main() -> int:
    """Record everything, and forget what nobody tells any more."""
    logging.disable(logging.CRITICAL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    histories = [history for told in STORIES for history in record(told)]
    for path in {*FOLDER.glob("*.json")} - {history.file for history in histories}:
        path.unlink()
    for history in histories:
        history.file.write_text(history.dump(), encoding="utf-8")
        print(f"{history.file.name}: {len(history.turns)} turns", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
