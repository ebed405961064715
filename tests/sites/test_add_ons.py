"""Packages that people add to the admin: each loads on main, or goes for a reason that is told.

FACTS A18: a plain skin crashes on main, most add-ons do not. An app is kept unless it cannot load.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

PACKAGES = [
    "Django~=5.2.0",
    "redis",
    "django-admin-interface",
    "django-admin-tools",
    "django-allauth",
    "django-auditlog",
    "django-axes",
    "django-configurations",
    "django-daisy",
    "django-debug-toolbar",
    "django-easy-audit",
    "django-filer",
    "django-grappelli",
    "django-guardian",
    "django-hijack",
    "django-hosts",
    "django-import-export",
    "django-jazzmin",
    "django-jet-reboot",
    "django-material-admin",
    "django-reversion",
    "django-simple-history",
    "django-taggit",
    "django-two-factor-auth",
    "django-unfold",
    "phonenumbers",
]

SETTINGS = """
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "for-the-tests-only-" + "0123456789" * 4
INSTALLED_APPS = [
    *{first},
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "shop",
    *{then},
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    *{middleware},
]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [
    {{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {{
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        }},
    }}
]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db"}}}}
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
X_FRAME_OPTIONS = "SAMEORIGIN"
{settings}
"""
URLS = """
from django.contrib import admin
from django.shortcuts import render
from django.urls import include, path


def home(request):
    return render(request, "home.html")


urlpatterns = [path("admin/", admin.site.urls), path("", home), {urls}]
"""
MODELS = """
from django.db import models


class Thing(models.Model):
    name = models.CharField(max_length=20)
{models}
"""
ADMIN = """
from django.contrib import admin

from shop.models import Thing

