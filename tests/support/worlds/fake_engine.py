"""A program in place of the Durable engine where a test is about starting and ending one, not about durable work.

Speaks the start of the engine's protocol: reads one JSON line, prints `{"rpc"}`, ends when its input closes. The
address it prints is no endpoint; it tells what the program was started with.
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
told = [setup["taskHub"], os.environ["RoleInstanceId"], str(os.getpid())]
print(json.dumps({{"rpc": "http://127.0.0.1/" + "/".join(told)}}), flush=True)
sys.stdin.read()
"""


def make_engine(folder: Path, *, fails: bool = False) -> Path:
    """The program, written into `folder`; with `fails` it ends before it is ready."""
    path = folder / "engine"
    path.write_text(_PROGRAM.format(python=sys.executable, fails=fails))
    path.chmod(0o755)
    return path
