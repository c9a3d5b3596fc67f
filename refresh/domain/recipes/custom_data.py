"""The custom data of a build VM: the recipe's cloud-init, and a script that reports its result.

Decides the text and the signal. No login is needed: when cloud-init has ended, the machine writes one line to its
serial console (the marker of success or of failure) and powers itself off. Does not know how the VM is made or watched.
"""

from __future__ import annotations

from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from refresh.domain.recipes.recipe import Recipe

MARKER = "REFRESH-BUILD-OK"
FAILED = "REFRESH-BUILD-FAILED"
BUILD_USER = "refreshbuild"
"""The user of the VM where the recipe names none, because ARM requires one; it is removed before the capture."""

# https://learn.microsoft.com/azure/virtual-machines/custom-data#faq
MAX_BYTES = 65_535

# A systemd unit of its own: it waits for cloud-init, and cloud-init waits for its own scripts. The consoles are those
# that the kernel writes to, the serial one among them; lines of services there begin with the service's name.
_FINISH = """#!/bin/sh
cat >/run/refresh-finish <<'END'
cloud-init status --wait >/dev/null 2>&1
if grep -q '"errors": \\[\\]' /run/cloud-init/result.json && {{ {clean}; }}; then
  for tty in $(cat /sys/class/tty/console/active); do printf '\\n{marker}\\n' >"/dev/$tty"; done
else
  for tty in $(cat /sys/class/tty/console/active); do printf '\\n{failed}\\n' >"/dev/$tty"; done
fi
sync
systemctl poweroff
END
systemd-run --unit=refresh-finish /bin/sh /run/refresh-finish
"""

# https://learn.microsoft.com/azure/virtual-machines/generalize#linux
_DEPROVISION = (
    "if command -v waagent >/dev/null; then waagent -deprovision{user} -force; "
    "else {userdel}cloud-init clean --logs --seed && rm -f /etc/ssh/ssh_host_* && : >/etc/machine-id; fi"
)


def write_custom_data(recipe: Recipe, *, generalized: bool) -> bytes | str:
    """The custom data of a VM built from `recipe`, or a sentence why there cannot be any.

    For a `generalized` image the script removes what identifies the machine; the recipe's own user stays in both kinds.
    https://docs.cloud-init.io/en/latest/explanation/format.html#mime-multi-part-archive
    """
    message = MIMEMultipart("mixed", boundary="=" * 12 + recipe.digest)
    parts = (
        (recipe.cloud_init, "cloud-config", "cloud-init.yaml"),
        (_finish(recipe, generalized), "x-shellscript", "zz-finish.sh"),
    )
    for text, kind, name in parts:
        part = MIMEText(text, kind, "utf-8")
        part.add_header("Content-Disposition", "attachment", filename=name)
        message.attach(part)
    data = message.as_bytes()
    if len(data) > MAX_BYTES:
        return f"cloud-init.yaml makes {len(data)} bytes of custom data; Azure accepts {MAX_BYTES}"
    return data


def _finish(recipe: Recipe, generalized: bool) -> str:
    remove = f"userdel -rf {BUILD_USER}"
    if generalized:
        own = recipe.admin is None
        clean = _DEPROVISION.format(user="+user" if own else "", userdel=f"{remove}; " if own else "")
    else:
        clean = "true" if recipe.admin else remove
    return _FINISH.format(clean=clean, marker=MARKER, failed=FAILED)