{admin}
"""
MODELS_ONLY = "django_split.runtime.main.models_only"
KEEPS_ADMIN = {"django.contrib.admin": f"{MODELS_ONLY}.AdminModelsConfig"}
KEEPS_SESSIONS = {"django.contrib.sessions": f"{MODELS_ONLY}.SessionsModelsConfig"}


@dataclass
class AddOn:
    """A package as its documentation has one install it, and what becomes of it on main."""

    first: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    middleware: tuple[str, ...] = ()
    settings: str = ""
    urls: str = ""
    models: str = ""
    admin: str = "admin.site.register(Thing)"
    gone: set[str] = field(default_factory=set)
    kept: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)


def registered(cls: str) -> str:
    package, _, name = cls.rpartition(".")
    return f"from {package} import {name}\nadmin.site.register(Thing, {name})"


ADD_ONS = {
    "jazzmin": AddOn(first=("jazzmin",), gone={"jazzmin"}),
    "daisy": AddOn(first=("django_daisy",), gone={"django_daisy"}),
    "unfold": AddOn(
        first=(
            "unfold",
            "unfold.contrib.filters",
            "unfold.contrib.forms",
            "unfold.contrib.import_export",
            "unfold.contrib.guardian",
            "unfold.contrib.simple_history",
        ),
        then=("import_export", "guardian", "simple_history"),
        settings="AUTHENTICATION_BACKENDS = ['guardian.backends.ObjectPermissionBackend']",
        admin=registered("unfold.admin.ModelAdmin"),
    ),
    "grappelli": AddOn(first=("grappelli",), urls="path('grappelli/', include('grappelli.urls')),"),
    # Its views stand outside of the admin, and import the log.
    "jet": AddOn(
        first=("jet.dashboard", "jet"),
        urls="path('jet/', include('jet.urls', 'jet')), "
        "path('jet/dashboard/', include('jet.dashboard.urls', 'jet-dashboard')),",
        kept=KEEPS_ADMIN,
        answers={"admin_extra_prefixes": ["/jet/"]},
    ),
    "admin-interface": AddOn(first=("admin_interface", "colorfield")),
    "admin-tools": AddOn(
        first=("admin_tools", "admin_tools.theming", "admin_tools.menu", "admin_tools.dashboard"),
        settings="TEMPLATES[0]['APP_DIRS'] = False\n"
        "TEMPLATES[0]['OPTIONS']['loaders'] = [\n"
        "    'django.template.loaders.app_directories.Loader',\n"
        "    'admin_tools.template_loaders.Loader',\n]\n",
        urls="path('admin_tools/', include('admin_tools.urls')),",
        kept=KEEPS_ADMIN,
    ),
    # An AppConfig that is the admin's and no subclass of Django's; its 404 page is the admin's.
    "material": AddOn(
        settings="_at = INSTALLED_APPS.index('django.contrib.admin')\n"
        "INSTALLED_APPS[_at : _at + 1] = ['material', 'material.admin']\n",
        kept={"material.admin": f"{MODELS_ONLY}.AdminModelsConfig"},
    ),
    "import-export": AddOn(
        then=("import_export",), admin=registered("import_export.admin.ImportExportModelAdmin")
    ),
    "reversion": AddOn(
        then=("reversion",),
        middleware=("reversion.middleware.RevisionMiddleware",),
        models="\n\nimport reversion\n\nreversion.register(Thing)\n",
        admin=registered("reversion.admin.VersionAdmin"),
    ),
    "simple-history": AddOn(
        then=("simple_history",),
        middleware=("simple_history.middleware.HistoryRequestMiddleware",),
        models="    from simple_history.models import HistoricalRecords\n"
        "    history = HistoricalRecords()\n",
        admin=registered("simple_history.admin.SimpleHistoryAdmin"),
    ),
    "guardian": AddOn(
        then=("guardian",),
        settings="AUTHENTICATION_BACKENDS = ['guardian.backends.ObjectPermissionBackend']",
        admin=registered("guardian.admin.GuardedModelAdmin"),
    ),
    "axes": AddOn(
        then=("axes",),
        middleware=("axes.middleware.AxesMiddleware",),
        settings="AUTHENTICATION_BACKENDS = ['axes.backends.AxesStandaloneBackend',\n"
        "    'django.contrib.auth.backends.ModelBackend']",
    ),
    "taggit": AddOn(
        then=("taggit",),
        models="    from taggit.managers import TaggableManager\n    tags = TaggableManager()\n",
    ),
    "debug-toolbar": AddOn(
        then=("debug_toolbar",),
        middleware=("debug_toolbar.middleware.DebugToolbarMiddleware",),
        urls="path('__debug__/', include('debug_toolbar.urls')),",
    ),
    "filer": AddOn(
        then=("easy_thumbnails", "filer"), urls="path('filer/', include('filer.urls')),"
    ),
    # Its signals import the session's model, whatever happens.
    "easy-audit": AddOn(
        then=("easyaudit",),
        middleware=("easyaudit.middleware.easyaudit.EasyAuditMiddleware",),
        # There are no tables here.
        settings="DJANGO_EASY_AUDIT_WATCH_REQUEST_EVENTS = False",
        kept=KEEPS_SESSIONS,
    ),
    "auditlog": AddOn(then=("auditlog",), middleware=("auditlog.middleware.AuditlogMiddleware",)),
    "hijack": AddOn(
        then=("hijack", "hijack.contrib.admin"),
        middleware=("hijack.middleware.HijackUserMiddleware",),
        urls="path('hijack/', include('hijack.urls')),",
    ),
    "two-factor": AddOn(
        then=(
            "django_otp",
            "django_otp.plugins.otp_static",
            "django_otp.plugins.otp_totp",
            "two_factor",
        ),
        middleware=("django_otp.middleware.OTPMiddleware",),
        settings="LOGIN_URL = 'two_factor:login'",
        urls="path('', include(__import__('two_factor.urls').urls.urlpatterns)),",
    ),
}


def make(place: Path, add_on: AddOn) -> Site:
    source = place / "src" / "shop"
    (source / "templates").mkdir(parents=True)
    (source / "templates" / "home.html").write_text("Welcome")
    for name, text in {
        "__init__": "",
        "settings": SETTINGS,
        "urls": URLS,
        "models": MODELS,
        "admin": ADMIN,
    }.items():
        filled = text.format(**vars(add_on)) if text else ""
        (source / f"{name}.py").write_text(filled)
    python = str(virtualenv(PACKAGES))
    site = Site(place / "src", "shop.settings", place, python=python)
    # Whether somebody signs in there is not what is tried here.
    site.answers = {"main_anonymous_views": ["*"], **add_on.answers}
    return site


CHECKED = """
from io import StringIO
from django.core.management import call_command
said = StringIO()
call_command("check", stdout=said, stderr=said)
answer = said.getvalue()
"""


@pytest.mark.parametrize("name", ADD_ONS)
def test_add_on_loads_or_goes_for_a_reason(tmp_path: Path, name: str) -> None:
    add_on = ADD_ONS[name]
    with make(tmp_path, add_on) as site:
        main = site.plan().main
        admins = {"django.contrib.admin", "django.contrib.sessions", "material.admin"}
        assert set(main.drop_apps) - admins == add_on.gone
        assert main.replace_apps == add_on.kept
        for entry in add_on.gone:
            assert main.why[entry].startswith("it does not load without the admin: ")
        page = site.get("main", "/")
        assert (page.status, page.body, page.cookies) == (200, "Welcome", [])
        assert "no issues" in site.ask("main", CHECKED)
        assert site.get("main", "/admin/login/").status == 404


CONFIGURED = """

