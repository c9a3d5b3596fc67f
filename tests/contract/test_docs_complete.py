"""Every reason, status, problem, tag, setting, request, event and alert has its entry in docs/."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from refresh.domain.retention.removal_reason import RemovalReason
from refresh.domain.terms import tags
from refresh.domain.terms.month_reason import MonthReason
from refresh.domain.terms.swap_reason import Reason, Wait
from refresh.records.events import EventType
from refresh.settings.table import SETTINGS
from refresh.triggers.http.problem import ProblemKind
from refresh.triggers.http.routes import ROUTES
from refresh.views.runs import STATUSES
from tests.support.infra.bicep import INFRA
from tests.support.pages.routes import name_of

DOCS = Path(__file__).parents[2] / "docs"
# Each heading of results.md with the codes that have rows below it.
REASONS: dict[str, Iterable[str]] = {
    "Reasons of a swap": [*Reason, *Wait],
    "Reasons of images, disks and tags": MonthReason,
    "Reasons of retention": RemovalReason,
    "Errors of the API": [kind.value[0] for kind in ProblemKind],
    "Status": [*STATUSES, "skipped"],
}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text below a heading of the second level."""
    (found,) = re.findall(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(text: str) -> Counter[str]:
    """The codes in the first cells of table rows, with the number of times each occurs."""
    return Counter(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


@pytest.mark.parametrize("heading", REASONS)
def test_every_reason_has_its_row_and_there_are_no_others(heading: str) -> None:
    """Each code that a result can have is explained once, with its meaning and what to do."""
    text = section(page("results.md"), heading)
    assert rows(text) == Counter(str(code) for code in REASONS[heading])
    cells = re.findall(r"^\| `[^`]+` \|(.+)\|$", text, re.MULTILINE)
    assert all(cell.strip() for row in cells for cell in row.split("|")), "a cell is empty"


def test_problems_have_their_status() -> None:
    """The number beside a problem is the HTTP status of the response."""
    text = section(page("results.md"), "Errors of the API")
    shown = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", text, re.MULTILINE))
    assert shown == {name: str(status) for name, status, _ in (kind.value for kind in ProblemKind)}


def test_every_tag_has_its_row_below_its_resource() -> None:
    """Each tag is explained, those of a VM below *On a VM*; there is no row for an unknown tag."""
    text = page("tags.md")
    names = {value for name, value in vars(tags).items() if name.isupper() and isinstance(value, str)}
    names -= {tags.PREVIOUS, tags.CHECKS_PENDING, tags.CHECKS_PASSED, tags.CHECKS_FAILED}
    lun = f"{tags.REFRESH_SOURCE_LUN}<n>"
    assert set(rows(text)) == names - {tags.REFRESH_SOURCE_LUN} | {lun}
    assert rows(section(text, "On a VM")) == Counter(tags.VM_CONTRACT)


@pytest.mark.parametrize("name", tags.NOT_BUILT_YET)
def test_a_tag_that_is_not_built_is_marked(name: str) -> None:
    """A tag that the app refuses by name is documented as not built yet."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", page("tags.md"), re.MULTILINE)
    assert "not built yet" in row


def test_every_setting_has_its_row() -> None:
    """Each setting occurs on its page once."""
    found = rows(page("settings.md"))
    assert all(found[setting.name] == 1 for setting in SETTINGS)


def test_every_request_has_its_heading() -> None:
    """Each route has a heading and a row in the overview."""
    text = page("api.md")
    assert re.findall(r"^### (.+)$", text, re.MULTILINE) == [name_of(route) for route in ROUTES]
    assert re.findall(r"^\| \[`([^`]+)`\]", text, re.MULTILINE) == [name_of(route) for route in ROUTES]


def test_every_event_has_its_row() -> None:
    """The table lists each type of event that is published, and no other."""
    assert rows(page("events.md")) == Counter(str(kind) for kind in EventType)


def alerts() -> dict[str, str]:
    """The name of each alert in infra/, with its title if it has one."""
    found: dict[str, str] = {}
    for path in sorted(INFRA.rglob("*.bicep")):
        text = path.read_text(encoding="utf-8")
        declared = re.findall(
            r"^resource \w+ 'Microsoft\.Insights/(?:scheduledQueryRules|\w+Alerts)@", text, re.MULTILINE
        )
        rules = re.findall(r"^    name: '([a-z-]+)'\n    title: '(.+)'$", text, re.MULTILINE)
        single = re.findall(r"^  name: 'vm-refresh-([a-z-]+)-\$\{", text, re.MULTILINE) if declared else []
        assert not declared or rules or single, f"{path.name}: an alert whose name is not found"
        found |= dict(rules if declared else ()) | dict.fromkeys(single, "")
    return found


def test_every_alert_has_its_heading() -> None:
    """The runbook has a heading with name and title for each alert, its meaning, where to look and what to do."""
    text = page("runbook.md")
    headings = dict(re.findall(r"^## (.+): `([a-z-]+)`$", text, re.MULTILINE))
    known = alerts()
    assert len(known) >= 5
    assert set(headings.values()) == set(known)
    for heading, name in headings.items():
        assert not known[name] or heading == known[name]
        below = section(text, f"{heading}: `{name}`")
        assert all(part in below for part in ("**What it means.**", "**Look at", "**Do"))
