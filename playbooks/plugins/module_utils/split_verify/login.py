"""Claims about the admin through nginx: its login page, its files, a login from start to end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .markup import Form, read
from .probe import Instance, ProbeError, Running, result
from .process import Process
from .row import Row, not_checked
from .site import Site
from .web import (
    Answer,
    Browser,
    Cookie,
    NoAnswerError,
    local_path,
    request,
)

CLAIMS = {
    "admin.login": "a login through nginx works",
    "admin.session": "its session is in the store only",
    "admin.cookie": "its cookie is HttpOnly and SameSite",
    "admin.logout": "its logout leaves nothing behind",
}
# With an engine that writes through, the database row is what survives the store
SESSION_BOTH = "its session is in the store and the database"
TOKEN = "csrfmiddlewaretoken"  # noqa: S105  # the name of a form's field


def slash(site: Site) -> Row:
    """The admin's path without its slash redirects, or a bookmark of it would reach main."""
    bare = site.admin_path.rstrip("/")
    claim = f"{bare} redirects to {site.admin_path}"
    try:
        answer = request(site.proxies[0], site.admin_host, bare, timeout=site.timeout)
    except NoAnswerError as error:
        return Row("admin.slash", claim, False, str(error))
    location = answer.header("Location")
    onward = local_path(site.admin_host, bare, location, site.scheme) if location else None
    right = answer.status in (301, 302, 307, 308) and onward == site.admin_path
    return Row("admin.slash", claim, right, f"{answer.status} {location}".strip())


def login_page(site: Site, browser: Browser) -> tuple[Row, Answer | None]:
    """What a visitor of the admin's path is shown."""
    claim = f"{site.admin_path} shows the login"
    try:
        answer = browser.visit(site.admin_path)
    except NoAnswerError as error:
        return Row("admin.login_page", claim, False, str(error)), None
    if answer.status == 200 and read(answer.html).login_form:
        return Row("admin.login_page", claim, True, f"{answer.path}: a password field"), answer
    return Row(
        "admin.login_page", claim, False, f"{answer.path}: {answer.status}, {title(answer)}"
    ), None


def title(answer: Answer) -> str:
    """What a page says of itself: its title, or the beginning of its text."""
    found = re.search(r"<title[^>]*>(.*?)</title>", answer.text, re.IGNORECASE | re.DOTALL)
    text = found.group(1) if found else re.sub(r"<[^>]*>", " ", answer.text)
    return repr(" ".join(text.split())[:80]) if text.strip() else "an empty page"


def static_file(site: Site, page: Answer | None, admin: Mapping[str, Any]) -> Row:
    """A file that the login page needs comes from nginx, the same as it lies in STATIC_ROOT."""
    name, claim = "proxy.static", "nginx serves the admin's static files"
    if page is None:
        return not_checked(name, claim, "no login page to take one from")
    prefix = urlsplit(admin["static_url"]).path
    links = [
        local_path(site.admin_host, page.path, link, site.scheme) for link in read(page.html).assets
    ]
    path = next((link for link in links if link and link.startswith(prefix)), None)
    if path is None:
        return not_checked(name, claim, f"the login page names no file below {admin['static_url']}")
    try:
        answer = request(site.proxies[0], site.admin_host, path, timeout=site.timeout)
        direct = request(site.admin, site.admin_host, path, timeout=site.timeout)
    except NoAnswerError as error:
        return Row(name, claim, False, str(error))
    if answer.status != 200:
        return Row(name, claim, False, f"{path}: {answer.status}")
    file = Path(admin["static_root"]) / unquote(urlsplit(path).path[len(prefix) :])
    if not file.is_file():
        return Row(name, claim, False, f"{path}: 200, but there is no {file}")
    if file.read_bytes() != answer.body:
        return Row(name, claim, False, f"{path}: 200, but it is not {file}")
    note = "" if direct.status != 200 else " (the admin would serve it too)"
    return Row(name, claim, True, f"{path}: 200, {len(answer.body)} bytes{note}")


