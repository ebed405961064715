"""What main's settings change in the base's."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings

from django_split.analysis import chain, stores, urls
from django_split.analysis.apps import Dropped, dropped
from django_split.analysis.deployment import WITH_A_TABLE, Deployment
from django_split.plan import Main, MainUrls, Mount

MAIN_APP = "django_split.runtime.main.apps.MainConfig"


def main_part(mounts: list[Mount], deployment: Deployment) -> Main:
    gone = gone_from_main(deployment)
    configs = [item.config for item in gone]
    processors = chain.orphaned_processors(configs)
    changed: dict[str, Any] = {"ROOT_URLCONF": "django_split.runtime.main.urls"}
    why = {item.entry: item.reason for item in gone}
    why |= dict.fromkeys(processors, "its app is gone from main")
    why |= {
        MAIN_APP: "the stand-ins' app; first, to be there before anything looks for the admin",
        chain.URLCONF_FILTER: "a URLconf that a middleware chooses is filtered too",
        "ROOT_URLCONF": f"{settings.ROOT_URLCONF} without the admin, whose names still reverse",
    }
    main = Main(
        urls=MainUrls(
            root_urlconf=settings.ROOT_URLCONF,
            mounts=mounts,
            closed=deployment.main_closed_prefixes,
            closed_views=deployment.main_closed_views,
            anonymous_views=deployment.main_anonymous_views,
        ),
        default_admin_site=_default_site_name(),
        default_admin_class=_default_site_class(),
        add_apps=[MAIN_APP],
        drop_apps=[item.entry for item in gone],
        add_middleware=[chain.URLCONF_FILTER],
        swap_context_processors=processors,
        settings=changed,
        why=why,
    )
    (_keep_sessions if deployment.has_public_sessions else _stand_in)(main, deployment)
    return main


def _stand_in(main: Main, deployment: Deployment) -> None:
    sessions = chain.session_middleware()
    main.replace_middleware = dict.fromkeys(sessions, chain.STAND_IN)
    main.settings["SESSION_ENGINE"] = "django_split.runtime.main.sessions"
    main.why |= {**sessions, "SESSION_ENGINE": "a session that lives for one request"}
    if apps.is_installed("django.contrib.messages"):
        main.settings["MESSAGE_STORAGE"] = "django_split.runtime.main.messages.MainCookieStorage"
        main.settings["DJANGO_SPLIT_MESSAGES_COOKIE"] = f"{deployment.site}_main_messages"
        # Django's cookie storage takes its cookie's flags from the session's.
        main.settings["SESSION_COOKIE_SECURE"] = deployment.scheme == "https"
        main.why |= {
            "MESSAGE_STORAGE": "messages need no session in a cookie",
            "SESSION_COOKIE_SECURE": f"for the messages' cookie: served by {deployment.scheme}",
            "DJANGO_SPLIT_MESSAGES_COOKIE": "or each instance would eat the other's messages",
        }


def _keep_sessions(main: Main, deployment: Deployment) -> None:
    """Main has sessions of its own, under the base's cookie, in a store of their own."""
    session = deployment.public_session
    main.public_sessions = session.engine
    main.settings["SESSION_COOKIE_SECURE"] = deployment.scheme == "https"
    main.why["SESSION_COOKIE_SECURE"] = f"the site is served by {deployment.scheme}"
    stores.keep(main, session, "the public sessions' store", "main")
    main.why["SESSION_ENGINE"] = "public sessions, in a store that the admin does not use"
    if session.engine in WITH_A_TABLE:
        stores.with_their_table(main, session.engine)


def gone_from_main(deployment: Deployment) -> list[Dropped]:
    """The apps that main does without. With sessions of its own it keeps theirs."""
    keeps_sessions = deployment.has_public_sessions
    return [item for item in dropped() if not (keeps_sessions and item.is_sessions)]


def _default_site_name() -> str:
    return urls.default_site_name() if apps.is_installed("django.contrib.admin") else "admin"


def _default_site_class() -> str:
    return urls.default_site_class() if apps.is_installed("django.contrib.admin") else ""
