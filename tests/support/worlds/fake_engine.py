"""A program in place of the Durable engine, for tests of its start and end.

Implements the start of the engine's protocol: reads one JSON line, prints `{"rpc"}`, ends when its input closes. The
printed address is not an endpoint; it contains the task hub, the instance id and the process id.
"""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import json, os, sys
setup = json.loads(sys.stdin.readline())
print("starting", flush=True)
if {fails}:
    sys.exit("no storage")
parts = [setup["taskHub"], os.environ["RoleInstanceId"], str(os.getpid())]
print(json.dumps({{"rpc": "http://127.0.0.1/" + "/".join(parts)}}), flush=True)
sys.stdin.read()
"""


def make_engine(folder: Path, *, fails: bool = False) -> Path:
    """Write the program into `folder` and return its path; with `fails` it ends before it is ready."""
    path = folder / "engine"
    path.write_text(_PROGRAM.format(python=sys.executable, fails=fails))
    path.chmod(0o755)
    return path
