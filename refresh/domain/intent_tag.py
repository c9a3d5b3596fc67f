"""`RefreshState`: the mirror of an open intent on the VM itself.

Decides how it is written and read. It is read only to bring a VM back up when everything else is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.tags import MAX_VALUE_LENGTH


@dataclass(frozen=True)
class OpenIntent:
    """What the tag says: a swap of this run was under way, and whether the VM ran before it."""

    run: str
    was_running: bool


def write_intent_tag(run: str, was_running: bool, old_disk: str, new_disk: str) -> str:
    """The tag's value, at most 256 characters; disk names give way before the run and `ran` do."""
    head = f"run={run};ran={'yes' if was_running else 'no'}"
    full = f"{head};from={old_disk};to={new_disk};step=swap"
    return full if len(full) <= MAX_VALUE_LENGTH else head


def read_intent_tag(value: str | None) -> OpenIntent | None:
    """What an open intent says, or None when there is none or it cannot be read (people can write tags)."""
    fields = dict(part.split("=", 1) for part in (value or "").split(";") if "=" in part)
    if not fields.get("run") or fields.get("ran") not in ("yes", "no"):
        return None
    return OpenIntent(fields["run"], fields["ran"] == "yes")
