"""HTTP over TCP and over unix sockets, with the Host header that the caller wants.

Every request has its own connection and a deadline for the whole answer, not only for each read: an
instance that sends a byte a second must not hold the deployment.
"""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

BODY_LIMIT = 4 * 1024 * 1024
REDIRECTS = 5
# What may stand in a request line as it is; a link in a page may hold a space or an umlaut.
URL_SAFE = "/%:=&?~+!$,;'@()*[]-._"


class NoAnswerError(Exception):
    """Nothing that is HTTP came back; the text says what happened instead."""


class Target(NamedTuple):
    """An address and a port, or the path of a unix socket (port 0).

    With the scheme https, TLS is spoken to a port, and `ca` (PEM) is trusted beside what the system
    trusts; a socket is told that nginx has been spoken to so.
    """

    address: str
    port: int = 0
    scheme: str = "http"
    ca: str = ""

    def __str__(self) -> str:
        if not self.port:
            return self.address
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


@dataclass(frozen=True)
class Cookie:
    """One Set-Cookie header; attribute names are in lower case."""

    name: str
    value: str
    attributes: dict[str, str]

    @property
    def deleted(self) -> bool:
        """Whether the header takes the cookie away."""
        return self.attributes.get("max-age") == "0" or not self.value.strip('"')


@dataclass(frozen=True)
class Answer:
    """A response; `path` is the one that was asked for."""

    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """All values of a header, comma-separated; "" where there is none."""
        return ", ".join(v for k, v in self.headers if k.lower() == name.lower())

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def html(self) -> str:
        """The body of an HTML page, and "" for a feed or a file."""
        kind = self.header("Content-Type").split(";")[0].strip().lower()
        return self.text if kind in ("text/html", "application/xhtml+xml") else ""

    @property
    def cookies(self) -> list[Cookie]:
        """Every cookie that the answer sets or deletes."""
        return [_cookie(v) for k, v in self.headers if k.lower() == "set-cookie"]

    @property
    def varies_by_cookie(self) -> bool:
        """Whether a cache must keep one copy per cookie."""
        return "cookie" in [part.strip().lower() for part in self.header("Vary").split(",")]


def _cookie(header: str) -> Cookie:
    pair, *rest = header.split(";")
    name, _, value = pair.partition("=")
    attributes = {}
    for part in rest:
        key, _, text = part.partition("=")
        attributes[key.strip().lower()] = text.strip()
    return Cookie(name.strip(), value.strip(), attributes)


def connect(target: Target, timeout: float) -> socket.socket:
    """A connected socket; raises OSError."""
    if target.port:
        return socket.create_connection((target.address, target.port), timeout)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(target.address)
    except BaseException:
        sock.close()
        raise
    return sock


@functools.lru_cache(maxsize=4)
def trusting(ca: str) -> ssl.SSLContext:
    """What a browser of an operator's would trust. Reading all of the system's takes a moment."""
    context = ssl.create_default_context()
    # From 3.13 on Python refuses what no browser does: one without its authority's key id.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca:
        context.load_verify_locations(cadata=ca)
    return context


