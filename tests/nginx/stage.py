"""A deployed site in miniature: the rendered tree in one directory, its processes one by one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

REPOSITORY = Path(__file__).parents[2]
ROOT = os.geteuid() == 0
# nginx's workers become a user who reaches the sockets by way of this group only. The gunicorns
# stay who they are: their Python and this repository may lie in a home that is closed to others.
PROXY_USER, SHARED_GROUP = "nobody", "nogroup"


def render(name: str, **variables: Any) -> str:
    environment = Environment(  # noqa: S701 - configuration files, not HTML
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string((REPOSITORY / "templates" / name).read_text()).render(variables)


@dataclass
class Response:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value, None when it is not there. A header sent twice is joined, as a client does."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def said(self) -> dict[str, Any]:
        """What an instance says of the request; {} when the answer is nginx's own."""
        if self.header("content-type") != "application/json" or not self.body:
            return {}
        answer: dict[str, Any] = json.loads(self.body)
        return answer

    @property
    def instance(self) -> str:
        return str(self.said.get("instance", "nginx"))


def exchange(
    address: tuple[str, int] | str,
    request: bytes,
    wait: float = 15,
    tls: Callable[[socket.socket], socket.socket] | None = None,
) -> Response | None:
    """Send bytes, read until the other side closes. None when it closes without a byte.

    Clients of the standard library correct what they send; these requests must go out as they are.
    """
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with contextlib.ExitStack() as open_now:
        connection = open_now.enter_context(socket.socket(family, socket.SOCK_STREAM))
        connection.settimeout(wait)
        connection.connect(address)
        if tls:
            connection = open_now.enter_context(tls(connection))
        received = b""
        # nginx may answer and close before it has read all that a client has to say.
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                received += chunk
    if not received:
        return None
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    _, status, *reason = first.split(" ", 2)
    headers = [(key, value.strip()) for key, _, value in (line.partition(":") for line in lines)]
    response = Response(int(status), " ".join(reason), headers, body)
    if (response.header("transfer-encoding") or "") == "chunked":
        response.body = unchunked(body)
    return response


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            break
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


