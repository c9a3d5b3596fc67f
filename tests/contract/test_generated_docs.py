"""The generated pages equal what the command writes now."""

from __future__ import annotations

import pytest

from refresh.settings.table import SETTINGS
from refresh.triggers.http.routes import ROUTES
from tests.commands.docs import DOCS, PAGES
from tests.support.pages.api_texts import FIELDS, REQUESTS
from tests.support.pages.routes import name_of, takes_of
from tests.support.pages.settings_page import HEADINGS, accepted_by


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_command_writes(name: str) -> None:
    """A changed setting or route appears on its page: `make docs` writes the page."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} is old: run make docs"


def test_every_request_is_explained_and_no_other() -> None:
    """Every route and every field has an explanation, and no explanation belongs to a removed one."""
    assert list(REQUESTS) == [name_of(route) for route in ROUTES]
    assert {field for route in ROUTES for field in takes_of(route).fields} == set(FIELDS)


def test_a_route_lists_what_it_accepts() -> None:
    """A route lists the fields of its body with accepted values, its query parameters, and whether it must name VMs."""
    takes = {name_of(route): takes_of(route) for route in ROUTES}
    swap = takes["POST /api/swap"]
    assert swap.must_name_vms
    assert swap.fields["force"] == "true or false"
    assert "@previous" in swap.fields["disk"]
    assert not takes["POST /api/disks"].must_name_vms
    assert set(takes["GET /api/vms"].fields) == {"vm", "after", "drift"}
    assert takes["GET /api/queue"].fields == takes["POST /api/selfcheck"].fields == {}


def test_settings_stand_below_a_heading_with_what_they_accept() -> None:
    """The first setting begins a section, no heading is unused, and each parser has its text of accepted values."""
    names = [setting.name for setting in SETTINGS]
    assert names[0] in HEADINGS
    assert [name for name in names if name in HEADINGS] == list(HEADINGS)
    accepts = {setting.name: accepted_by(setting) for setting in SETTINGS}
    assert accepts["REFRESH_STOP_MODE"] == "deallocate or power-off or auto"
    assert accepts["REFRESH_KEEP_DISKS"] == "a whole number from 1 to 100"
