"""A host on which a site cannot live is refused before it is touched."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.plugins import load

from .conftest import PORT, Preflight

Namespace = Callable[[str], tuple[str, ...]]

pytestmark = pytest.mark.slow

# A network of its own has its loopback switched off.
UP = "ip link set lo up"


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., str]:
    """A shell line that starts a real server, waits for it, and ends it with the shell."""

    def line(address: str, argv0: str = "other-server", only_v6: bool = False) -> str:
        program = tmp_path / "server.py"
        program.write_text(
            "import socket, sys\n"
            "address, port, only_v6 = sys.argv[1], int(sys.argv[2]), sys.argv[3] == 'True'\n"
            "family = socket.AF_INET6 if ':' in address else socket.AF_INET\n"
            "server = socket.socket(family)\n"
            "if ':' in address:\n"
            "    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only_v6)\n"
            "server.bind((address, port))\n"
            "server.listen()\n"
            "open(sys.argv[4], 'w').close()\n"
            "server.settimeout(60)\n"
            "server.accept()\n"
        )
        ready = tmp_path / "listens"
        return (
            f"{UP}\n"
            f'timeout 60 bash -c \'exec -a "{argv0}" /usr/bin/python3 {program} {address} {PORT} '
            f"{only_v6} {ready}' >/dev/null 2>&1 &\n"
            f"server=$!; trap 'kill $server' EXIT\n"
            f"for _ in $(seq 100); do test -e {ready} && break; sleep 0.05; done; rm {ready}\n"
            '"$@"; exit $?'
        )

    return line


def test_a_port_in_use_names_the_process_and_a_free_one(
    preflight: Preflight, own_namespace: Namespace, serve: Callable[..., str]
) -> None:
    outcome = preflight(under=own_namespace(serve("127.0.0.1")))
    told = outcome.problem(f"site_port is {PORT}, in use on the host by python3")
    assert "user root: other-server" in told
    assert f"({PORT + 1} is free)" in told
    assert "inventory/group_vars/all.yml, line 5." in told


@pytest.mark.parametrize(
    ("listen", "held", "only_v6", "taken"),
    [
        (["*"], "127.0.0.1", False, True),
        (["127.0.0.1"], "0.0.0.0", False, True),  # noqa: S104
        (["127.0.0.1"], "127.0.0.2", False, False),
        (["*"], "::", False, True),
        (["*"], "::", True, False),
        (["[::1]"], "::", True, True),
        (["[::]"], "0.0.0.0", False, False),  # noqa: S104
    ],
)
def test_addresses_collide_as_the_kernel_says(
    preflight: Preflight,
    own_namespace: Namespace,
    serve: Callable[..., str],
    listen: list[str],
    held: str,
    only_v6: bool,
    taken: bool,
) -> None:
    under = own_namespace(serve(held, only_v6=only_v6))
    outcome = preflight({"proxy_listen": listen}, under=under)
    assert ("in use on the host by" in outcome.message) == taken, outcome.message


@pytest.mark.parametrize(
    ("prefix", "ours"),
    [
        ("/var/lib/django-split/nginx/", True),
        ("/var/lib/django-split/pf-news/nginx", True),
        ("/var/lib/django-split/another/nginx", False),
    ],
)
def test_our_own_nginx_is_not_in_our_way(
    preflight: Preflight, own_namespace: Namespace, tmp_path: Path, prefix: str, ours: bool
) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not nginx:
        pytest.skip("needs nginx")
    conf, pid = tmp_path / "nginx.conf", tmp_path / "nginx.pid"
    conf.write_text(
        f"pid {pid}; error_log stderr; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:{PORT}; }} }}\n"
    )
    under = own_namespace(
        f"{UP}\nmount -t tmpfs none /var/lib\nmkdir -p {prefix} /var/lib/nginx\n"
        f"{nginx} -p {prefix} -c {conf} -e stderr >/dev/null 2>&1\n"
        # Or the one that ends takes away the next one's file.
        f"trap 'kill $(cat {pid}); while test -e {pid}; do sleep 0.1; done' EXIT\n"
        '"$@"; exit $?'
    )
    outcome = preflight({"proxy_listen": ["127.0.0.1"]}, under=under)
    assert (outcome.code == 0) == ours, outcome.message
    if not ours:
        outcome.problem(f"site_port is {PORT}, in use on the host by nginx")
    # More addresses than it has now are not refused either.
    assert (preflight({"proxy_listen": ["*"]}, under=under).code == 0) == ours


def test_workers_of_our_killed_nginx_are_not_in_our_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their command says nothing of whose they are; their process group is the noted master's."""
    module = load("modules", "split_preflight")
    monkeypatch.setattr(module, "RUN", str(tmp_path))
    note = tmp_path / "pf-news" / "pids" / "pf-news-nginx"
    assert not module.left_behind("pf-news", os.getpid(), "django-split-proxy")
    note.parent.mkdir(parents=True)
    note.write_text(f"{os.getpgrp()} 4711\n")
    assert module.left_behind("pf-news", os.getpid(), "django-split-proxy")
    assert not module.left_behind("pf-news", os.getpid(), "www-data")
    assert not module.left_behind("another", os.getpid(), "django-split-proxy")
    note.write_text("1 4711\n")
    assert not module.left_behind("pf-news", os.getpid(), "django-split-proxy")


