"""Prints, at the end of a run, how many recorded interactions the simulator answered as Azure did."""

from __future__ import annotations

import pytest

from tests.support.recordings.scoreboard import SCORES, Scoreboard


@pytest.fixture(scope="session")
def scoreboard(pytestconfig: pytest.Config) -> Scoreboard:
    """Collects the results of the tests in this folder."""
    return pytestconfig.stash.setdefault(SCORES, Scoreboard())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the pass rate and the known differences."""
    board = config.stash.get(SCORES, None)
    if board is None or not board.results:
        return
    terminalreporter.section("recorded Azure traffic")
    for line in board.report():
        terminalreporter.write_line(line)
