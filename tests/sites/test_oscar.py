"""A shop on django-oscar, by its guide: a basket, customers, a dashboard that is no AdminSite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from django_split.plan import PUBLIC_SESSIONS, Plan
from tests.sites import making
from tests.sites.judging import Promises, refused
from tests.support.trial import Site
from tests.support.virtualenvs import virtualenv

pytestmark = pytest.mark.slow

REQUIREMENTS = [
    "django-oscar==4.2.1",
    "Django==5.2.19",
    "sorl-thumbnail==12.11.0",
    "Whoosh==2.7.4",
    "redis==8.1.0",
]

# "Building your own shop", with the languages of oscar's own sandbox.
SETTINGS = """
from oscar.defaults import *
import oscar

INSTALLED_APPS = [*oscar.INSTALLED_APPS, "sorl.thumbnail"]
SITE_ID = 1
TEMPLATES[0]["OPTIONS"]["context_processors"] += [
    "django.template.context_processors.i18n",
    "oscar.apps.search.context_processors.search_form",
    "oscar.apps.checkout.context_processors.checkout",
    "oscar.apps.communication.notifications.context_processors.notifications",
    "oscar.core.context_processors.metadata",
]
MIDDLEWARE += [
    "django.middleware.locale.LocaleMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
]
AUTHENTICATION_BACKENDS = (
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
)
HAYSTACK_CONNECTIONS = {
    "default": {
        "ENGINE": "haystack.backends.whoosh_backend.WhooshEngine",
        "PATH": BASE_DIR / "whoosh_index",
    },
}
OSCAR_INITIAL_ORDER_STATUS = "Pending"
OSCAR_INITIAL_LINE_STATUS = "Pending"
OSCAR_ORDER_STATUS_PIPELINE = {"Pending": ("Paid",), "Paid": ()}
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
MEDIA_URL = "/media/"
MEDIA_ROOT = BASE_DIR / "media"
"""

URLS = """
from django.apps import apps
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    *i18n_patterns(
        path("", include(apps.get_app_config("oscar").urls[0])), prefix_default_language=False
    ),
]
"""

ANSWERS = {
    "public_sessions": "cache",
    # The dashboard signs in under its own prefix, in each language.
    "admin_extra_prefixes": ["/dashboard/", "/de/dashboard/"],
}
LOGINS = {"/admin/login/": "/admin/", "/dashboard/login/": "/dashboard/"}

CONTENT = """
from decimal import Decimal
from django.contrib.flatpages.models import FlatPage
from django.contrib.sites.models import Site
from oscar.apps.catalogue.models import Category, Product, ProductClass
from oscar.apps.catalogue.categories import create_from_breadcrumbs
from oscar.apps.catalogue.reviews.models import ProductReview
from oscar.apps.partner.models import Partner, StockRecord
from oscar.core.loading import get_model

get_model("address", "Country").objects.create(
    iso_3166_1_a2="GB", printable_name="Britain", is_shipping_country=True
)
partner = Partner.objects.create(name="Maker")
kind = ProductClass.objects.create(name="Book", track_stock=False)
for name in ("Books", "Books > Novels", "Papers"):
    create_from_breadcrumbs(name)
novels = Category.objects.get(name="Novels")
for number in range(5):
    product = Product.objects.create(
        title=f"Book {number}", product_class=kind, upc=str(number), description="Words"
    )
    product.categories.add(novels)
    StockRecord.objects.create(
        product=product, partner=partner, partner_sku=str(number), price=Decimal("9.99"),
        num_in_stock=10,
    )
