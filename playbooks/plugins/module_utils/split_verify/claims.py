"""Look at every claim of a deployed site, in the order of the table."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from . import (
    apart,
    login,
    maintenance,
    pages,
    programs,
    restrictions,
    rights,
    sessions,
    tls,
    walls,
    watched,
)
from .probe import SETTINGS, Instance, ProbeError, Running, result
from .process import Process, listener
from .row import Row, not_checked
from .site import PlanError, Site
from .web import Browser, reason, wait_for

# A deploy ends a moment before this begins, and nginx takes up a new configuration in its own time
SECONDS_TO_LISTEN = 5.0
Probes = dict[str, "Running | str"]


def verify(arguments: Mapping[str, Any], *, check_mode: bool = False) -> list[Row]:
    """All rows. Nothing is written but a login, and that not in check mode."""
    try:
        site = Site.of(arguments)
    except PlanError as error:
        claim = "a release serves"
        if check_mode:
            return [not_checked("release.plan", claim, f"nothing is deployed here yet ({error})")]
        return [Row("release.plan", claim, False, str(error))]
    if row := maintenance.closed({name: site[f"{name}_socket"] for name in ("main", "admin")}):
        return [row]
    wait_for([*site.instances.values(), *site.proxies], SECONDS_TO_LISTEN)
    processes = {name: _listener(site[f"{name}_socket"]) for name in site.parts}
    who = "it is a write, and this is check mode" if check_mode else login.credentials(site)
    probes = _start(site, processes, who, check_mode)
    try:
        if site.apart:
            return _look_apart(site, processes, who, probes)
        return _look(site, processes, who, probes)
    finally:
        for probe in probes.values():
            if isinstance(probe, Running):
                probe.stop()


def _listener(path: str) -> Process | str:
    try:
        return listener(path)
    except OSError as error:
        return f"{path}: {reason(error)}"


def _start(
    site: Site,
    processes: Mapping[str, Process | str],
    who: tuple[str, str] | str,
    check_mode: bool,
) -> Probes:
    """Begin what takes a Django set-up, half a second each; the pages are looked at meanwhile."""
    probes: Probes = {}
    for name in site.instances:
        process = processes[name]
        if isinstance(process, str):
            probes[name] = process
            continue
        try:
            instance = Instance(name, process, site["manage"])
            probes[name] = instance.start(f"{name}'s settings", ["-c", SETTINGS])
            if name == "admin" and not isinstance(who, str):
                check = login.known(site, instance, who)
                if check:
                    probes["superuser"] = check
            if name == "admin":
                probes["restrictions"] = restrictions.start(instance)
            if name == "main" and site["database"]:
                probes["rights"] = rights.start(instance)
            if name == "main" and site.has_public_sessions and not check_mode:
                probes["sessions"] = sessions.start(instance)
        except (OSError, ProbeError) as error:
            probes[name] = str(error)
    return probes


def _look_apart(
    site: Site,
    processes: Mapping[str, Process | str],
    who: tuple[str, str] | str,
    probes: Probes,
) -> list[Row]:
    rows = apart.proxy(site) if site.proxies else []
    if site.instances:
        rows += apart.instances(site, processes, who, probes)
    return [*rows, _nginx(site)]


def _look(
    site: Site,
    processes: Mapping[str, Process | str],
    who: tuple[str, str] | str,
    probes: Probes,
) -> list[Row]:
    crawled = pages.crawl(site)
    browser = Browser(site.proxies[0], site.admin_host, site.timeout)
    page_row, page = login.login_page(site, browser)
    main, admin = (result(site.timeout, probes[name]) for name in ("main", "admin"))
    cookies = {"sessionid"}
    cookies.update(one["session_cookie"] for one in (main, admin) if isinstance(one, dict))

    own = {admin["session_cookie"]} if isinstance(admin, dict) else set()
    rows = pages.pages(site, crawled, own if site.has_public_sessions else cookies)
    rows.append(pages.old_cookie(site, cookies))
    rows += pages.own_socket(site)
    rows += _settings(site, main)
    if site.has_public_sessions:
        asked = probes.get("sessions") or (main if isinstance(main, str) else None)
        rows.append(sessions.row(site, asked and result(site.timeout, asked)))
    rows.append(
        restrictions.row(site, result(site.timeout, probes.get("restrictions") or str(admin)))
    )
    if site["admin_host"]:
        rows += pages.own_host(site)
    rows.append(page_row)
    if site.admin_path.endswith("/") and site.admin_path != "/":
        rows.append(login.slash(site))
    rows += login.sign_in_and_out(
        site, processes["admin"], browser, page, who, admin, probes.get("superuser")
    )
    if isinstance(admin, dict):
        rows.append(login.static_file(site, page, admin))
    rows += tls.rows(site)
    rows.append(pages.unknown_host(site))
    rows.append(_nginx(site))
    rows.append(programs.row(site, processes))
    rows += watched.rows(site)
    rows.append(walls.users(site, processes))
    rows.append(walls.no_ports(processes))
    rows += walls.closed_doors(site)
    rows += walls.modes(site)
    if site["database"]:
        rows += rights.rows(site, result(site.timeout, probes.get("rights") or str(main)))
    elif isinstance(main, dict) and isinstance(admin, dict):
        rows.append(walls.database(main, admin))
    return rows


def _settings(site: Site, main: Mapping[str, Any] | str) -> list[Row]:
    if isinstance(main, str):
        return [Row("main.apps", pages.without(site), False, main)]
    return pages.settings(site, main)


def _nginx(site: Site) -> Row:
    name, claim = "proxy.configuration", "nginx accepts its installed configuration"
    command = list(site["nginx_test"])
    if not command:
        return not_checked(name, claim, "no nginx_test was given")
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=3 * site.timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Row(name, claim, False, f"{command[0]}: {reason(error)}")
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    # The first error is the cause; the last line only says that the test failed
    wrong = [line for line in lines if "[emerg]" in line or "[crit]" in line or "[alert]" in line]
    seen = (wrong or lines[-1:] or ["no output"])[0]
    return Row(name, claim, done.returncode == 0, seen.removeprefix("nginx: "))
