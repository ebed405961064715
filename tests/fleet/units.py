"""What systemd says of a site's units on a host: effective properties, scores, doors."""

from __future__ import annotations

import shlex

from .hosts import Host

# The figures of docs/operating.md, for which `systemd-analyze security` is asked on the host.
SCORES = {
    "{site}-main@*.service": 1.0,
    "{site}-admin@*.service": 1.0,
    "{site}-store.service": 0.3,
    "django-split-nginx.service": 2.6,
}

PROCESS_SCORE, PROCESS_SCORE_SETGID = 1.2, 1.3

EVERYWHERE = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictNamespaces": "yes",
    # Never given up, however often it has ended.
    "StartLimitIntervalUSec": "0",
    "Restart": "always",
}
INSTANCE = {
    **EVERYWHERE,
    "CapabilityBoundingSet": "",
    "PrivateUsers": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "IPAddressDeny": "::/0 0.0.0.0/0",
    "RestartUSec": "200ms",
    "OOMPolicy": "continue",
    "TasksMax": "512",
    # A slice of its own, which systemd gives every template, would make the weights mean nothing.
    "Slice": "system.slice",
}
PROPERTIES = {
    "{site}-main@*.service": {**INSTANCE, "CPUWeight": "400", "SyslogIdentifier": "{site}-main"},
    "{site}-admin@*.service": {**INSTANCE, "CPUWeight": "50", "SyslogIdentifier": "{site}-admin"},
    "{site}-store.service": {
        **EVERYWHERE,
        "CapabilityBoundingSet": "",
        "PrivateUsers": "yes",
        "PrivateNetwork": "yes",
        "IPAddressDeny": "::/0 0.0.0.0/0",
        "MemoryMax": str((64 * 3 + 128) * 1024 * 1024),
        "RestartUSec": "200ms",
    },
    "django-split-nginx.service": {**EVERYWHERE, "CPUWeight": "500", "UMask": "0027"},
}


def names(host: Host, pattern: str) -> list[str]:
    """Loaded units of a name pattern."""
    listed = host.run(["systemctl", "list-units", "--plain", "--no-legend", pattern]).stdout
    return [line.split()[0] for line in listed.splitlines()]


def properties(host: Host, unit: str) -> dict[str, str]:
    """Every property of a unit, as it is in force."""
    shown = host.run(["systemctl", "show", "--all", unit]).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def score(host: Host, unit: str) -> float:
    """What `systemd-analyze security` makes of a unit, 0 (best) to 10."""
    said = host.run(["systemd-analyze", "security", "--no-pager", unit]).stdout
    return float(said.rsplit("exposure level for", 1)[1].split(":", 1)[1].split()[0])


def check(host: Host, site: str) -> None:
    """Assert that the site's units are in force as they are documented."""
    memory = 1024 * int(host.run("awk '/^MemTotal/ {print $2}' /proc/meminfo").stdout)
    for pattern, wanted in PROPERTIES.items():
        [unit] = names(host, pattern.format(site=site))
        seen = properties(host, unit)
        expected = {name: value.format(site=site) for name, value in wanted.items()}
        families = seen["RestrictAddressFamilies"].split()
        seen["RestrictAddressFamilies"] = " ".join(sorted(families))
        denied = seen["IPAddressDeny"].split()
        seen["IPAddressDeny"] = " ".join(sorted(denied, key=len))
        assert {name: seen[name] for name in expected} == expected, unit
        assert seen["SystemCallErrorNumber"] in ("1", "EPERM"), unit
        assert score(host, unit) <= SCORES[pattern], unit
    for instance, part in (("main", 0.5), ("admin", 0.25)):
        [unit] = names(host, f"{site}-{instance}@*.service")
        seen = properties(host, unit)
        assert abs(int(seen["MemoryMax"]) / memory - part) < 0.02, seen["MemoryMax"]
        assert int(seen["MemoryHigh"]) < int(seen["MemoryMax"])


def relaxed(host: Host, site: str) -> bool:
    """Whether main may make directories setgid (site_unit_relax)."""
    [unit] = names(host, f"{site}-main@*.service")
    return properties(host, unit)["RestrictSUIDSGID"] == "no"


def check_process(host: Host, unit: str) -> None:
    """Assert that one of the site's own processes runs as documented."""
    seen = properties(host, unit)
    wanted = EVERYWHERE | {"ActiveState": "active", "NRestarts": "0", "PrivateUsers": "yes"}
    assert {name: seen[name] for name in wanted} == wanted
    setgid = seen["RestrictSUIDSGID"] == "no"
    assert score(host, unit) <= (PROCESS_SCORE_SETGID if setgid else PROCESS_SCORE)


def opens(host: Host, unit: str, paths: list[str]) -> list[bool]:
    """Which paths a process with a unit's user, groups and user namespace can open.

    A socket is connected to, anything else is read.
    """
    kept = ("User", "Group", "SupplementaryGroups", "PrivateUsers")
    seen = properties(host, unit)
    words = [f"--property={name}={seen[name]}" for name in kept]
    code = """
import os, socket, stat, sys
for path in sys.argv[1:]:
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            socket.socket(socket.AF_UNIX).connect(path)
        else:
            open(path).close()
    except PermissionError:
        print("no")
    else:
        print("yes")
"""
    run = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", *words]
    command = shlex.join([*run, "/usr/bin/python3", "-c", code, *paths])
    return [line == "yes" for line in host.run(command).stdout.split()]