def test_an_address_of_another_host_is_refused(preflight: Preflight) -> None:
    outcome = preflight({"proxy_listen": ["192.0.2.1"]})
    assert "the host has no such address" in outcome.problem('proxy_listen has "192.0.2.1"')


def test_a_host_without_ipv6_does_without(preflight: Preflight, own_namespace: Namespace) -> None:
    off = f"{UP}\necho 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"
    outcome = preflight({"proxy_listen": ["*", "[::]"]}, under=own_namespace(off))
    assert outcome.code == 0, outcome.message
    assert outcome.facts["ipv6"] is False
    outcome = preflight({"proxy_listen": ["[2001:db8::1]"]}, under=own_namespace(off))
    assert "the host has no IPv6" in outcome.problem('proxy_listen has "[2001:db8::1]"')


def test_ipv6_is_found_where_it_is(preflight: Preflight, own_namespace: Namespace) -> None:
    assert preflight(under=own_namespace(UP)).facts["ipv6"] is True


@pytest.mark.parametrize(
    ("release", "ending"),
    [
        ('ID=debian\nVERSION_ID="11"\nPRETTY_NAME="Debian GNU/Linux 11"', "refused"),
        ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"', "refused"),
        ('ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"', "warned"),
        ('ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"', "taken"),
    ],
)
def test_only_systems_that_are_tested_are_taken(
    preflight: Preflight, own_namespace: Namespace, tmp_path: Path, release: str, ending: str
) -> None:
    (tmp_path / "os-release").write_text(release + "\n")
    line = f"{UP}\nmount --bind {tmp_path}/os-release /etc/os-release"
    outcome = preflight(under=own_namespace(line))
    name = release.partition('PRETTY_NAME="')[2].rstrip('"')
    if ending == "refused":
        outcome.problem(f"{name} is not supported: Debian 12 and 13 are")
    else:
        assert outcome.code == 0, outcome.message
        assert (f"{name} is untested" in outcome.output) == (ending == "warned")


def test_without_root_it_says_how_to_be_root(preflight: Preflight) -> None:
    """In a user namespace, where root is nobody: files stay readable, the id is another."""
    if not shutil.which("unshare"):
        pytest.skip("needs unshare")
    outcome = preflight(under=("unshare", "--user") if os.geteuid() == 0 else ())
    name = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else "nobody"
    told = outcome.problem(f"the playbook works as root on the host, and came as {name}")
    assert "ansible_become: true" in told


def test_a_full_disk_is_seen(preflight: Preflight, own_namespace: Namespace) -> None:
    full = own_namespace(f"{UP}\nmount -t tmpfs -o size=20m none /srv")
    preflight(under=full).problem("/srv has 20 MB free, and a release needs up to 500 MB")


@pytest.mark.parametrize(
    ("passwd", "group", "told"),
    [
        ("pf-news-main:x:990:990::/:/bin/sh", "", "the user pf-news-main is"),
        ("anna:x:991:991::/:/bin/sh", "pf-news:x:991:", "the group pf-news is"),
        ("", "pf-news-store:x:992:daemon", "the group pf-news-store is"),
        (
            "pf-news-main:x:990:990::/:/bin/sh\npf-news-admin:x:993:990::/:/bin/sh",
            "",
            "the user pf-news-main and the user pf-news-admin are",
        ),
    ],
)
def test_names_that_are_somebody_elses_are_refused(
    preflight: Preflight,
    own_namespace: Namespace,
    tmp_path: Path,
    passwd: str,
    group: str,
    told: str,
) -> None:
    under = own_namespace(accounts(tmp_path, passwd, group))
    outcome = preflight(under=under)
    sentence = f'site_name is "pf-news": {told} on the host already, and not made by django-split'
    assert "Take another name." in outcome.problem(sentence)


