#!/usr/bin/python
"""Certificates between a site's own hosts, from an authority of the site's own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: split_certificate
short_description: An authority, keys that stay where they were made, and certificates that last
description:
  - Four steps, each on the host that it is about, so that no private key ever travels.
  - openssl does the work; it comes with Debian.
options:
  step:
    description: >-
      C(authority) makes the authority once and returns its certificate. C(request) makes the host's
      key once and returns a request when its certificate is missing, ends soon, or is no longer
      right. C(sign) answers a request with a certificate. C(install) puts one beside its key.
    type: str
    choices: [authority, request, sign, install]
    required: true
  folder: {description: "Where the files lie: the authority's, or the host's.", type: path}
  site: {description: The site's name. Part of the names in the certificates., type: str}
  name: {description: "What it is for; names the files NAME.key and NAME.pem.", type: str}
  owner: {description: Who alone may read the key., type: str, default: root}
  names: {description: Names and addresses of the host., type: list, elements: str}
  authority: {description: "The authority's certificate.", type: str}
  request: {description: What C(request) has returned., type: str}
  certificate: {description: What C(sign) has returned., type: str}
  days: {description: How long a certificate is good., type: int, default: 825}
  renew_days: {description: How long before its end it is made anew., type: int, default: 275}
author: django-split
"""

RETURN = r"""
authority: {description: "The authority's certificate.", type: str, returned: step authority}
request: {description: "PEM, or empty when none is needed.", type: str, returned: step request}
why: {description: Why a certificate is needed., type: str, returned: step request}
certificate: {description: PEM., type: str, returned: step sign}
"""

import ipaddress
import os
import pwd
import re
import subprocess
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

OPTIONS = {
    "step": {
        "type": "str",
        "choices": ["authority", "request", "sign", "install"],
        "required": True,
    },
    "folder": {"type": "path"},
    "site": {"type": "str"},
    "name": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "names": {"type": "list", "elements": "str", "default": []},
    "authority": {"type": "str"},
    "request": {"type": "str"},
    "certificate": {"type": "str"},
    "days": {"type": "int", "default": 825},
    "renew_days": {"type": "int", "default": 275},
}
REQUIRED = [
    ("step", "authority", ["folder", "site"]),
    ("step", "request", ["folder", "site", "name", "names", "authority"]),
    ("step", "sign", ["folder", "names", "request"]),
    ("step", "install", ["folder", "name", "certificate"]),
]
# An authority outlives the hosts; who gets hold of its key can be any of them for that long.
AUTHORITY_DAYS = 7300
CURVE = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
DAY = 86400


class OpensslError(Exception):
    """openssl refused; the text is what it said."""


def openssl(*words: str, given: str = "") -> str:
    ended = subprocess.run(
        ["openssl", *words], input=given, capture_output=True, text=True, timeout=60
    )
    if ended.returncode:
        raise OpensslError(f"openssl {words[0]}: {ended.stderr.strip() or ended.stdout.strip()}")
    return ended.stdout


def holds(*words: str, given: str = "") -> bool:
    """Whether openssl says yes."""
    try:
        openssl(*words, given=given)
    except OpensslError:
        return False
    return True


def write(path: str, text: str, mode: int, owner: str = "root") -> None:
    """Put a file in its place in one step, so that a kill leaves the old one or the new one."""
    beside = f"{path}.new"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        if os.geteuid() == 0:
            account = pwd.getpwnam(owner)
            os.fchown(file.fileno(), account.pw_uid, account.pw_gid)
        os.fsync(file.fileno())
    os.rename(beside, path)


def read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def alternative_names(names: list[str]) -> str:
    """Names as the extension wants them: addresses are another kind."""
    kinds = []
    for name in dict.fromkeys(names):
        try:
            ipaddress.ip_address(name)
        except ValueError:
            kinds.append(f"DNS:{name}")
        else:
            kinds.append(f"IP:{name}")
    return ", ".join(kinds)