def secure(target: Target, host: str, timeout: float) -> ssl.SSLSocket:
    """A connection on which TLS is spoken, to the name in a Host header; raises OSError."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    sock = connect(target, timeout)
    try:
        return trusting(target.ca).wrap_socket(sock, server_hostname=name.strip("[]"))
    except BaseException:
        sock.close()
        raise


class _Connection(http.client.HTTPConnection):
    def __init__(self, target: Target, host: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._target = target
        self._host_header = host
        self._seconds = timeout

    def connect(self) -> None:
        if self._target.port and self._target.scheme == "https":
            self.sock = secure(self._target, self._host_header, self._seconds)
        else:
            self.sock = connect(self._target, self._seconds)


def request(
    target: Target,
    host: str,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 10.0,
) -> Answer:
    """One request, one answer; redirects are not followed. Raises NoAnswerError."""
    deadline = time.monotonic() + timeout
    connection = _Connection(target, host, timeout)
    sent = quote(path, safe=URL_SAFE)
    try:
        connection.putrequest(method, sent, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        connection.putheader("User-Agent", "django-split-verify")
        connection.putheader("Connection", "close")
        if not target.port and target.scheme == "https":
            connection.putheader("X-Forwarded-Proto", "https")
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(
            path, response.status, tuple(response.getheaders()), _read(response, deadline)
        )
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise NoAnswerError(f"{method} {path} on {target}: {reason(error)}") from error
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    body = b""
    while len(body) < BODY_LIMIT:
        if time.monotonic() > deadline:
            raise TimeoutError("the answer did not end in time")
        # read1 returns what is there; read(n) would wait for all n bytes of a slow answer
        chunk = response.read1(65536)
        if not chunk:
            return body
        body += chunk
    return body


def reason(error: BaseException) -> str:
    """An exception as an operator reads it."""
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without a response"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not to be trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def raw(target: Target, data: bytes, timeout: float, name: str = "") -> bytes:
    """Send bytes and return the first bytes of the answer; b"" when the other end just closed.

    Over TLS, `name` is asked for in the handshake, and a handshake that is refused is a close.
    """
    if target.port and target.scheme == "https":
        return _raw_tls(target, data, timeout, name)
    with connect(target, timeout) as sock:
        sock.sendall(data)
        try:
            return sock.recv(4096)
        except ConnectionResetError:
            return b""


def _raw_tls(target: Target, data: bytes, timeout: float, name: str) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Whether there is an answer at all is asked here; who gives it is looked at elsewhere.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with connect(target, timeout) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=name or None) as sock:
                sock.sendall(data)
                return sock.recv(4096)
        except (ssl.SSLError, ConnectionResetError):
            return b""


def wait_for(targets: list[Target], seconds: float) -> None:
    """Wait until each target accepts a connection. After that the claims say what is missing."""
    deadline = time.monotonic() + seconds
    for target in targets:
        while True:
            try:
                connect(target, 1.0).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)


@dataclass
class Browser:
    """Keeps cookies and follows redirects within one host, as a visitor's browser does."""

    target: Target
    host: str
    timeout: float = 10.0
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The origin that a browser would send."""
        return f"{self.target.scheme}://{self.host}"

    def ask(self, path: str, form: Mapping[str, str] | None = None) -> Answer:
        """GET a path, or POST a form to it; cookies that the answer sets are kept."""
        headers = {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            # Both, because a browser sends both: this also tries CSRF_TRUSTED_ORIGINS
            headers["Origin"] = self.origin
            headers["Referer"] = self.origin + path
            body = urlencode(form).encode()
        answer = request(
            self.target,
            self.host,
            path,
            method="GET" if form is None else "POST",
            headers=headers,
            body=body,
            timeout=self.timeout,
        )
        for cookie in answer.cookies:
            if cookie.deleted:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value
        return answer

    def visit(self, path: str) -> Answer:
        """GET a path and follow redirects. Raises NoAnswerError on a loop or a way off the host."""
        answer = self.ask(path)
        for _ in range(REDIRECTS):
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            answer = self.ask(self.local(answer))
        raise NoAnswerError(
            f"GET {path}: more than {REDIRECTS} redirects, the last to {answer.path}"
        )

    def local(self, answer: Answer) -> str:
        """Where a redirect leads, as a path of this host. Raises NoAnswerError for another host."""
        location = answer.header("Location")
        path = local_path(self.host, answer.path, location, self.target.scheme)
        if path is None:
            raise NoAnswerError(f"GET {answer.path}: redirects to another host, {location}")
        return path


def local_path(host: str, base: str, link: str, scheme: str = "http") -> str | None:
    """A link in the page `base` as path and query of this host; None when it leads elsewhere."""
    try:
        url = urlsplit(urljoin(f"{scheme}://{host}{base}", link))
    except ValueError:
        return None
    if url.scheme != scheme or url.netloc.lower() != host.lower():
        return None
    return (url.path or "/") + (f"?{url.query}" if url.query else "")