def accounts(tmp_path: Path, passwd: str, group: str) -> str:
    """A shell line that adds users and groups, in an /etc of the test's own.

    A mount on /etc/group alone would be gone as soon as somebody on this machine adds a group.
    """
    for name, lines in (("passwd", passwd), ("group", group)):
        (tmp_path / name).write_text(lines + "\n" if lines else "")
    return (
        f"{UP}\nmount -t tmpfs none /var/lib\n"
        f"mkdir -p {tmp_path}/etc\ncp -a /etc/. {tmp_path}/etc\n"
        f"cat {tmp_path}/passwd >> {tmp_path}/etc/passwd\n"
        f"cat {tmp_path}/group >> {tmp_path}/etc/group\nmount --bind {tmp_path}/etc /etc"
    )


def test_what_a_killed_run_left_is_ours_once_it_is_claimed(
    preflight: Preflight, own_namespace: Namespace, tmp_path: Path
) -> None:
    """The file that claims the names is written before the first of them is made."""
    line = accounts(tmp_path, "pf-news-main:x:990:990::/:/bin/false", "pf-news:x:994:")
    assert preflight(under=own_namespace(line)).code != 0
    line += "\nmkdir -p /var/lib/django-split/pf-news\ntouch /var/lib/django-split/pf-news/owner"
    outcome = preflight(under=own_namespace(line))
    assert outcome.code == 0, outcome.message


def test_a_folder_of_somebody_elses_is_refused_until_it_is_known_to_be_ours(
    preflight: Preflight, own_namespace: Namespace
) -> None:
    line = (
        f"{UP}\nmount -t tmpfs none /srv\nmount -t tmpfs none /var/lib\n"
        "mkdir -p /srv/pf-news\ntouch /srv/pf-news/index.html"
    )
    outcome = preflight({"preflight_disk_megabytes": 0}, under=own_namespace(line))
    outcome.problem('site_name is "pf-news": /srv/pf-news is on the host already')
    empty = line.replace("touch /srv/pf-news/index.html", "mkdir /srv/pf-news/lost+found")
    assert preflight({"preflight_disk_megabytes": 0}, under=own_namespace(empty)).code == 0
    line += (
        "\nmkdir -p /var/lib/django-split/pf-news/manifests\n"
        "touch /var/lib/django-split/pf-news/owner "
        "/var/lib/django-split/pf-news/manifests/base.json"
    )
    outcome = preflight({"preflight_disk_megabytes": 0}, under=own_namespace(line))
    assert outcome.code == 0, outcome.message
    assert outcome.facts["manifest_exists"] is True


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are its user's alone."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to run a Python as nobody")
    with tempfile.TemporaryDirectory(prefix="django-split-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_python_that_the_sites_users_cannot_reach_is_refused(
    preflight: Preflight, open_folder: Path
) -> None:
    """A version manager's shim under root's home: root can run it, the instances' users cannot."""
    shim = program(open_folder, "home/python3", '#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    assert preflight({"site_python": str(shim)}).code == 0
    shim.parent.chmod(0o700)
    told = preflight({"site_python": str(shim)}).problem(f'site_python is "{shim}"')
    assert f"for {shim.parent} (0700) is closed to them" in told
    assert "/usr/bin/python3" in told


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '#!/bin/sh\necho \'{"version": [3, 9, 2], "abi": "cpython-39"}\'\n',
            "Python 3.9.2 is too",
        ),
        (
            '#!/bin/sh\necho \'{"version": [3, 12, 1], "abi": "c-312", "has_venv": false}\'\n',
            "it has no venv or no ensurepip",
        ),
        ("#!/bin/sh\necho broken pipe dream >&2; exit 1\n", "(broken pipe dream)"),
        ("#!/no/such/interpreter\n", "an unprivileged user cannot run it"),
    ],
)
def test_a_python_that_does_not_serve_is_refused(
    preflight: Preflight, open_folder: Path, text: str, sentence: str
) -> None:
    python = program(open_folder, "python3", text)
    assert sentence in preflight({"site_python": str(python)}).problem(f'site_python is "{python}"')
