"""A split site on this machine: real nginx, gunicorns and Redis, users of its own, in one folder.

Started once for all tests; a test puts one bug in and takes it out again.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
# The system's own: a Python below root's home could not be run by the instances' users.
PYTHON = "/usr/bin/python3"
PACKAGES = ("Django", "asgiref", "sqlparse", "gunicorn", "packaging", "redis")
HOST = "news.example"
DESK = "desk.news.example"
ACCOUNTS = ("main", "admin", "store", "public", "proxy")
STORES = ("store", "public")
GROUPS = ("main-http", "admin-http", "store", "public", "site", "proxy")

NGINX = """
user {proxy} {proxy};
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/nginx-error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {root}/tmp/body;
    proxy_temp_path {root}/tmp/proxy;
    fastcgi_temp_path {root}/tmp/fastcgi;
    uwsgi_temp_path {root}/tmp/uwsgi;
    scgi_temp_path {root}/tmp/scgi;
    types {{ text/css css; text/javascript js; }}
    absolute_redirect off;
    proxy_set_header Host $http_host;
    server {{
        listen 127.0.0.1:{port} default_server;
        listen [::1]:{port} default_server;
        return 444;
    }}
    server {{
        listen 127.0.0.1:{port};
        listen [::1]:{port};
        server_name news.example;
        location / {{ proxy_pass http://unix:{root}/live/main.sock; }}
        location = /admin {{ return 301 /admin/; }}
        location ^~ /admin/ {{ proxy_pass http://unix:{root}/live/admin.sock; }}
        location ^~ /static/ {{ alias {root}/static/; }}
    }}
    server {{
        listen 127.0.0.1:{port};
        listen [::1]:{port};
        server_name desk.news.example;
        location / {{ return 302 http://news.example:{port}$request_uri; }}
        location = /admin {{ return 301 /admin/; }}
        location /admin/ {{ proxy_pass http://unix:{root}/live/admin.sock; }}
        location ^~ /static/ {{ alias {root}/static/; }}
    }}
}}
"""
PLAN = {
    "admin": {"path": "/admin/", "login": "/admin/login/"},
    "proxy": {
        "admin_prefixes": ["/admin/"],
        "closed_prefixes": ["/_internal/"],
        "static_url": "/static/",
        "media_url": "/media/",
    },
}


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Host:
    """The deployed site. `start` and `stop` take a process's name: store, admin, main, nginx."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="verify-"))
        self.port = free_port()
        # Accounts must not be anybody else's: two test runs on one machine are two prefixes
        self.prefix = f"sv{secrets.token_hex(3)}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.password = secrets.token_urlsafe(12)

    def user(self, name: str) -> str:
        """The unix user of an instance."""
        return f"{self.prefix}-{name}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What the role would give the module."""
        root = str(self.root)
        return {
            "hosts": [HOST],
            "port": self.port,
            "listen": ["127.0.0.1", "[::1]"],
            "plan_file": f"{root}/plan.json",
            "main_socket": f"{root}/live/main.sock",
            "admin_socket": f"{root}/live/admin.sock",
            "admin_host": "",
            "store_socket": f"{root}/run/store/store.sock",
            "public_socket": "",
            "plain_port": 0,
            "ca": "",
            "main_env": f"{root}/etc/main.env",
            "admin_env": f"{root}/etc/admin.env",
            "main_user": self.user("main"),
            "admin_user": self.user("admin"),
            "store_user": self.user("store"),
            "public_user": self.user("public"),
            "proxy_user": self.user("proxy"),
            "strangers": ["nobody", "www-data", "no-such-user"],
            "session_engine": "redis",
            "login": True,
            "username": "chief",
            "email": "chief@news.example",
            "password": "",
            "password_file": f"{root}/etc/superuser",
            "manage": "",
            "watch": "",
            "nginx_test": self.nginx("-t"),
            "cookie_paths": [],
            "restricted": [],
            "database": False,
            "main_writes_users": False,
            "timeout": 10.0,
            "marks": "unicode",
        }

    def nginx(self, *more: str) -> list[str]:
        """nginx's command line on the site's configuration."""
        root = self.root
        return ["nginx", "-p", f"{root}/", "-c", f"{root}/nginx.conf", "-e", "stderr", *more]

    # --- Building and taking away -----------------------------------------------------------------

    def build(self) -> None:
        """Users, folders, a virtualenv, a migrated database, a superuser; then everything runs."""
        self.root.chmod(0o755)
        self._accounts()
        self._folders()
        self._virtualenv()
        write(self.root / "bugs", "")
        write(self.root / "plan.json", json.dumps(PLAN))
        write(
            self.root / "nginx.conf",
            NGINX.format(root=self.root, port=self.port, proxy=self.user("proxy")),
        )
        write(self.root / "etc/main.env", "SECRET=main\n", self.user("main"), 0o400)
        write(self.root / "etc/admin.env", "SECRET=admin\n", self.user("admin"), 0o400)
        write(self.root / "etc/superuser", self.password + "\n", "root", 0o600)
        self.start("store")
        self.start("public")
        self.manage("migrate", "--verbosity=0")
        # SQLite makes it 0644 whatever the umask
        (self.root / "data/db.sqlite3").chmod(0o660)
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        self.manage(
            "createsuperuser", "--noinput", "--username=chief", "--email=chief@news.example"
        )
        for name in ("admin", "main", "nginx"):
            self.start(name)

    def remove(self) -> None:
        """End the processes that were started here and take users and files away."""
        for name in list(self.processes):
            self.stop(name)
        # A killed process's children are init's to bury, and userdel refuses until that is done
        users = {pwd.getpwnam(name).pw_uid for name in map(self.user, ACCOUNTS) if exists(name)}
        wait_until(lambda: not users & running_users(), "nothing may run as the tests' users")
        for name in ACCOUNTS:
            if exists(self.user(name)):
                # --force: userdel itself takes a container's user of the same number for ours
                run("userdel", "--force", self.user(name))
        for group in GROUPS:
            try:
                grp.getgrnam(self.user(group))
            except KeyError:
                continue
            run("groupdel", self.user(group))
        shutil.rmtree(self.root)

    def _accounts(self) -> None:
        for group in GROUPS:
            run("groupadd", "--system", self.user(group))
        members = {
            "main": ("main-http", ["site", "public"]),
            "admin": ("admin-http", ["site", "store"]),
            "store": ("store", []),
            "public": ("public", []),
            "proxy": ("proxy", ["main-http", "admin-http"]),
        }
        for name, (primary, others) in members.items():
            command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
            command += ["--gid", self.user(primary)]
            if others:
                command += ["--groups", ",".join(self.user(group) for group in others)]
            run(*command, self.user(name))

    def _folders(self) -> None:
        for name, owner, group, mode in (
            ("live", "root", "root", 0o755),
            ("etc", "root", "root", 0o755),
            ("tmp", self.user("proxy"), "root", 0o700),
            ("static", self.user("admin"), self.user("site"), 0o755),
            ("data", self.user("admin"), self.user("site"), 0o2770),
            ("run", "root", "root", 0o755),
            ("run/main", self.user("main"), self.user("main-http"), 0o750),
            ("run/admin", self.user("admin"), self.user("admin-http"), 0o750),
            ("run/store", self.user("store"), self.user("store"), 0o750),
            ("run/public", self.user("public"), self.user("public"), 0o750),
        ):
            folder = self.root / name
            folder.mkdir()
            shutil.chown(folder, owner, group)
            folder.chmod(mode)
        for name in ("main", "admin"):
            (self.root / f"live/{name}.sock").symlink_to(self.root / f"run/{name}/{name}-1.sock")

    def _virtualenv(self) -> None:
        shutil.copytree(
            HERE / "site", self.root / "src", ignore=shutil.ignore_patterns("__pycache__")
        )
        run(PYTHON, "-m", "venv", "--without-pip", f"{self.root}/venv")
        target = next((self.root / "venv/lib").glob("python3*/site-packages"))
        for name in PACKAGES:
            for folder in packages_of(name):
                shutil.copytree(folder, target / folder.name)
        # redis-py asks Debian 12's 3.11.2 for a package that a newer 3.11 has in itself
        write(target / "async_timeout.py", "from asyncio import timeout\n")
        shutil.copytree(REPOSITORY / "django_split", target / "django_split")

    def manage(self, *command: str) -> None:
        """A management command with the admin's settings."""
        self.run_as(
            "admin",
            [f"{self.root}/venv/bin/python", "-m", "django", *command],
            {"DJANGO_SUPERUSER_PASSWORD": self.password},
        )

    def manage_command(self) -> str:
        """The site's own command for its instances, as the role of the release installs it."""
        path = self.root / "manage"
        lines = [
            "#!/bin/sh",
            'test "$1 $3" = "--instance --python" || exit 9',
            "instance=$2",
            "shift 3",
        ]
        for name in ("main", "admin"):
            identity = self.identity(name)
            groups = ",".join(str(group) for group in identity["extra_groups"])
            variables = " ".join(f"{k}='{v}'" for k, v in self.environment(name).items())
            lines.append(
                f"[ $instance = {name} ] && cd {self.root} && exec setpriv"
                f" --reuid={identity['user']} --regid={identity['group']} --groups={groups}"
                f' env -i {variables} {self.root}/venv/bin/python "$@"'
            )
        write(path, "\n".join(lines) + "\n", "root", 0o755)
        return str(path)

    def run_as(self, name: str, command: list[str], more: dict[str, str] | None = None) -> None:
        """Run a command as an instance, and fail with its output."""
        done = subprocess.run(
            command,
            env={**self.environment(name), **(more or {})},
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root,
            **self.identity(name),
        )
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")

    def environment(self, name: str) -> dict[str, str]:
        """An instance's environment."""
        return {
            "PATH": "/usr/bin:/bin",
            "DJANGO_SETTINGS_MODULE": f"newsroom.{name}",
            "PYTHONPATH": f"{self.root}/src",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NEWSROOM_ROOT": str(self.root),
        }

    def identity(self, name: str) -> dict[str, Any]:
        """What subprocess needs to become an instance's user."""
        account = pwd.getpwnam(self.user(name))
        groups = os.getgrouplist(account.pw_name, account.pw_gid)
        return {
            "user": account.pw_uid,
            "group": account.pw_gid,
            "extra_groups": groups,
            "umask": 0o002,
        }

    # --- Running ----------------------------------------------------------------------------------

    def start(
        self,
        name: str,
        *more: str,
        user: str = "",
        groups: list[int] | None = None,
        hidden: dict[str, str] | None = None,
    ) -> None:
        """Start a process and wait until it answers."""
        socket_path = (
            self.root / "run" / name / ("store.sock" if name in STORES else f"{name}-1.sock")
        )
        if name == "nginx":
            command = self.nginx("-g", "daemon off;")
            options: dict[str, Any] = {}
        else:
            options = {"env": self.environment(name), **self.identity(user or name)}
            options["extra_groups"] += groups or []
            if name in STORES:
                command = ["redis-server", "--port", "0", "--unixsocket", str(socket_path)]
                command += ["--unixsocketperm", "660", "--save", "", *more]
            else:
                command = [f"{self.root}/venv/bin/python", "-m", "gunicorn", "--workers=1"]
                command += [f"--bind=unix:{socket_path}", "--umask=0117", "--no-control-socket"]
                command += [*more, "django.core.wsgi:get_wsgi_application()"]
                if hidden is not None:
                    # The environment comes from within: /proc shows only what was there before
                    inside = f"import os, sys; os.environ.update({options['env']!r}); "
                    inside += "sys.path[:0] = os.environ['PYTHONPATH'].split(':'); "
                    inside += "sys.argv = sys.argv[3:]; from gunicorn.app.wsgiapp import run; run()"
                    command = [command[0], "-c", inside, *command]
                    options["env"] = hidden
        log = (self.root / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                command, cwd=self.root, stdout=log, stderr=log, start_new_session=True, **options
            )
        wait_until(lambda: self._answers(name, socket_path), f"{name}: {self.root / f'{name}.log'}")

    def _answers(self, name: str, path: Path) -> bool:
        # gunicorn's master listens before its worker has imported the site: ask for a page
        question = (
            b"PING\r\n" if name in STORES else f"GET / HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode()
        )
        try:
            if name == "nginx":
                connection = socket.create_connection(("127.0.0.1", self.port), 5)
            else:
                connection = socket.socket(socket.AF_UNIX)
            with connection:
                connection.settimeout(5)
                if name != "nginx":
                    connection.connect(str(path))
                connection.sendall(question)
                return bool(connection.recv(1))
        except OSError:
            return False

    def stop(self, name: str) -> None:
        """End a process and what it started, wait for it, and leave no socket behind."""
        process = self.processes.pop(name)
        # No request is under way; gunicorn takes a second to find that out, for every test
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        if name != "nginx":
            for left in (self.root / "run" / name).glob("*.sock"):
                left.unlink()

    def reload_nginx(self) -> None:
        """Serve by the configuration that is there now."""
        self.stop("nginx")
        self.start("nginx")

    @contextmanager
    def restarted(
        self, name: str, *more: str, bug: str = "", groups: list[int] | None = None
    ) -> Iterator[None]:
        """The process with a bug or other options, then as it was."""
        self.stop(name)
        try:
            write(self.root / "bugs", bug)
            self.start(name, *more, groups=groups)
            yield
        finally:
            write(self.root / "bugs", "")
            # Not there when the bug kept it from starting
            if name in self.processes:
                self.stop(name)
            self.start(name)

    @contextmanager
    def bug(self, name: str) -> Iterator[None]:
        """A bug that needs no restart."""
        write(self.root / "bugs", name)
        try:
            yield
        finally:
            write(self.root / "bugs", "")

    @contextmanager
    def owned(self, name: str, user: str) -> Iterator[None]:
        """Another owner for one path."""
        path = self.root / name
        before = path.stat().st_uid
        os.chown(path, pwd.getpwnam(self.user(user)).pw_uid, -1)
        try:
            yield
        finally:
            os.chown(path, before, -1)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """Without the process."""
        self.stop(name)
        try:
            yield
        finally:
            self.start(name)

    @contextmanager
    def configured(self, old: str, new: str) -> Iterator[None]:
        """nginx with one text of its configuration replaced."""
        with self.file("nginx.conf", (self.root / "nginx.conf").read_text().replace(old, new)):
            self.reload_nginx()
            yield
        self.reload_nginx()

    @contextmanager
    def file(self, name: str, content: str) -> Iterator[None]:
        """Another content for one file."""
        path = self.root / name
        before = path.read_text()
        assert before != content, "the bug is not in"
        path.write_text(content)
        try:
            yield
        finally:
            path.write_text(before)

    @contextmanager
    def permissions(self, name: str, mode: int) -> Iterator[None]:
        """Another mode for one path."""
        path = self.root / name
        before = path.stat().st_mode & 0o7777
        path.chmod(mode)
        try:
            yield
        finally:
            path.chmod(before)


def running_users() -> set[int]:
    """The users of this machine's processes; a container's may have the same number, and is not."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                numbers = re.search(r"^NSpid:(.*)$", (entry / "status").read_text(), re.MULTILINE)
                # More than one: a process of another pid namespace.
                if numbers and len(numbers[1].split()) == 1:
                    found.add(entry.stat().st_uid)
    return found


def packages_of(name: str) -> list[Path]:
    """The importable folders of a distribution that is installed here."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        raise RuntimeError(f"{name} is not installed in {sys.prefix}") from None
    tops = {file.parts[0] for file in files if file.name == "__init__.py" and len(file.parts) == 2}
    base = Path(str(distribution(name).locate_file("")))
    return [base / top for top in sorted(tops)]


def run(*command: str) -> None:
    """Run a command that must work."""
    subprocess.run(command, check=True, capture_output=True)


def exists(user: str) -> bool:
    """Whether this machine has the user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def write(path: Path, content: str, owner: str = "root", mode: int = 0o644) -> None:
    """A file with owner and mode."""
    path.write_text(content)
    shutil.chown(path, owner)
    path.chmod(mode)


def wait_until(check: Any, what: str, seconds: float = 20) -> None:
    """Wait for a condition, or say what did not come."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            raise RuntimeError(f"did not start: {what}")
        time.sleep(0.05)


@contextmanager
def deployed() -> Iterator[Host]:
    """A host that is taken away again, also when building it failed."""
    host = Host()
    with ExitStack() as stack:
        stack.callback(host.remove)
        host.build()
        yield host
