"""The scripted command lines that the steps around a deployment are tried against."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.infra.scripted_cli import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A scripted `az` and `azd`, alone on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return Cli(tmp_path)
