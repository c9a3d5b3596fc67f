"""Writes the resources that each example in infra/examples deploys beside it: `python -m tests.commands.snapshots`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.infra.bicep import EXAMPLES, example

NAMES = sorted(path.stem for path in EXAMPLES.glob("*.bicepparam"))


def kept(name: str) -> Path:
    """The path of an example's stored snapshot."""
    return EXAMPLES / f"{name}.snapshot.json"


def main() -> int:
    """Write every snapshot; exit code 0."""
    for name in NAMES:
        kept(name).write_text(example(name).text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
