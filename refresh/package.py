"""Which package this is: what a self-check that has passed is worth nothing without.

Decides what makes two deployments the same: the code, host.json (it names the extension bundle) and requirements.txt.
Images, recipes and settings do not: they change without a deployment. Refuses to know what is checked.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder of the deployed app, with `function_app.py`, `recipes` and `images.toml`."""

_FILES = ("function_app.py", "host.json", "requirements.txt")


@cache
def fingerprint() -> str:
    """12 hexadecimal digits, the same for the same files; read once in a process."""
    paths = [*(ROOT / name for name in _FILES), *sorted((ROOT / "refresh").rglob("*.py"))]
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.exists() else b""
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


@cache
def bundle() -> str:
    """The extension bundle that host.json asks for: its id and range of versions; which of them Azure took, it does
    not tell an app.

    https://learn.microsoft.com/azure/azure-functions/extension-bundles
    """
    asked = json.loads((ROOT / "host.json").read_text(encoding="utf-8")).get("extensionBundle") or {}
    return f"{asked.get('id', 'none')} {asked.get('version', '')}".strip()
