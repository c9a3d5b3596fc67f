"""Generates docs/api.md from the route table and the fields that each handler accepts.

Decides the text and order of the page. Does not know the routes, their fields or the accepted values.
"""

from __future__ import annotations

from refresh.triggers.http.routes import ROUTES, Route
from refresh.views.runs import ROW
from refresh.views.vms import FRESH, RECORD, STOP
from tests.support.pages.api_texts import FIELDS, RECORD_FIELDS, REQUESTS
from tests.support.pages.markdown import anchor, literal, table
from tests.support.pages.routes import name_of, takes_of

_HEAD = """# HTTP API

*Generated from the route table and its handlers by `make docs`; edit these, or the texts in `tests/support/pages/`.*

The base address is the function app's. On Azure a caller sends `Authorization: Bearer <token>`
([how to get one](deploy.md#2-call-it)), or with `REFRESH_API_AUTH=key` the header `x-functions-key`. **A function key
is fleet admin.** Locally (`make up`) neither is needed. `python3 -m tools.refresh` makes the same requests, waits for
the end and prints a table.

```sh
curl -s $APP/api/vms                                                                       # every VM, and why
curl -X POST $APP/api/swap    -d '{"vms":["web01"],"disk":"web01-202611","dryRun":true}'   # the plan
curl -X POST $APP/api/refresh -d '{"all":true,"rollout":"auto"}'                           # the whole month, now
```

- Bodies are JSON objects. An unknown or doubled key is an error, and all errors of a request are reported together.
- A `POST` that starts a run answers 202 with `{"id", "status", "href"}`; `GET` on `href` shows its progress. No answer
  carries a key or a signed link.
- With `"dryRun": true` the answer is 200 and nothing changes: `plan` has the record of each VM with `checks`,
  `stop_mode`, `stop_why`, `warnings`, `steps`, expected `down_s` and `new_disk`; `disks_added` and `down_s` are sums.
- Lists are `{"value": [...], "nextLink": ...}`.
- `unread` has a row (`subscription`, `reason`, `message`) for each subscription that could not be read: its VMs or
  disks are missing from the answer, those of the others are there. `GET /api/vms`, `GET /api/orphans` and the plans of
  `disks`, `tags`, `swap`, `rollback` and `refresh` have it, the 202 of `swap` and `rollback` where it is not empty.
- Errors are problem details (RFC 9457) whose `type` is `urn:azure-vm-refresh:problem:` and a name; `errors` lists each
  error ([every problem](results.md#errors-of-the-api)).
"""

_RUN = """## The run record

`id`, `kind`, `status` ([meaning](results.md#status)), `started`, `ended`, `input` and `counts` (VMs by status). `vms`
has a VM record for each VM, with its `status` and
"""

_RUN_MORE = """A run of images has `images` with a row for each definition, a run of retention `resources`, a self-check
`checks`. The record of one swap that has ended has `evidence`, `warnings` and, where a person is needed, `by_hand`:
the `az` commands that finish it, quoted for a POSIX shell (`jq -r '.by_hand[]'` prints them as they are pasted).
"""


def api_page() -> str:
    """The whole page."""
    overview = table(("request", "does"), ((_link(route), REQUESTS[name_of(route)].does) for route in ROUTES))
    of_rows = tuple(field for field in ROW if field not in RECORD)
    return "\n".join(
        (
            _HEAD,
            f"## Requests\n\n{overview}",
            *map(_request, ROUTES),
            f"## The VM record\n\nAn unknown value is `null`.\n\n{_fields((*RECORD, *STOP, *FRESH))}",
            _RUN,
            _fields(of_rows),
            _RUN_MORE,
        )
    )


def _link(route: Route) -> str:
    return f"[`{name_of(route)}`](#{anchor(name_of(route))})"


def _fields(names: tuple[str, ...]) -> str:
    return table(("field", "meaning"), ((f"`{name}`", RECORD_FIELDS[name]) for name in names))


def _request(route: Route) -> str:
    text, takes = REQUESTS[name_of(route)], takes_of(route)
    parts = [f"### {name_of(route)}\n", f"{text.does}\n"]
    if takes.fields and route.method == "GET":
        parts.append(table(("parameter", "meaning"), ((f"`{name}`", FIELDS[name]) for name in takes.fields)))
    elif takes.fields:
        rows = ((f"`{name}`", FIELDS[name], literal(rule)) for name, rule in takes.fields.items())
        parts.append(table(("field", "meaning", "accepts"), rows))
    if takes.must_name_vms:
        parts.append("One of `vms` and `all` is required, so that a missing key never stops every VM.\n")
    return "\n".join((*parts, f"Answers {text.answer}.\n"))
