"""A store on another machine: one deadline for a slow one, and TLS that checks who answers."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from django_split.sessions.errors import StoreUnavailableError
from django_split.sessions.store import Store
from tests.support.stores import redis_server


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def slow_server(seconds: float) -> Iterator[int]:
    """Says OK to everything, but each time only after a while."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(4096):
                    time.sleep(seconds)
                    try:
                        connection.sendall(b"+OK\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_all_steps_together_have_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SPLIT_STORE_PASSWORD", "secret")
    with slow_server(0.9) as port:
        # AUTH and SELECT: each within the timeout, but not together.
        store = Store(f"redis://127.0.0.1:{port}/1", "site:", timeout=1)
        begun = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="no answer within 1 s"):
            store.get("one")
        assert 0.9 < time.monotonic() - begun < 1.5  # 1.8 if each had its own


def test_host_that_refuses_and_one_that_nobody_knows() -> None:
    for url in (f"redis://127.0.0.1:{free_port()}/0", "redis://nowhere.invalid/0"):
        with pytest.raises(StoreUnavailableError):
            Store(url, "site:").get("one")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two authorities, ca and other, and a certificate of ca's for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        subject = ["-subj", f"/CN={name}", "-days", "2", "-nodes"]
        out = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
        openssl("req", "-x509", "-newkey", "rsa:2048", *subject, *out)
    openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=store",
        *["-keyout", "key", "-out", "csr"],
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    signed = "x509 -req -in csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -days 2"
    openssl(*signed.split(), "-out", "crt")
    return folder


def test_tls_asks_for_a_certificate_of_the_stores_authority_and_name(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    files = f"--tls-cert-file {authority}/crt --tls-key-file {authority}/key"
    files += f" --tls-ca-cert-file {authority}/ca.crt --tls-auth-clients no --tls-port {port}"
    with redis_server(*files.split(), "--requirepass", "secret"):
        monkeypatch.setenv("DJANGO_SPLIT_STORE_PASSWORD", "secret")
        monkeypatch.setenv("DJANGO_SPLIT_STORE_CA", f"{authority}/ca.crt")
        store = Store(f"rediss://127.0.0.1:{port}/1", "site:")
        assert store.add("one", b"1" * 100_000, 60)
        assert store.get("one") == b"1" * 100_000
        by_name = Store(f"rediss://localhost:{port}/1", "site:")
        with pytest.raises(StoreUnavailableError, match="mismatch"):
            by_name.get("one")
        monkeypatch.setenv("DJANGO_SPLIT_STORE_CA", f"{authority}/other.crt")
        with pytest.raises(StoreUnavailableError, match="certificate verify failed"):
            Store(f"rediss://127.0.0.1:{port}/1", "site:").get("one")