def credentials(site: Site) -> tuple[str, str] | str:
    """Who signs in, or why nobody can."""
    if not site["login"]:
        return "verify_login is false"
    if site["password"]:
        return site["username"], site["password"]
    path = site["password_file"]
    try:
        password = Path(path).read_text().strip()
    except FileNotFoundError:
        return f"no {path}. Pass verify_username and verify_password"
    except OSError as error:
        return f"{path}: {error.strerror}. Pass verify_username and verify_password"
    if not password:
        return f"{path} is empty. Pass verify_username and verify_password"
    return site["username"], password


def known(site: Site, admin: Instance, who: tuple[str, str]) -> Running | None:
    """Begin to ask whether the stored password still is the user's. None: the operator gave one."""
    if site["password"]:
        return None
    return admin.start(
        "python -m django_split.superuser check",
        ["-m", "django_split.superuser", "check"],
        {"username": who[0], "email": site["email"], "password": who[1]},
    )


def unchecked(why: str) -> list[Row]:
    """The rows of a login that was not tried."""
    return [not_checked(name, claim, why) for name, claim in CLAIMS.items()]


def failed(seen: str) -> list[Row]:
    """The rows of a login that did not work: the others could not be looked at."""
    first, *rest = CLAIMS.items()
    return [Row(*first, False, seen), *(not_checked(*one, "no login") for one in rest)]


def sign_in_and_out(
    site: Site,
    process: Process | str,
    browser: Browser,
    page: Answer | None,
    who: tuple[str, str] | str,
    admin: Mapping[str, Any] | str,
    superuser: Running | str | None,
) -> list[Row]:
    """The login from start to end, or why it was not tried."""
    if isinstance(who, str):
        return unchecked(who)
    if isinstance(process, str) or isinstance(admin, str):
        return failed(process if isinstance(process, str) else str(admin))
    if page is None:
        return failed("there is no login page")
    if superuser is not None:
        checked = result(site.timeout, superuser)
        if isinstance(checked, str):
            return failed(checked)
        if checked.get("valid") is not True:
            return unchecked(
                f"{site['password_file']} is no longer the password of {who[0]}. "
                "Pass verify_username and verify_password"
            )
    asked = Instance("admin", process, site["manage"])
    return round_trip(site, asked, browser, page, who, admin)


def round_trip(
    site: Site,
    instance: Instance,
    browser: Browser,
    page: Answer,
    who: tuple[str, str],
    admin: Mapping[str, Any],
) -> list[Row]:
    """Sign in, look where the session is, sign out, look again."""
    form = read(page.html).login_form
    if form is None:
        return failed(f"{page.path}: no form with a password field")
    if admin["by_email"] and not site["password"]:
        # A site without user names. (Who passes a password passes the name that goes with it.)
        who = (site["email"], who[1])
    try:
        answer = sign_in(browser, page, form, who)
    except NoAnswerError as error:
        return failed(str(error))
    name = admin["session_cookie"]
    cookie = next((c for c in answer.cookies if c.name == name and not c.deleted), None)
    if cookie is None:
        seen = f"{who[0]} at {answer.path}: {answer.status}, {title(answer)}"
        return failed(f"{seen}, no cookie {name}")
    rows = []
    try:
        shown = browser.visit(site.admin_path)
        inside = shown.status == 200 and not read(shown.html).login_form
        seen = (
            f"{who[0]} sees {title(shown)} at {shown.path}"
            if inside
            else f"{shown.path}: {shown.status}"
        )
        rows.append(Row("admin.login", CLAIMS["admin.login"], inside, seen))
        rows.append(session_row(site, locate(instance, cookie.value, site.timeout)))
        rows.append(cookie_row(cookie, secure=site.scheme == "https"))
    except (NoAnswerError, ProbeError) as error:
        done = {row.name for row in rows}
        name = next(name for name in CLAIMS if name not in done)
        rows.append(Row(name, CLAIMS[name], False, str(error)))
        shown = answer
    # Whatever was seen, the session must not stay behind
    rows.append(sign_out(site, instance, browser, shown, cookie, admin))
    return rows


