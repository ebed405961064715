"""What the admin's settings change in the base's."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from django_split.analysis import caches, stores, urls
from django_split.analysis.deployment import BASES, ENGINES, WITH_A_TABLE, Deployment
from django_split.plan import Admin, AdminSession, Mount

SAME_SITE = {
    "Lax": "another site's form does not bring it along",
    "Strict": "nothing of another site's brings it along, not even a link (admin_cookie_samesite)",
}
ADMIN_APP = "django_split.runtime.admin.apps.AdminInstanceConfig"


def admin_part(mounts: list[Mount], prefixes: list[str], deployment: Deployment) -> Admin:
    session = deployment.session
    engine = session.engine or _local_engine()
    # Browsers take a cookie of this prefix from https only, and only with Secure: nobody who can
    # answer for the host name by plain HTTP plants one.
    prefix = "__Secure-" if deployment.scheme == "https" else ""
    cookie = f"{prefix}{deployment.site}_admin_sessionid"
    path = prefixes[0] if len(prefixes) == 1 else "/"
    mount = urls.primary(mounts, deployment.admin_path) if mounts else None
    where = "the only admin prefix" if len(prefixes) == 1 else "there are several admin prefixes"
    admin = Admin(
        path=deployment.admin_path or (mount.route if mount else ""),
        login=urls.login_path(mount) if mount else "",
        prefixes=prefixes,
        session=AdminSession(engine, session.store, cookie, path),
        add_apps=[ADMIN_APP],
        settings={
            "SESSION_COOKIE_NAME": cookie,
            "SESSION_COOKIE_PATH": path,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": deployment.admin_cookie_samesite,
            "SESSION_COOKIE_SECURE": deployment.scheme == "https",
        },
        unset=["SESSION_COOKIE_DOMAIN"],
        why={
            ADMIN_APP: "system checks: the instance is what this plan says",
            "SESSION_COOKIE_NAME": "a session cookie of the admin's own",
            "SESSION_COOKIE_PATH": where,
            "SESSION_COOKIE_HTTPONLY": "no script of a page needs it",
            "SESSION_COOKIE_SAMESITE": SAME_SITE[deployment.admin_cookie_samesite],
            "SESSION_COOKIE_SECURE": f"the site is served by {deployment.scheme}",
            "SESSION_COOKIE_DOMAIN": "the cookie is for this host name only",
        },
    )
    if engine != BASES:
        stores.keep(admin, replace(session, engine=engine), "the session store", "the admin")
        admin.why["SESSION_ENGINE"] = (
            "sessions in the store, and in the database"
            if engine in WITH_A_TABLE
            else "sessions in the store, not in the database"
        )
    if session.store != "local":
        stores.limit(admin, deployment)
    # Main's table too: it is the admin's migrations that make it.
    for kept in (engine, deployment.public_session.engine):
        if kept in WITH_A_TABLE:
            stores.with_their_table(admin, kept)
    if deployment.has_own_key:
        _its_own_key(admin)
    own = caches.own(deployment)
    admin.caches |= own
    admin.why |= {f"CACHES.{alias}": caches.COST for alias in own}
    if deployment.admin_host:
        _under_its_own_name(admin, deployment.admin_host)
    return admin


def _its_own_key(admin: Admin) -> None:
    """Nothing that main signs is believed: a password reset of its making would be a takeover.

    Main needs no change. What the site takes beside its own key was never the admin's (FACTS A20).
    """
    admin.own_secret_key = True
    admin.settings["SECRET_KEY_FALLBACKS"] = []
    admin.why |= {
        "SECRET_KEY": "of the admin's own (admin_secret_key: own), from its environment",
        "SECRET_KEY_FALLBACKS": "what is signed with a key that main knows is not believed",
    }


def _under_its_own_name(admin: Admin, host: str) -> None:
    """What a base says of the public name, and would keep the admin from being reached by its own.

    Links to public pages need nothing: the proxy sends them on to the public name.
    """
    if settings.PREPEND_WWW:
        admin.settings["PREPEND_WWW"] = False
        admin.why["PREPEND_WWW"] = f"{host} is the admin's name as it stands"
    domain = (settings.CSRF_COOKIE_DOMAIN or "").lstrip(".")
    if domain and not f".{host}".endswith(f".{domain}"):
        admin.unset.append("CSRF_COOKIE_DOMAIN")
        admin.why["CSRF_COOKIE_DOMAIN"] = f"no browser takes it from {host}"


def _local_engine() -> str:
    """The engine of a laptop's admin, which has no store.

    Sessions in the database are cached in front of it, as they will be on a host; others stay what
    they are, for their table or their files may be all that there is.
    """
    in_database = ("django.contrib.sessions.backends.db", ENGINES["cached_db"])
    return "cached_db" if settings.SESSION_ENGINE in in_database else BASES
