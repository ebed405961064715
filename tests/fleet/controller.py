"""How the machine that runs the tests reaches package archives, read here and given to the hosts.

A developer's laptop needs nothing of this. A house with a proxy or a certificate authority of its
own has it set up on the controller already; nothing of it may stand in the repository.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

PIP_CONFIG = Path("/etc/pip.conf")
CERTIFICATES = Path("/usr/local/share/ca-certificates")

# Debian's place for the bundle: a host's is there, wherever the controller keeps its own.
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

# PIP_FIND_LINKS and its kind are missing on purpose: they name directories of the controller.
PASSED_ON = (
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "PIP_RETRIES",
    "PIP_TRUSTED_HOST",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)

# What of apt's configuration is about reaching an archive, and not about this one machine.
APT_OPTION = re.compile(
    r"^Acquire::(?:https?::Proxy\S*|https::(?:\S+::)?(?:CaInfo|Verify-Peer|Verify-Host)"
    r"|Check-Valid-Until|Check-Date|Retries) "
)


def environment() -> dict[str, str]:
    """The controller's variables that a person on one of its servers would have set too."""
    found = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    if os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE"):
        # pip brings a bundle of its own and looks at the system's only when told to.
        found["PIP_CERT"] = BUNDLE
    return found


def certificates() -> list[Path]:
    """The authorities that the controller's administrator added to Debian's."""
    return sorted(CERTIFICATES.rglob("*.crt"))


def apt_options() -> str:
    """The controller's proxy and archive settings, as a file for /etc/apt/apt.conf.d."""
    if shutil.which("apt-config") is None:
        return ""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, timeout=30)
    return "".join(f"{line}\n" for line in dump.stdout.splitlines() if APT_OPTION.match(line))


def pip_config() -> str:
    """The controller's system-wide pip configuration, empty when it has none."""
    return PIP_CONFIG.read_text() if PIP_CONFIG.is_file() else ""