ProductReview.objects.create(
    product=product, score=4, title="Good", body="Read it.", name="Ada",
    email="ada@trial.example", status=ProductReview.APPROVED,
)
page = FlatPage.objects.create(url="/about/", title="About", content="Us")
page.sites.add(Site.objects.get_current())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Site]:
    place = tmp_path_factory.mktemp("oscar")
    python = virtualenv(REQUIREMENTS)
    source = making.fresh(place)
    making.run(python, "django-admin", "startproject", "shop", ".", cwd=source)
    settings = source / "shop" / "settings.py"
    settings.write_text(settings.read_text() + SETTINGS)
    (source / "shop" / "urls.py").write_text(URLS)
    with Site(source, "shop.settings", place, python=str(python)) as site:
        making.set_up(site, content=CONTENT)
        making.split(site, store, **answers(store))
        yield site


def answers(store: Path) -> dict[str, object]:
    return {**ANSWERS, "public_session": {"url": f"unix://{store}?db=1"}}


class TestOscar(Promises):
    gone = ("/admin/", "/dashboard/", "/de/dashboard/")
    public_sessions = True
    starts = ("/", "/de/", "/accounts/", "/checkout/", "/basket/", "/search/?q=book", "/about/")
    least = 30
    logins = LOGINS
    # The minute in which the page was made.
    random = (r'<meta name="created"[^>]*>',)

    @pytest.fixture(autouse=True)
    def _answers(self, store: Path) -> None:
        self.answers = answers(store)


def test_without_answers_it_is_public_sessions_and_names_what_is_private(
    site: Site, store: Path
) -> None:
    plan = refused(site, store)
    assert plan.status == 3
    for needed in ("public sessions", "public_sessions", "/dashboard/", "/accounts/", "/basket/"):
        assert needed in plan.output


def test_its_verdict_stays_public_sessions(site: Site) -> None:
    verdict = Plan.read(site.place / "plan.toml").verdict
    assert (verdict.is_, verdict.decisions) == (PUBLIC_SESSIONS, [])


def test_a_visitor_buys_on_main(site: Site) -> None:
    """The basket of a visitor becomes the customer's at sign-in, and the checkout remembers."""
    bought = site.ask(
        "main",
        """
        import re
        from django.conf import settings
        from django.test import Client, override_settings
        client = Client(HTTP_HOST="trial.example", enforce_csrf_checks=True)

        def post(page, action="", **form):
            body = client.get(page).content.decode()
            token = re.search('csrfmiddlewaretoken" value="([^"]+)', body)[1]
            return client.post(action or page, {"csrfmiddlewaretoken": token, **form})

        added = post("/catalogue/book-1_2/", "/basket/add/2/", quantity=1)
        basket = client.get("/basket/").content.decode()
        with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
            joined = post(
                "/accounts/login/",
                **{
                    "registration-email": "grace@trial.example",
                    "registration-password1": "quite-a-long-password",
                    "registration-password2": "quite-a-long-password",
                    "registration_submit": "Register",
                },
            )
        mine = client.get("/basket/").content.decode()
        address = post(
            "/checkout/shipping-address/",
            first_name="Grace", last_name="Hopper", line1="1 Street", line4="Town",
            postcode="N1 9RT", country="GB",
        )
        # The one way of shipping, and of paying, is chosen for the customer.
        steps = [
            client.get(f"/checkout/{step}/").status_code
            for step in ("shipping-method", "payment-method", "payment-details")
        ]
        answer = {
            "statuses": [added.status_code, joined.status_code, address.status_code],
            "baskets": ["Book 1" in basket, "Book 1" in mine],
            "signed in": "grace@trial.example" in client.get("/accounts/profile/").content.decode(),
            "steps": steps,
            "cookies": sorted(client.cookies),
            "dashboard": client.get("/dashboard/login/").status_code,
        }
        """,
    )
    assert bought == {
        "statuses": [302, 302, 302],
        "baskets": [True, True],
        "signed in": True,
        "steps": [302, 302, 200],
        "cookies": sorted(bought["cookies"]),
        "dashboard": 404,
    }
    assert "sessionid" in bought["cookies"]
    assert "trial_admin_sessionid" not in bought["cookies"]
