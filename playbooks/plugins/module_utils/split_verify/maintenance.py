"""Whether an instance is closed on purpose: then its visitors see none of what is claimed."""

from __future__ import annotations

import os
import time

from .row import Row, not_checked


def closed(sockets: dict[str, str]) -> Row | None:
    """A row that says so, None where all are open. nginx looks for the file beside the link."""
    since = {}
    for instance, link in sockets.items():
        try:
            begun = os.stat(os.path.join(os.path.dirname(link), f"{instance}.maintenance")).st_mtime
        except OSError:
            continue
        since[instance] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(begun))
    if not since:
        return None
    told = ", ".join(
        f"{instance} is in maintenance since {when}" for instance, when in since.items()
    )
    which = "both" if len(since) > 1 else next(iter(since))
    mend = f"ansible-playbook playbooks/maintenance.yml -e instance={which} -e state=off"
    return not_checked("maintenance", "the site is as claimed", f"{told}. {mend} ends it")
