"""Identifies the deployed package, for which a self-check has passed or not.

Decides what makes two packages equal: the code, host.json (it names the extension bundle) and requirements.txt. Images,
recipes and settings do not count: they change without a deployment. Does not know what the self-check checks.
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
    """12 hexadecimal digits, equal for equal files; computed once in a process."""
    paths = [*(ROOT / name for name in _FILES), *sorted((ROOT / "refresh").rglob("*.py"))]
    digest = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.exists() else b""
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


@cache
def bundle() -> str:
    """The extension bundle in host.json: its id and range of versions. An app cannot see which version Azure uses.

    https://learn.microsoft.com/azure/azure-functions/extension-bundles
    """
    found = json.loads((ROOT / "host.json").read_text(encoding="utf-8")).get("extensionBundle") or {}
    return f"{found.get('id', 'none')} {found.get('version', '')}".strip()
