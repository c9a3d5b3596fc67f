"""Runs the stories of `tests/support/engine` on Microsoft's engine and stores their answers for the hub's tests.

    python -m tests.commands.engine_answers                     every story, in two minutes
    python -m tests.commands.engine_answers --only entities     stories whose name contains the text; others stay stored

Needs the engine's program and Azurite. Read the changed files before you commit them: the answer of a story that failed
contains the failure.
"""

from __future__ import annotations

import argparse
import sys

from tests.support.engine.answers import FOLDER, keep, kept
from tests.support.engine.run_stories import on_the_engine
from tests.support.engine.worlds import WORLDS


def main() -> int:
    """Run the stories and store the answers; the exit code is 1 when a story failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only the stories whose name contains this")
    parser.add_argument("--at-once", type=int, default=6, help="how many stories run on the engine at the same time")
    typed = parser.parse_args()
    failed = []
    for name, world in WORLDS.items():
        chosen = [story for story in world.stories if typed.only in story]
        if not chosen:
            continue
        before = kept(name) if (FOLDER / f"{name}.json").is_file() else {}
        played = on_the_engine(world, chosen, at_once=typed.at_once)
        keep(name, {story: played.get(story, before.get(story)) for story in world.stories})
        failed += [story for story, answer in played.items() if "the story itself failed" in answer]
        print(f"{name}: {len(played)} stories", flush=True)
    for story in failed:
        print(f"failed: {story}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
