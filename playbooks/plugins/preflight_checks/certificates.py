"""A certificate and its key: whether browsers will take them for the site's names."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from cryptography import x509

from .values import Finding

CERTIFICATE, KEY = "proxy_tls_certificate", "proxy_tls_key"
FILES = (CERTIFICATE, KEY)
# What begins so is on the host already, and is renewed there.
ON_HOST = "host:"
# Who renews by hand needs some days; certbot renews thirty days before the end.
DAYS = 14


def given(values: Mapping[str, Any], loader: Any) -> Iterator[Finding]:
    """What is wrong with the files that lie on this machine; the host looks at its own."""
    paths = {name: str(values[name]) for name in (CERTIFICATE, KEY)}
    here = {name: path for name, path in paths.items() if not path.startswith(ON_HOST)}
    real: dict[str, str] = {}
    for name, path in here.items():
        try:
            # A vaulted file is decrypted into one that only we can read.
            real[name] = loader.get_real_file(path)
        except (AnsibleError, OSError) as error:
            yield Finding(name, f'{name} is "{path}": {_reason(error, path)}')
    if KEY in real and real[KEY] == here[KEY]:
        mode = os.stat(real[KEY]).st_mode
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Finding(KEY, open_key(here[KEY], mode))
    if len(real) == 2:
        yield from pair(here[CERTIFICATE], here[KEY], real[CERTIFICATE], real[KEY])


def _reason(error: Exception, path: str) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if not os.path.exists(path):
        return "no such file on the machine that runs ansible-playbook"
    return " ".join(str(error).split())


def open_key(path: str, mode: int) -> str:
    """Who has the key is the site."""
    return (
        f'{KEY} is "{path}", which everybody on its machine may read or write '
        f"({stat.S_IMODE(mode):04o}). Make it the owner's alone: chmod 600 {path}"
    )


def pair(certificate: str, key: str, certificate_file: str, key_file: str) -> Iterator[Finding]:
    """Whether nginx could load the two; the first two paths are those that messages show."""
    for name, path, file, mark in (
        (CERTIFICATE, certificate, certificate_file, "CERTIFICATE-----"),
        (KEY, key, key_file, "PRIVATE KEY-----"),
    ):
        try:
            with open(file, encoding="ascii", errors="replace") as stream:
                text = stream.read()
        except OSError as error:
            yield Finding(name, f'{name} is "{path}": {_reason(error, path)}')
            return
        if f"-----BEGIN {mark}" not in text and mark not in text:
            what = "certificate" if name == CERTIFICATE else "private key"
            yield Finding(name, f'{name} is "{path}": there is no {what} in it (PEM is asked for)')
            return
        if name == KEY and "ENCRYPTED" in text:
            yield Finding(
                name,
                f'{name} is "{path}": it has a passphrase, and nobody is there to type it when '
                f"nginx starts. Take it off (openssl pkey -in {path} -out NEW), and keep the file "
                "in Ansible Vault",
            )
            return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate_file, key_file)
    except ssl.SSLError as error:
        yield Finding(KEY, f'{KEY} is "{key}": {mismatch(error, certificate)}')


def mismatch(error: ssl.SSLError, certificate: str) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"not the key of the first certificate in {certificate} "
            "(the site's own stands first, then those that lead to its authority)"
        )
    return f"OpenSSL cannot load it with {certificate} ({error.reason or error})"


def content(
    path: str, text: bytes, names: list[tuple[str, str]], served: bool = False
) -> Iterator[Finding]:
    """Names and dates of a certificate; `names` are (variable, host name).

    One that is `served` already is not refused for its end: a run makes nothing worse for
    visitors, and may bring what they need more.
    """
    said = f'{CERTIFICATE} is "{path}": '
    try:
        certificate = x509.load_pem_x509_certificates(text)[0]
    except ValueError as error:
        yield Finding(CERTIFICATE, f"{said}it cannot be read ({error})")
        return
    now = datetime.datetime.now(datetime.timezone.utc)
    if certificate.not_valid_after_utc < now:
        if not served:
            ended = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
            yield Finding(CERTIFICATE, f"{said}it ended on {ended}. Renew it.")
    elif certificate.not_valid_before_utc > now:
        yield Finding(
            CERTIFICATE,
            f"{said}it begins only on {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
        )
    known = alternatives(certificate)
    for variable, name in names:
        if not any(covers(pattern, name) for pattern in known):
            listed = ", ".join(known) or "no name at all"
            yield Finding(
                variable,
                f'{variable} {"has" if variable == "site_hosts" else "is"} "{name}", which is not '
                f"in the certificate {path} (it has {listed}). Have one made for all names, or "
                "take the name out.",
                name,
            )


def same(text: bytes, other: bytes) -> bool:
    """Whether two files have one certificate; which authorities follow it does not matter."""
    try:
        first, second = (x509.load_pem_x509_certificates(each)[0] for each in (text, other))
    except ValueError:
        return False
    return first == second


def remark(path: str, text: bytes, served: bool = False) -> str:
    """What is worth a warning: a certificate that ends soon, or that visitors see ended."""
    try:
        end = x509.load_pem_x509_certificates(text)[0].not_valid_after_utc
    except ValueError:
        return ""
    days = (end - datetime.datetime.now(datetime.timezone.utc)).days
    if days < 0:
        return f"{path} ended on {end:%Y-%m-%d}, and browsers refuse it: renew it" if served else ""
    return f"{path} ends in {days} days ({end:%Y-%m-%d})" if days < DAYS else ""


def alternatives(certificate: x509.Certificate) -> list[str]:
    """The names that browsers look at. They have not read the common name for years."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in found.get_values_for_type(x509.DNSName)] + addresses


def covers(pattern: str, host: str) -> bool:
    """A star is the whole first label, of a name and never of an address (RFC 9525)."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        return pattern == str(address)
    if pattern.startswith("*."):
        first, _, rest = host.partition(".")
        return bool(first) and rest == pattern[2:]
    return pattern == host
