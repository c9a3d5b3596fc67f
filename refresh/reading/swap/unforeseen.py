"""What is decided about a VM on which the app itself fails.

Decides that an exception which no code expects is a refusal of that one VM, logged with its trace, and never the end of
a list, a look or a plan. Does not know what failed.
"""

from __future__ import annotations

import logging

from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.swap.decision import Refuse
from refresh.domain.terms.encodable import encodable
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import Wish

_log = logging.getLogger(__name__)


def refuse_unforeseen(vm_id: object, error: Exception) -> Refuse:
    """The refusal of a VM (its id) whose facts or decision raised `error`; the log has the trace."""
    _log.error("unexpected error about %s", encodable(str(vm_id)[:1024]), exc_info=error)
    return Refuse(
        Reason.APP_FAILED, f"the app itself failed on this VM ({type(error).__name__}); its log has the cause"
    )


def undecided(vm_id: str, error: Exception, *, exact: bool = False) -> DecidedVm:
    """A VM about which nothing could be found out because `error` was raised."""
    return DecidedVm(vm_id, Facts(None, Wish("")), refuse_unforeseen(vm_id, error), exact=exact)
