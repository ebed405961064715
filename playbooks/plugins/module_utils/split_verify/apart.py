"""The claims about one host of several: of each, those that can be seen from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from . import login, pages, restrictions, tls, walls
from .markup import read
from .probe import Running, result
from .process import Process
from .row import Row, listed, not_checked
from .site import Site
from .web import Answer, Browser, NoAnswerError, Target, local_path, request

# What one host says "through nginx" of.
LOGIN = {"admin.login": "a login at this host's socket works"}


def proxy(site: Site) -> list[Row]:
    """What visitors of this proxy get, and who answers it."""
    cookies = {"sessionid", site.plan["admin"].get("session", {}).get("cookie") or "sessionid"}
    rows = pages.pages(site, pages.crawl(site), cookies)
    rows.append(pages.old_cookie(site, cookies))
    if site["admin_host"]:
        rows += pages.own_host(site)
    browser = Browser(site.proxies[0], site.admin_host, site.timeout)
    row, page = login.login_page(site, browser)
    rows.append(row)
    if site.admin_path.endswith("/") and site.admin_path != "/":
        rows.append(login.slash(site))
    rows.append(_static_file(site, page))
    rows += tls.rows(site)
    rows.append(pages.unknown_host(site))
    return rows + [backend(site, each) for each in site["backends"]]


def backend(site: Site, one: Mapping[str, Any]) -> Row:
    """A host of an instance answers this proxy, asked past nginx."""
    name = f"backend.{one['instance']}.{one['host']}"
    claim = f"{one['instance']} on {one['host']} answers this proxy"
    host, path = site.host, "/"
    if one["instance"] == "admin":
        host, path = site.admin_host, site.login_path
    target = Target(one["address"].strip("[]"), one["port"])
    try:
        answer = request(target, host, path, timeout=site.timeout)
    except NoAnswerError as error:
        return Row(name, claim, False, str(error))
    right = answer.status < 500 and answer.status != 403
    return Row(name, claim, right, f"{target}{path}: {answer.status}")


def _static_file(site: Site, page: Answer | None) -> Row:
    """A file that the login page needs: it came from the host that built the release, and the
    release's own are here too.
    """
    name, claim = "proxy.static", "nginx serves the admin's static files"
    if page is None:
        return not_checked(name, claim, "no login page to take one from")
    prefix = site.plan["proxy"].get("static_url") or ""
    root = site.plan["proxy"].get("static_root") or ""
    assets = read(page.html).assets
    links = [local_path(site.admin_host, page.path, link, site.scheme) for link in assets]
    paths = [link for link in links if link and prefix and link.startswith(prefix)]
    if not paths:
        return not_checked(name, claim, f"the login page names no file below {prefix or 'one URL'}")
    wrong = []
    for path in paths:
        try:
            answer = request(site.proxies[0], site.admin_host, path, timeout=site.timeout)
        except NoAnswerError as error:
            wrong.append(str(error))
            continue
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
            continue
        file = Path(root, unquote(urlsplit(path).path[len(prefix) :]))
        if root and file.is_file() and file.read_bytes() != answer.body:
            wrong.append(f"{path}: 200, but it is not {file}")
    return Row(name, claim, not wrong, listed(wrong) if wrong else f"{len(paths)} files: 200")


def instances(
    site: Site,
    processes: Mapping[str, Process | str],
    who: tuple[str, str] | str,
    probes: Mapping[str, Running | str],
) -> list[Row]:
    """The instances of this host, past nginx, and what stands around them."""
    rows: list[Row] = []
    if "main" in site.parts:
        rows += pages.own_socket(site)
        main = result(site.timeout, probes["main"])
        if isinstance(main, str):
            rows.append(Row("main.apps", pages.without(site), False, main))
        else:
            rows += pages.settings(site, main)
    if "admin" in site.parts:
        admin = result(site.timeout, probes["admin"])
        asked = probes.get("restrictions") or str(admin)
        rows.append(restrictions.row(site, result(site.timeout, asked)))
        # At its own socket: whichever host a proxy asks has to let people in.
        browser = Browser(site.admin, site.admin_host, site.timeout)
        row, page = login.login_page(site, browser)
        tried = login.sign_in_and_out(
            site, processes["admin"], browser, page, who, admin, probes.get("superuser")
        )
        rows += [row, *(replace(one, claim=LOGIN.get(one.name, one.claim)) for one in tried)]
    rows.append(walls.users(site, processes))
    rows.append(walls.no_ports(processes))
    rows += walls.closed_doors(site)
    return rows + walls.modes(site)