def request(
    target: str | bytes = "/",
    *,
    method: str = "GET",
    host: str | None = "localhost",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    version: str = "1.1",
) -> bytes:
    raw = target if isinstance(target, bytes) else target.encode()
    lines = [method.encode() + b" " + raw + b" HTTP/" + version.encode()]
    fields = {"Host": host, "Connection": "close", **(headers or {})}
    if body is not None:
        fields["Content-Length"] = str(len(body))
    lines += [
        f"{key}: {value}".encode("latin-1") for key, value in fields.items() if value is not None
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def http2_is_said() -> str:
    """Where this nginx wants to be told of HTTP/2 (roles/nginx/vars)."""
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    version = tuple(int(number) for number in re.findall(r"[0-9]+", told)[:3])
    return "listen" if version < (1, 25, 1) else "directive"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(reached: Any, what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


@dataclass
class Site:
    """One site. Every value that the templates take can be changed before ``start``."""

    directory: Path
    variables: dict[str, Any] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shared = self.directory / "shared"
        defaults: dict[str, Any] = {
            "site_name": "gazette",
            "site_hosts": ["localhost", "www.example.org", "[::1]"],
            "site_port": free_port(),
            "proxy_listen": ["127.0.0.1"],
            "live_dir": str(self.directory / "live"),
            "main_backends": [],
            "admin_backends": [],
            "admin_prefixes": ["/admin/", "/django-admin/", "/accounts/login/", "/one-page"],
            "admin_login": "/admin/login/",
            "admin_host": "",
            "admin_logins": [],
            "main_maintenance_page": "",
            "admin_maintenance_page": "",
            "maintenance_bypass": [],
            "main_logins": [],
            # Only the tests of the limit want to meet it.
            "admin_login_rate": "6000r/m",
            "admin_login_burst": 1000,
            "static_url": "/static/",
            "static_root": str(shared / "static"),
            "media_url": "/media/",
            "media_root": str(shared / "media"),
            # Not nginx's own default.
            "proxy_max_body": "2m",
            "main_threads": 1,
            "admin_threads": 1,
            "main_timeout": 10,
            "admin_timeout": 10,
            "proxy_user": PROXY_USER,
            "proxy_group": SHARED_GROUP,
            "proxy_tls": "none",
            "proxy_tls_port": free_port(),
            "proxy_tls_certificate": "sites/gazette/tls/certificate.pem",
            "proxy_tls_key": "sites/gazette/tls/key.pem",
            "proxy_hsts": 0,
            "proxy_acme_root": "",
            "proxy_http2": http2_is_said(),
            "main_microcache": 0,
            "main_microcache_cookies": ["csrftoken", "_ga*"],
        }
        self.variables = {**defaults, **self.variables}

    # --- Files

    @property
    def port(self) -> int:
        port: int = self.variables["site_port"]
        return port

    @property
    def config(self) -> Path:
        return self.directory / "etc" / "nginx.conf"

    @property
    def prefix(self) -> Path:
        return self.directory / "prefix"

    def write(self) -> None:
        """The tree as a role would install it."""
        etc = self.config.parent
        for folder in ("live", "run", "prefix", "etc/catchall", "etc/sites/gazette"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        (self.directory / "run").chmod(0o750)
        if ROOT:
            shutil.chown(self.directory / "run", group=SHARED_GROUP)
        for name in ("static", "media", "data"):
            (self.directory / "shared" / name).mkdir(parents=True, exist_ok=True)
        for name in ("nginx", "proxy_headers", "static_types", "upload_types"):
            (etc / f"{name}.conf").write_text(render(f"nginx/{name}.conf.j2", **self.variables))
        for address in self.variables["proxy_listen"]:
            for tls in (False, True) if self.variables["proxy_tls"] != "none" else (False,):
                listen = f"{address}:{self.variables['proxy_tls_port'] if tls else self.port}"
                text = render(
                    "nginx/catchall.conf.j2",
                    catchall_listen=listen,
                    catchall_tls=tls,
                    proxy_http2=self.variables["proxy_http2"],
                )
                (etc / "catchall" / f"{listen.strip('[]')}.conf").write_text(text)
        if self.variables["main_backends"]:
            text = render(
                "nginx/backends.conf.j2",
                site_name="gazette",
                backends={"main": self.variables["main_backends"], "admin": []},
            )
            (etc / "sites" / "gazette" / "backends.conf").write_text(text)
        text = render("nginx/site.conf.j2", **self.variables)
        (etc / "sites" / "gazette" / "site.conf").write_text(text)

    def put(self, path: str, content: str) -> None:
        """A file below shared/."""
        file = self.directory / "shared" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    @cached_property
    def nginx(self) -> list[str]:
        return ["nginx", "-p", f"{self.prefix}/", "-c", str(self.config), "-e", "stderr"]

    def test(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.nginx, "-t"], capture_output=True, text=True, check=False)

    # --- Processes

    def start(self) -> None:
        self.write()
        for instance in ("main", "admin"):
            self.start_instance(instance)
            self.flip(instance, "r1")
        self.start_nginx()

    def start_nginx(self) -> None:
        with (self.directory / "nginx.log").open("ab") as log:
            self.processes["nginx"] = subprocess.Popen(
                [*self.nginx, "-g", "daemon off;"], stdout=log, stderr=log
            )
        until(lambda: self.listening(("127.0.0.1", self.port)), f"nginx: {self.log('nginx')}")

    def socket(self, instance: str, release: str = "r1") -> Path:
        return self.directory / "run" / f"{instance}-{release}.sock"

    def start_instance(self, instance: str, release: str = "r1") -> None:
        """A gunicorn on the rendered configuration, listening; it has no traffic yet."""
        settings = self.directory / "etc" / f"{instance}.gunicorn.py"
        settings.write_text(
            render(
                "gunicorn/gunicorn.conf.py.j2",
                site_name="gazette",
                instance=instance,
                instance_workers=2 if instance == "main" else 1,
                instance_threads=self.variables[f"{instance}_threads"],
                instance_timeout=self.variables[f"{instance}_timeout"],
                instance_access_log=False,
            )
        )
        name = f"{instance}-{release}"
        command = [sys.executable, "-m", "gunicorn", "-c", str(settings)]
        command += ["--bind", f"unix:{self.socket(instance, release)}", "echo:application"]
        command += ["--group", SHARED_GROUP] if ROOT else []
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parent,
                env={
                    "ECHO_INSTANCE": instance,
                    "HOME": str(self.directory / "home"),
                    "PATH": os.environ["PATH"],
                },
                umask=0o002,
            )
        path = str(self.socket(instance, release))
        until(lambda: self.listening(path), f"{name}: {self.log(name)}")
        # The master listens before its workers can answer.
        ask = request("/pid", headers={"X-Forwarded-Proto": "http"})
        until(lambda: exchange(path, ask) is not None, f"{name} answers: {self.log(name)}")

    def flip(self, instance: str, release: str) -> None:
        """Give a release the traffic, as a deploy does it."""
        link = self.directory / "live" / f"{instance}.sock"
        link.with_suffix(".new").symlink_to(self.socket(instance, release))
        link.with_suffix(".new").rename(link)

    def stop_one(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        for name in list(self.processes):
            self.stop_one(name)

    @staticmethod
    def listening(address: tuple[str, int] | str) -> bool:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(address) == 0

    def log(self, name: str) -> str:
        file = self.directory / f"{name}.log"
        return file.read_text() if file.exists() else ""

    # --- Requests

    def send(self, raw: bytes) -> Response | None:
        return exchange(("127.0.0.1", self.port), raw)

    def ask(self, target: str | bytes = "/", **details: Any) -> Response:
        response = self.send(request(target, **details))
        assert response is not None, f"closed without an answer: {target!r} {details}"
        return response

    def logged(self, mark: str) -> dict[str, Any]:
        """The line of the access log whose request has ``mark``; written after the answer."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [line for line in self.access_log() if mark in line["request"]]
            return bool(found)

        until(look, f"a line with {mark} in the access log")
        [line] = found
        return line

    def access_log(self) -> list[dict[str, Any]]:
        lines = (self.prefix / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines]


@contextlib.contextmanager
def site(**variables: Any) -> Iterator[Site]:
    """A site that is not running yet, in a directory of its own.

    Not pytest's tmp_path: that is closed to the user whom nginx becomes, and its name is long for a
    socket (107 bytes).
    """
    directory = Path(tempfile.mkdtemp(prefix="split-nginx-"))
    directory.chmod(0o755)
    built = Site(directory, variables)
    try:
        yield built
    finally:
        built.stop()
        shutil.rmtree(directory)
