"""Scripted `az` and `azd`: programs on the PATH that answer from a table and record their arguments.

Decides how an answer is selected. Does not know Azure: the test supplies the answers.
"""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import json, pathlib, sys
home = pathlib.Path({home!r})
log = home / "calls"
earlier = [" ".join(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []
with log.open("a") as calls:
    calls.write(json.dumps([pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]) + "\\n")
for fragment, answer in json.loads((home / "answers").read_text()).items():
    if fragment in " ".join(sys.argv[1:]):
        if isinstance(answer, dict) and list(answer) == ["in order"]:
            series = answer["in order"]
            answer = series[min(sum(fragment in line for line in earlier), len(series) - 1)]
        if isinstance(answer, str) and answer.startswith("refused"):
            sys.exit(answer.removeprefix("refused").strip() or "ERROR: (AuthorizationFailed) no")
        print(json.dumps(answer))
        break
"""


class Cli:
    """Each command prints the first answer whose key is part of its command line; nothing without one.

    An answer that starts with `refused` makes the command fail with the rest as message (default: Azure's for a missing
    right); `{"in order": [...]}` gives one answer after the other, the last one for all further calls.
    """

    def __init__(self, home: Path) -> None:
        """Write both programs into the folder `home`, which must be on the PATH."""
        self.home = home
        for name in ("az", "azd"):
            program = home / name
            program.write_text(SCRIPT.format(python=sys.executable, home=str(home)))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.answers({})

    def answers(self, table: Mapping[str, Any]) -> None:
        """Replace all answers by `table`, by parts of command lines."""
        (self.home / "answers").write_text(json.dumps(table))

    def calls(self, fragment: str) -> list[list[str]]:
        """The arguments of every command so far whose line contains `fragment`, oldest first."""
        path = self.home / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [call[1:] for call in map(json.loads, lines) if fragment in " ".join(call)]
