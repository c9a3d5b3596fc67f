"""`make histories`: runs every story again and stores the events and actions of each orchestration.

Run it only after an intended change of what orchestrations request: `docs/development.md` describes what happens to
orchestrations under way.
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
from tests.support.histories.recorded_story import RecordedStory
from tests.support.histories.recorder import TurnRecorder, finish
from tests.support.histories.replay_orchestrations import Orchestrator
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


def record(story: RecordedStory) -> list[History]:
    """Run a story and return its histories that are to be stored."""
    recorders: list[TurnRecorder] = []

    def wrap(worker: Worker) -> Worker:
        recorders.append(TurnRecorder(worker))
        return recorders[-1]

    async def main(clock: Clock) -> None:
        async with local_azure(clock, story.fleet, settings=story.settings) as azure:
            azure.hub.wrap_worker(wrap)
            await story.run(azure)

    run(main, Clock("virtual", start=START))
    found = []
    for name, kept in story.kept.items():
        for which, title in kept:
            history = recorders[0].history(name, which, title)
            finish(history, ORCHESTRATORS[name])
            found.append(history)
    return found


def main() -> int:
    """Record every story, and delete the stored histories that no story produces."""
    logging.disable(logging.CRITICAL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    histories = [history for story in STORIES for history in record(story)]
    for path in {*FOLDER.glob("*.json")} - {history.file for history in histories}:
        path.unlink()
    for history in histories:
        history.file.write_text(history.dump(), encoding="utf-8")
        print(f"{history.file.name}: {len(history.turns)} turns", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
