"""Claims about TLS: plain HTTP is sent on, the certificate is good and stays so for a while."""

from __future__ import annotations

import ssl
import time

from .row import Row, listed
from .site import Site
from .web import NoAnswerError, Target, reason, request, secure

# Who renews by hand needs some days; certbot renews thirty days before the end.
DAYS = 14


def rows(site: Site) -> list[Row]:
    """None without TLS."""
    return [redirect(site), certificate(site)] if site.plain_proxies else []


def redirect(site: Site) -> Row:
    """Whoever types the name, or follows an old link, ends up on https at the same page."""
    claim = "plain HTTP is redirected to https"
    path, seen, right = "/?from=verify", [], True
    for proxy in site.plain_proxies:
        for host in dict.fromkeys([site.host, site.admin_host]):
            try:
                answer = request(proxy, host, path, timeout=site.timeout)
            except NoAnswerError as error:
                seen.append(str(error))
                right = False
                continue
            location = answer.header("Location")
            good = answer.status in (301, 308) and location == f"https://{host}{path}"
            right = right and good
            if not good or not seen:
                seen.append(f"{proxy}: {answer.status} {location}".strip())
    return Row("proxy.redirect", claim, right, listed(seen))


def certificate(site: Site) -> Row:
    """Every address shows one that is trusted for the name, and that does not end soon.

    Not false below 14 days, when everything works still: a row that says so, and the timer's unit
    that fails (docs/tls.md).
    """
    name, claim = "proxy.certificate", "the certificate is trusted and good for a while"
    seen, days = [], []
    for proxy in site.proxies:
        for host in dict.fromkeys([site.host, site.admin_host]):
            try:
                left, spoken = _shown(proxy, host, site.timeout)
            except OSError as error:
                return Row(name, claim, False, f"{host} on {proxy}: {reason(error)}")
            days.append(left)
            seen.append(f"{host}: {left} days, {spoken}")
    soon = min(days) < DAYS
    text = listed(list(dict.fromkeys(seen)))
    return Row(name, claim, None if soon else True, f"renew it: {text}" if soon else text)


def _shown(proxy: Target, host: str, timeout: float) -> tuple[int, str]:
    with secure(proxy, host, timeout) as sock:
        found = sock.getpeercert() or {}
        cipher = sock.cipher() or ("no cipher", "", 0)
        ends = ssl.cert_time_to_seconds(str(found["notAfter"]))
        return int(ends - time.time()) // 86400, f"{sock.version()}, {cipher[0]}"
