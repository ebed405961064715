"""Images: what a fresh Debian machine has, built once by mmdebstrap and kept between runs.

A directory's name carries a digest of everything that went into it: a changed recipe, or a
controller that reaches the archives in another way, builds anew, and the old directory goes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import controller, locks, paths

Release = Literal["bookworm", "trixie"]
Kind = Literal["server", "container", "remote", "member"]

RELEASES: tuple[Release, ...] = ("bookworm", "trixie")

# A full archive and a slow mirror; on two cores and a near one it is 20 s.
BUILD_SECONDS = 900

# No python3-venv, python3-apt, sudo, curl, locales, procps: Debian's minimal images are without, so
# a step of the playbook that counts on one must fail here. git, make and certificates are what it
# takes to get as far as `make site`.
COMMON = ("ca-certificates", "git", "iproute2", "make", "python3")
PACKAGES: dict[Kind, tuple[str, ...]] = {
    "server": (*COMMON, "dbus", "systemd", "systemd-sysv"),
    # A server as it is rented: nothing on it that would deploy itself, but somebody may come in.
    "remote": ("ca-certificates", "dbus", "iproute2", "openssh-server", "python3", "systemd-sysv"),
    "container": COMMON,
    # One of several, on a network without a way out: what the tiers install is on it already.
    "member": (
        *("ca-certificates", "dbus", "iproute2", "openssh-server", "python3", "systemd-sysv"),
        *("logrotate", "nginx", "openssl", "postgresql", "python3-venv", "redis-server"),
    ),
}

# Debian's packages enable their services; ours run their own processes on the same binaries.
# PostgreSQL's is the one that is used as it is.
MEMBER_QUIET = ("nginx.service", "redis-server.service")

HOSTS_FILE = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"

# What Debian's container images carry: packages do not start their daemons. Servers have none.
NO_DAEMONS = "#!/bin/sh\nexit 101\n"


class BuildError(Exception):
    """mmdebstrap did not make an image; the message ends with what it said."""


@dataclass(frozen=True)
class Image:
    """One Debian release: a `server` (systemd), a `container` (none of it), `remote` or `member`.

    The last two are reached by SSH; a member has the packages of all tiers.
    """

    release: Release
    kind: Kind = "server"

    @property
    def files(self) -> dict[str, str]:
        """Files laid into the image, by path from its root."""
        files = {"etc/hosts": HOSTS_FILE}
        if self.kind == "container":
            files["usr/sbin/policy-rc.d"] = NO_DAEMONS
        if options := controller.apt_options():
            files["etc/apt/apt.conf.d/00controller"] = options
        if config := controller.pip_config():
            files["etc/pip.conf"] = config
        for certificate in controller.certificates():
            name = f"usr/local/share/ca-certificates/{certificate.name}"
            files[name] = certificate.read_text()
        return files

    @property
    def command(self) -> list[str]:
        """The mmdebstrap command line, without its target."""
        # Without a mirror mmdebstrap takes Debian's own, with the updates and security suites.
        return [
            "mmdebstrap",
            "--quiet",
            "--mode=root",
            "--variant=minbase",
            f"--include={','.join(PACKAGES[self.kind])}",
            self.release,
        ]

    @property
    def digest(self) -> str:
        recipe = json.dumps([self.command, self.files], sort_keys=True)
        return hashlib.sha256(recipe.encode()).hexdigest()[:12]

    @property
    def path(self) -> Path:
        return paths.IMAGES / f"{self.release}-{self.kind}-{self.digest}"

    def ensure(self) -> Path:
        """Build the image unless it is there, and return its root directory.

        Raises BuildError with the end of mmdebstrap's output.
        """
        # Two runs that need the same image at once: the second waits for the first one's.
        with locks.held(f"{self.release}-{self.kind}"):
            if not self.path.is_dir():
                self._build()
        return self.path

    def _build(self) -> None:
        paths.IMAGES.mkdir(parents=True, exist_ok=True)
        for old in paths.IMAGES.glob(f"{self.release}-{self.kind}-*"):
            # A running host needs the directory below its overlay: leave it to a later build.
            if not _in_use(old):
                shutil.rmtree(old)
        partial = self.path.with_name(f"{self.path.name}.partial")
        try:
            made = subprocess.run(
                [*self.command, str(partial)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=BUILD_SECONDS,
            )
            if made.returncode != 0:
                raise BuildError(f"mmdebstrap {self.release} failed:\n{made.stdout[-4000:]}")
            self._lay_files(partial)
            partial.rename(self.path)
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"mmdebstrap {self.release}: over {BUILD_SECONDS} s") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _lay_files(self, root: Path) -> None:
        for name, content in self.files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
            target.chmod(0o755 if content.startswith("#!") else 0o644)
        if self.kind == "member":
            words = ["systemctl", f"--root={root}", "--quiet"]
            subprocess.run([*words, "disable", *MEMBER_QUIET], check=True, timeout=60)
            subprocess.run([*words, "enable", "systemd-networkd"], check=True, timeout=60)
        # mmdebstrap leaves the controller's; each host gets its own.
        (root / "etc/hostname").unlink(missing_ok=True)
        (root / "etc/resolv.conf").unlink(missing_ok=True)
        if controller.certificates():
            subprocess.run(
                ["chroot", str(root), "update-ca-certificates"],
                check=True,
                capture_output=True,
                timeout=120,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )


def _in_use(image: Path) -> bool:
    return f"lowerdir={image}," in Path("/proc/self/mountinfo").read_text()
