"""The process manager of this host: systemd where it is PID 1, else the site's own supervisord.

Both are given the same few verbs, so that the modules above this file never ask which one it is.
A name such as ``gazette-main@3f2a…`` is an instance of a template (``gazette-main@``): systemd's
own notion. Supervisor's side follows with ``programs/gazette-main@.conf`` and ``@RELEASE@`` in it.
"""

from __future__ import annotations

import contextlib
import glob
import http.client
import os
import re
import subprocess
import time
import xmlrpc.client
from typing import Any

from ansible.module_utils.split_disk import sync_directory
from ansible.module_utils.split_unix import UnixConnection

SYSTEMD_MARK = "/run/systemd/system"
UNIT_DIRECTORY = "/etc/systemd/system"

# Nothing that we start needs longer; a start that hangs must end in a message, not in a hung
# playbook.
START_SECONDS = 60
STOP_SECONDS = 90
# supervisord tries for minutes what ends at once; so many ends in a row are told instead of waited
# for.
BACKOFFS = 3


class ServiceError(Exception):
    """A process that could not be started, stopped or reloaded; the text says which and what its
    log ends with.
    """


class Systemd:
    """systemd, spoken to through systemctl (its D-Bus bindings are not on a minimal host)."""

    name = "systemd"

    def _systemctl(
        self, *words: str, check: bool = True, seconds: float = START_SECONDS + STOP_SECONDS
    ) -> str:
        done = subprocess.run(
            ["systemctl", "--no-ask-password", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        if check and done.returncode != 0:
            raise ServiceError(
                "systemctl {}: {}".format(" ".join(words), (done.stderr or done.stdout).strip())
            )
        return done.stdout

    def _show(self, name: str) -> dict[str, str]:
        text = self._systemctl("show", name, "-p", "ActiveState,UnitFileState,NeedDaemonReload")
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def refresh(self) -> None:
        """Read unit files again. Cheap, and always right after one of them may have changed."""
        self._systemctl("daemon-reload")

    def running(self, name: str) -> bool:
        """Whether the process runs now."""
        return self._show(name).get("ActiveState") == "active"

    def enabled(self, name: str) -> bool:
        return self._show(name).get("UnitFileState") == "enabled"

    def enable(self, name: str) -> None:
        """From here on it comes back, also behind a power cut."""
        self._systemctl("enable", "--quiet", name)
        for folder in (UNIT_DIRECTORY, *glob.glob(os.path.join(UNIT_DIRECTORY, "*.wants"))):
            sync_directory(folder)

    def disable(self, name: str) -> None:
        self._systemctl("disable", "--quiet", name)

    def start(self, name: str) -> None:
        if self._show(name).get("NeedDaemonReload") == "yes":
            self.refresh()
        # A unit that failed too often in a short time refuses a start until this is said.
        self._systemctl("reset-failed", name, check=False)
        try:
            self._systemctl("start", name)
        except ServiceError as error:
            raise ServiceError(f"{name} did not start: {error}\n{self.log(name)}") from error

    def stop(self, *names: str) -> None:
        """End them side by side: each is given its own TimeoutStopSec to finish what it does."""
        if not names:
            return
        told = self._systemctl("show", "-p", "TimeoutStopUSec", "--value", *names, check=False)
        longest = max((span_seconds(each) for each in told.split("\n") if each), default=0.0)
        self._systemctl("stop", *names, check=False, seconds=longest + STOP_SECONDS)
        self._systemctl("reset-failed", *names, check=False)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def reload(self, name: str) -> None:
        if self._show(name).get("NeedDaemonReload") == "yes":
            self.refresh()
        self._systemctl("reload", name)

    def instances(self, template: str) -> list[str]:
        """Every instance of a template (``gazette-main@``) that runs, or would after a reboot."""
        names = set()
        listed = self._systemctl(
            "list-units", "--all", "--plain", "--no-legend", template + "*.service"
        )
        for line in listed.splitlines():
            if line.split():
                names.add(re.sub(r"\.service$", "", line.split()[0]))
        for link in glob.glob(os.path.join(UNIT_DIRECTORY, "*.wants", template + "*.service")):
            names.add(os.path.basename(link)[: -len(".service")])
        names.discard(template)
        return sorted(names)

    def log(self, name: str, lines: int = 25) -> str:
        """The last lines that the process wrote, for a message; empty when there are none."""
        done = subprocess.run(
            ["journalctl", "-u", name, "-n", str(lines), "--no-pager", "-o", "cat"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return done.stdout.strip()


SPAN = re.compile(r"([0-9.]+)(us|ms|s|min|h|d|w)(?: |$)")
SPAN_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def span_seconds(text: str) -> float:
    """What systemd writes for a span of time ("1min 30s"), in seconds; "infinity" is none here."""
    return sum(float(number) * SPAN_UNITS[unit] for number, unit in SPAN.findall(text.strip()))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__()
        self._path = path
        self._seconds = seconds

    def make_connection(self, host: Any) -> Any:
        return UnixConnection(self._path, self._seconds)


class Supervisor:
    """The site's own supervisord, spoken to over its unix socket (root only).

    ``programs/NAME.conf`` is what the roles install; ``conf.d/NAME.conf`` is what runs, now and
    when
    supervisord starts again. The second is made from the first by ``enable``.
    """

    name = "supervisor"

    def __init__(self, site: str) -> None:
        self.programs = f"/etc/django-split/{site}/supervisor/programs"
        self.active = f"/etc/django-split/{site}/supervisor/conf.d"
        self._site = site
        self._socket = f"/run/{site}/supervisor.sock"

    def _rpc(self, seconds: float) -> Any:
        # Made anew for each call: a supervisord that was restarted leaves a dead keep-alive
        # connection.
        return xmlrpc.client.ServerProxy(
            "http://localhost/RPC2", transport=_UnixTransport(self._socket, seconds)
        ).supervisor

    def _call(self, method: str, *words: Any, seconds: float = START_SECONDS + STOP_SECONDS) -> Any:
        try:
            return getattr(self._rpc(seconds), method)(*words)
        except (OSError, http.client.HTTPException) as error:
            raise ServiceError(
                f"the site's supervisord does not answer on {self._socket}: {error}"
            ) from error

    def refresh(self) -> None:
        """Nothing to do: each start reads the program's file."""

    def _info(self, name: str) -> dict[str, Any]:
        try:
            info: dict[str, Any] = self._call("getProcessInfo", name)
        except xmlrpc.client.Fault:
            return {}
        return info

    def _known(self, name: str) -> bool:
        try:
            return bool(self._info(name))
        except ServiceError:
            return False

    def _program(self, name: str) -> str:
        template = name.split("@", 1)[0] + "@" if "@" in name else name
        return os.path.join(self.programs, template + ".conf")

    def _active(self, name: str) -> str:
        return os.path.join(self.active, name + ".conf")

    def _text(self, name: str) -> str:
        with open(self._program(name)) as program:
            text = program.read()
        return text.replace("@RELEASE@", name.split("@", 1)[1]) if "@" in name else text

    def running(self, name: str) -> bool:
        try:
            return self._info(name).get("statename") in ("RUNNING", "STARTING")
        except ServiceError:
            return False  # no supervisord, no processes

    def enabled(self, name: str) -> bool:
        try:
            with open(self._active(name)) as active:
                return active.read() == self._text(name)
        except OSError:
            return False

    def enable(self, name: str) -> None:
        path = self._active(name)
        # Programs may carry the environment: readable by root alone from its first byte on.
        handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as active:
            active.write(self._text(name))
            active.flush()
            os.fsync(active.fileno())
        os.rename(path + ".new", path)
        sync_directory(self.active)

    def disable(self, name: str) -> None:
        if os.path.exists(self._active(name)):
            os.unlink(self._active(name))

    def start(self, name: str) -> None:
        # A group that is there already (stopped, or ending again and again) is kept with the
        # command it came with.
        self.stop(name)
        # supervisord knows only what lies in conf.d, so here a start enables.
        self.enable(name)
        self._call("reloadConfig")
        try:
            # autostart is in every program: this starts it.
            self._call("addProcessGroup", name)
        except xmlrpc.client.Fault as fault:
            raise ServiceError(f"supervisord did not take {name}: {fault.faultString}") from fault
        deadline = time.monotonic() + START_SECONDS
        failed, state = 0, ""
        while time.monotonic() < deadline and failed < BACKOFFS:
            state, before = str(self._info(name).get("statename")), state
            if state == "RUNNING":
                return
            if state in ("FATAL", "EXITED", "STOPPED"):
                break
            failed += state == "BACKOFF" and before != "BACKOFF"
            time.sleep(0.1)
        raise ServiceError(f"{name} did not start:\n{self.log(name)}")

    def stop(self, *names: str) -> None:
        for name in names:
            self._stop(name)

    def _stop_seconds(self, name: str) -> float:
        """How long supervisord gives the process before it kills it."""
        try:
            with open(self._active(name)) as active:
                found = re.search(r"^stopwaitsecs=([0-9]+)$", active.read(), re.MULTILINE)
        except OSError:
            return 0
        return float(found[1]) if found else 0

    def _stop(self, name: str) -> None:
        if not self._known(name):
            return
        try:
            seconds = self._stop_seconds(name) + STOP_SECONDS
            self._call("stopProcess", name, True, seconds=seconds)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise ServiceError(f"{name} did not stop: {fault.faultString}") from fault
        try:
            self._call("removeProcessGroup", name)
        except xmlrpc.client.Fault as fault:
            if "BAD_NAME" not in fault.faultString:
                raise ServiceError(f"supervisord keeps {name}: {fault.faultString}") from fault

    def restart(self, name: str) -> None:
        self.start(name)

    def reload(self, name: str) -> None:
        self._call("signalProcess", name, "HUP")

    def instances(self, template: str) -> list[str]:
        names = {
            os.path.basename(path)[: -len(".conf")]
            for path in glob.glob(os.path.join(self.active, template + "*.conf"))
        }
        with contextlib.suppress(ServiceError):
            names |= {
                info["name"]
                for info in self._call("getAllProcessInfo")
                if info["name"].startswith(template)
            }
        return sorted(names)

    def log(self, name: str, lines: int = 25) -> str:
        # gazette-main@3f2a… writes to main.log, whichever release it is
        short = name[len(self._site) + 1 :].split("@")[0]
        path = f"/var/log/django-split/{self._site}/{short}.log"
        try:
            with open(path, errors="replace") as log:
                return "".join(log.readlines()[-lines:]).strip()
        except OSError:
            return ""


def manager_for(site: str) -> Systemd | Supervisor:
    """The process manager that runs this site's processes on this host."""
    return Systemd() if os.path.isdir(SYSTEMD_MARK) else Supervisor(site)