from configurations import Configuration, values


class Base(Configuration):
    INSTALLED_APPS, MIDDLEWARE, TEMPLATES = INSTALLED_APPS, MIDDLEWARE, TEMPLATES
    DATABASES, SECRET_KEY, STATIC_URL = DATABASES, SECRET_KEY, STATIC_URL
    ROOT_URLCONF = "shop.urls"
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    TIME_ZONE = values.Value("UTC", environ_prefix="SHOP")


class Production(Base):
    @property
    def SHOP_TITLE(self):
        return "The shop"
"""


@pytest.fixture
def configured(tmp_path: Path) -> Site:
    site = make(tmp_path, AddOn())
    settings = site.source / "shop" / "settings.py"
    settings.write_text(settings.read_text() + CONFIGURED)
    return site


def test_class_of_django_configurations_is_a_base(configured: Site) -> None:
    configured.environment = {
        "DJANGO_CONFIGURATION": "Production",
        "SHOP_TIME_ZONE": "Europe/Vienna",
    }
    with configured as site:
        site.plan()
        values = "from django.conf import settings as s\nanswer = [s.SHOP_TITLE, s.TIME_ZONE]"
        for instance in ("main", "admin"):
            assert site.ask(instance, values) == ["The shop", "Europe/Vienna"]
        assert site.get("main", "/").status == 200
        assert site.get("main", "/admin/").status == 404
        assert site.get("admin", "/admin/").status == 302


def test_class_that_nobody_has_named_is_refused_with_what_to_type(configured: Site) -> None:
    command = ["-m", "django_split", "plan", "--settings", configured.settings]
    done = configured.run(command, check=False)
    assert done.returncode == 1
    assert "set DJANGO_CONFIGURATION in the environment (site_env in the inventory)" in done.stderr
    assert "shop/settings.py:" in done.stderr


def test_hosts_that_choose_a_urlconf_are_told(tmp_path: Path) -> None:
    add_on = AddOn(
        then=("django_hosts",),
        settings="MIDDLEWARE.insert(0, 'django_hosts.middleware.HostsRequestMiddleware')\n"
        "ROOT_HOSTCONF, DEFAULT_HOST = 'shop.hosts', 'www'\n",
    )
    with make(tmp_path, add_on) as site:
        (site.source / "shop" / "hosts.py").write_text(
            "from django_hosts import host, patterns\n"
            "host_patterns = patterns('', host('www', 'shop.urls', name='www'))\n"
        )
        told = [finding for finding in site.plan().findings if "chooses a URLconf" in finding.what]
        assert [finding.view for finding in told] == [
            "django_hosts.middleware.HostsRequestMiddleware"
        ]
        assert site.get("main", "/admin/login/").status == 404
