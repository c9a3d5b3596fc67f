"""The fixture for tests of the deployment steps: a scripted `az` and `azd`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.infra.scripted_cli import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A scripted `az` and `azd`; the PATH has no other program."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return Cli(tmp_path)