def sign_in(browser: Browser, page: Answer, form: Form, who: tuple[str, str]) -> Answer:
    """Fill in the login form as a visitor would and send it. Raises NoAnswerError."""
    values = dict(form.values)
    user_field = "username" if "username" in values else form.first("text", "email")
    values[user_field] = who[0]
    values[form.first("password")] = who[1]
    action = local_path(browser.host, page.path, form.action or page.path, browser.target.scheme)
    if action is None:
        raise NoAnswerError(f"the login form of {page.path} leads to another host: {form.action}")
    return browser.ask(action, values)


def locate(instance: Instance, key: str, timeout: float) -> dict[str, Any]:
    """Where the admin itself finds a session. By stdin: everybody can read a command line."""
    return instance.start(
        "python -m django_split.sessions.locate",
        ["-m", "django_split.sessions.locate"],
        key + "\n",
    ).result(timeout)


def session_row(site: Site, found: Mapping[str, Any]) -> Row:
    """A session where `session_engine` says it should be."""
    both = site["session_engine"] in ("redis_db", "cached_db")
    claim = SESSION_BOTH if both else CLAIMS["admin.session"]
    right = found["store"] is True and bool(found["database"]) is both and found["user"] is not None
    return Row("admin.session", claim, right, _places(found))


def _places(found: Mapping[str, Any]) -> str:
    store = "in the store" if found["store"] else "not in the store"
    table = {
        True: "in django_session",
        False: "not in django_session",
        None: "there is no django_session",
    }
    user = "" if found["user"] is not None or not found["store"] else "; no user in it"
    engine = found["engine"].rpartition(".")[2]
    return f"{engine}: {store}; {table[found['database']]}{user}"


def cookie_row(cookie: Cookie, *, secure: bool = False) -> Row:
    """The flags that keep a session cookie from scripts, from other sites and from other hosts."""
    flags = cookie.attributes
    right = (
        "httponly" in flags
        and flags.get("samesite", "").lower() in ("lax", "strict")
        and not flags.get("domain")
    )
    shown = [f"Path={flags.get('path', '')}"]
    shown += [f"Domain={flags['domain']}"] if flags.get("domain") else []
    shown.append("HttpOnly" if "httponly" in flags else "no HttpOnly")
    shown.append(f"SameSite={flags['samesite']}" if flags.get("samesite") else "no SameSite")
    if secure:
        shown.insert(0, "Secure" if "secure" in flags else "not Secure")
        right = right and "secure" in flags and cookie.name.startswith("__Secure-")
    return Row("admin.cookie", CLAIMS["admin.cookie"], right, f"{cookie.name}: {', '.join(shown)}")


def sign_out(
    site: Site,
    instance: Instance,
    browser: Browser,
    page: Answer,
    cookie: Cookie,
    admin: Mapping[str, Any],
) -> Row:
    """POST the logout and ask the admin for the session again."""
    name = "admin.logout"
    try:
        path = logout_path(site, page)
        token = next((f.values[TOKEN] for f in read(page.html).forms if TOKEN in f.values), "")
        # Wagtail draws its menu by script: no form, but the cookie is a token as well
        answer = browser.ask(path, {TOKEN: token or browser.cookies.get(admin["csrf_cookie"], "")})
        found = locate(instance, cookie.value, site.timeout)
    except (NoAnswerError, ProbeError) as error:
        return Row(name, CLAIMS[name], False, str(error))
    gone = not found["store"] and not found["database"]
    return Row(name, CLAIMS[name], gone, f"POST {path}: {answer.status}; {_places(found)}")


def logout_path(site: Site, page: Answer) -> str:
    """Where the page that a signed-in user sees has its logout."""
    content = read(page.html)
    named = [form.action for form in content.forms if form.method == "post"] + content.links
    named += re.findall(r"""["']([^"'\s]*logout[^"'\s]*)["']""", page.html)
    for link in named:
        path = local_path(site.admin_host, page.path, link, site.scheme)
        if path and re.search(r"log-?_?out|sign-?_?out", path, re.IGNORECASE):
            return path
    return site.admin_path.rstrip("/") + "/logout/"