def authority(folder: str, site: str, check_mode: bool) -> dict[str, Any]:
    key, certificate = f"{folder}/ca.key", f"{folder}/ca.pem"
    # The certificate is written last: a key without one is of a run that was killed.
    there = read(certificate)
    if there and os.path.exists(key):
        return {"changed": False, "authority": there}
    if check_mode:
        return {"changed": True, "authority": ""}
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    write(key, openssl("genpkey", *CURVE), 0o400)
    made = openssl(
        *("req", "-x509", "-new", "-sha256", "-key", key, "-days", str(AUTHORITY_DAYS)),
        *("-subj", f"/O=django-split/CN={site} authority"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        # It signs hosts, and no further authorities.
        *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
    )
    write(certificate, made, 0o444)
    return {"changed": True, "authority": made}


def why_needed(options: dict[str, Any]) -> str:
    """Why the certificate has to be made; empty when it is right and goes on being so."""
    key, path = (f"{options['folder']}/{options['name']}.{kind}" for kind in ("key", "pem"))
    if not read(path):
        return "there is none"
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
        trusted.write(options["authority"])
        trusted.flush()
        if not holds("verify", "-CAfile", trusted.name, path):
            return "it is not this authority's, or has ended"
    if not holds("x509", "-in", path, "-noout", "-checkend", str(options["renew_days"] * DAY)):
        return f"it ends within {options['renew_days']} days"
    if openssl("x509", "-in", path, "-noout", "-pubkey") != openssl("pkey", "-in", key, "-pubout"):
        return "it is of another key"
    said = openssl("x509", "-in", path, "-noout", "-ext", "subjectAltName")
    # openssl writes "IP Address:" where it takes "IP:".
    has = set(re.findall(r"(?:DNS|IP Address):(\S+?)(?:,|\s|$)", said))
    if has != {_shown(name) for name in options["names"]}:
        return f"it names {', '.join(sorted(has))}"
    return ""


def _shown(name: str) -> str:
    """An address as openssl writes it: IPv6 in full, in capitals."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name
    if address.version == 4:
        return name
    return ":".join(f"{int(part, 16):X}" for part in address.exploded.split(":"))


def request(options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    folder, name, owner = options["folder"], options["name"], options["owner"]
    key = f"{folder}/{name}.key"
    if check_mode and not os.path.exists(key):
        return {"changed": True, "request": "", "why": "there is none"}
    changed = False
    if not os.path.exists(key):
        os.makedirs(folder, mode=0o755, exist_ok=True)
        write(key, openssl("genpkey", *CURVE), 0o400, owner)
        changed = True
    elif not check_mode and os.stat(key).st_uid != pwd.getpwnam(owner).pw_uid:
        write(key, read(key), 0o400, owner)
        changed = True
    why = why_needed(options)
    if not why:
        return {"changed": changed, "request": "", "why": ""}
    subject = f"/O=django-split/CN={options['site']} {name}"
    asked = openssl("req", "-new", "-sha256", "-key", key, "-subj", subject)
    return {"changed": True, "request": "" if check_mode else asked, "why": why}


def sign(options: dict[str, Any]) -> dict[str, Any]:
    folder = options["folder"]
    # What the request asks for beside its key and its name does not count: these are the names.
    extensions = "\n".join(
        [
            "basicConstraints = critical, CA:FALSE",
            "keyUsage = critical, digitalSignature",
            # Redis dials its own kind with the certificate that it answers with.
            "extendedKeyUsage = serverAuth, clientAuth",
            f"subjectAltName = {alternative_names(options['names'])}",
        ]
    )
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as file:
        file.write(extensions)
        file.flush()
        made = openssl(
            *("x509", "-req", "-sha256", "-days", str(options["days"]), "-extfile", file.name),
            *("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"),
            *("-set_serial", f"0x{os.urandom(16).hex()}"),
            given=options["request"],
        )
    return {"changed": True, "certificate": made}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, required_if=REQUIRED, supports_check_mode=True)
    options = module.params
    try:
        if options["step"] == "authority":
            result = authority(options["folder"], options["site"], module.check_mode)
        elif options["step"] == "request":
            result = request(options, module.check_mode)
        elif options["step"] == "sign":
            result = {"changed": True} if module.check_mode else sign(options)
        else:
            path = f"{options['folder']}/{options['name']}.pem"
            result = {"changed": read(path) != options["certificate"]}
            if result["changed"] and not module.check_mode:
                write(path, options["certificate"], 0o444)
    except FileNotFoundError as error:
        if error.filename != "openssl":
            raise
        # A host that has nothing yet: its packages come first.
        if not module.check_mode:
            module.fail_json(msg="openssl is not installed: run site.yml, which installs it")
        result = {"changed": True, "authority": "", "request": "", "why": "no openssl yet"}
    except OpensslError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
