"""What one client may ask of the site, and what the others get meanwhile."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nginx.stage import Site, exchange, request, site


@pytest.fixture
def limited() -> Iterator[Site]:
    with site(admin_login_rate="12r/m", admin_login_burst=5) as built:
        built.start()
        yield built


def attempts(
    built: Site, count: int, target: str = "/admin/login/", **details: object
) -> Counter[int]:
    return Counter(
        built.ask(target, method="POST", body=b"u=x", **details).status for _ in range(count)
    )


def test_sixth_login_in_a_row_still_works_and_the_twentieth_does_not(limited: Site) -> None:
    seen = attempts(limited, 20)
    # One, the burst, and one more every five seconds that the twenty took.
    assert 6 <= seen[200] <= 8
    assert seen[200] + seen[429] == 20


def test_refused_login_says_when_to_come_back(limited: Site) -> None:
    attempts(limited, 8)
    response = limited.ask("/admin/login/", method="POST", body=b"u=x")
    assert (response.status, response.header("retry-after")) == (429, "60")
    assert response.header("cache-control") == "no-store"
    assert b"Too many attempts to sign in" in response.body


def test_only_logins_are_counted(limited: Site) -> None:
    attempts(limited, 8)
    for _ in range(10):
        assert limited.ask("/admin/login/").status == 200
        assert limited.ask("/admin/news/article/add/", method="POST", body=b"x").status == 200
        assert limited.ask("/contact/", method="POST", body=b"x").status == 200


@pytest.mark.parametrize(
    "target",
    [
        *["/admin/login/?next=/admin/", "/admin/%6cogin/", "/admin/x/../login/", "/admin//login/"],
        *["/admin/login/%0a", "/admin/./login/", "/django-admin/login/", "/accounts/login/"],
    ],
)
def test_another_spelling_of_the_login_is_the_same_login(limited: Site, target: str) -> None:
    if target == "/accounts/login/":
        target = "/accounts/login/login/"
    attempts(limited, 8)
    assert limited.ask(target, method="POST", body=b"u=x").status == 429


def test_limit_is_not_passed_by_claiming_another_address(limited: Site) -> None:
    seen: Counter[int] = Counter()
    for number in range(12):
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "X_FORWARDED_FOR": f"10.0.1.{number}"}
        seen += attempts(limited, 1, headers=headers)
    assert seen[429] >= 4


def test_body_up_to_the_limit_arrives_whole(gazette: Site) -> None:
    body = b"x" * (2 * 1024 * 1024)
    assert gazette.ask("/upload/", method="POST", body=body).said["body"] == len(body)


@pytest.mark.parametrize("target", ["/upload/", "/admin/upload/"])
def test_body_over_the_limit_reaches_nobody(gazette: Site, target: str) -> None:
    response = gazette.ask(target, method="POST", body=b"x" * (2 * 1024 * 1024 + 1))
    assert (response.status, response.instance) == (413, "nginx")


def test_slow_senders_hold_no_worker(gazette: Site) -> None:
    """More half-sent requests than there are workers; everybody else is served meanwhile."""
    head = request("/upload/", method="POST", headers={"Content-Length": "100"})
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", gazette.port)))
            slow.sendall(head + b"x")
        started = time.monotonic()
        assert gazette.ask("/").instance == "main"
        assert time.monotonic() - started < 3


@pytest.mark.slow
def test_who_sends_headers_for_more_than_ten_seconds_is_cut_off(gazette: Site) -> None:
    with socket.create_connection(("127.0.0.1", gazette.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        started = time.monotonic()
        # nginx resets the connection: nothing of it stays behind in the kernel.
        with contextlib.suppress(ConnectionResetError):
            assert slow.recv(1) == b""
        assert 8 < time.monotonic() - started < 15


def workers(master: int) -> set[int]:
    """The processes that a gunicorn answers with."""
    return set(map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split()))


@pytest.mark.parametrize("threads", [1, 4])
def test_flip_moves_the_traffic_without_a_failure_or_a_reload(threads: int) -> None:
    """Kept connections too: within two seconds nothing asks the old release any more."""
    with site(main_threads=threads) as built:
        built.start()
        statuses: Counter[int | None] = Counter()
        late: Counter[int] = Counter()
        flipped = threading.Event()
        done = threading.Event()
        moved = [0.0]

        def visit(method: str) -> None:
            while not done.is_set():
                sent = time.monotonic()
                response = exchange(
                    ("127.0.0.1", built.port), request("/pid", method=method, body=b"x")
                )
                statuses[response.status if response else None] += 1
                if flipped.is_set() and response and sent > moved[0] + 2:
                    late[response.said["pid"]] += 1

        visitors = [
            threading.Thread(target=visit, args=(method,)) for method in ("GET", "POST") * 2
        ]
        for visitor in visitors:
            visitor.start()
        old = built.processes["main-r1"].pid
        built.start_instance("main", "r2")
        built.flip("main", "r2")
        moved[0] = time.monotonic()
        flipped.set()
        time.sleep(2.2)
        built.stop_one("main-r1")
        time.sleep(0.8)
        done.set()
        for visitor in visitors:
            visitor.join()
        assert set(statuses) == {200}, (statuses, old)
        # All workers of the new one: of two, a busy machine may let the same one answer for long.
        assert set(late) <= workers(built.processes["main-r2"].pid)
        assert late
