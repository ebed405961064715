"""A write to the session on main is lost, and never silently."""

from __future__ import annotations

import pytest

from django_split.plan import Plan
from tests.support.trial import Site
from tests.support.variants import variant

# What the test's process has counted, and what it logs, from here on.
FRESH = """
from django.test import Client
from django_split.runtime.main import losses
losses.seen.clear()
client = Client(HTTP_HOST="trial.example", raise_request_exception=False)
"""

MEND = (
    "Answer for it with admin_extra_prefixes (the admin instance serves it), main_closed_prefixes "
    "or main_closed_views (404 on main), main_anonymous_views (it may be lost) or public_sessions "
    "(main keeps sessions)."
)


def view(site: Site) -> str:
    lines = (site.source / "desk" / "views.py").read_text().splitlines()
    number = next(n for n, line in enumerate(lines, 1) if "setdefault" in line)
    return f"desk.views.basket, at desk.views:{number}"


def logged(site: Site, code: str, instance: str = "main") -> list[str]:
    written = site.ask(instance, f"{FRESH}\n{code}\nanswer = log.getvalue()")
    return str(written).splitlines()


def raised(site: Site, code: str, instance: str = "main") -> str:
    """What is said when `code` runs while tests run; empty for nothing."""
    return str(
        site.ask(
            instance,
            f"""
            from django.test.utils import setup_test_environment, teardown_test_environment
            {FRESH.replace(chr(10), chr(10) + "            ")}
            setup_test_environment()
            try:
                client.raise_request_exception = True
                answer = ""
                {code}
            except losses.LossError as error:
                answer = str(error)
            finally:
                teardown_test_environment()
            """,
        )
    )


def test_write_is_logged_with_its_url_view_and_keys_and_without_values(desk: Site) -> None:
    assert logged(desk, "client.get('/basket/?token=private')") == [
        f"GET /basket/ ({view(desk)}) wrote to the session (basket), "
        f"but main keeps no sessions: it is lost. Seen once by this process. {MEND}"
    ]


def test_login_is_named_as_one(desk: Site) -> None:
    """FACTS A7: the form answers the same 302 as before, and nothing else shows it."""
    lines, cookies = desk.ask(
        "main",
        f"""{FRESH}
from django.contrib.auth.models import User
User.objects.create_user("reader", password="a-long-password")
reply = client.post("/accounts/login/", {{"username": "reader", "password": "a-long-password"}})
assert reply.status_code == 302, reply.status_code
User.objects.get(username="reader").delete()
answer = log.getvalue().splitlines(), sorted(reply.cookies)
""",
    )
    assert len(lines) == 1
    assert lines[0].startswith(
        "POST /accounts/login/ (django.contrib.auth.views.LoginView, at django.contrib.auth:"
    )
    assert "signed a user in, but main keeps no sessions: the login is lost." in lines[0]
    assert "admin_extra_prefixes" in lines[0]
    assert "sessionid" not in cookies


def test_login_by_the_sites_own_view_names_its_line(desk: Site) -> None:
    code = """
from django.contrib.auth.models import User
User.objects.create_user("chief", password="a-long-password")
client.get("/sign-in/")
User.objects.get(username="chief").delete()
"""
    (line,) = logged(desk, code)
    assert "(desk.views.sign_in, at desk.views:" in line
    assert "signed a user in" in line


def test_written_and_deleted_again_is_no_loss(desk: Site) -> None:
    assert logged(desk, "client.get('/tidy/')") == []
    assert raised(desk, "client.get('/tidy/')") == ""


def test_error_page_loses_nothing_that_the_base_would_have_kept(desk: Site) -> None:
    assert logged(desk, "client.get('/broken/')") == []


def test_session_that_is_made_for_its_key_has_one_and_is_a_loss(desk: Site) -> None:
    """With None for a key, every visitor would have the same basket."""
    first, second, lines = desk.ask(
        "main",
        f"""{FRESH}
pages = [client.get("/cart/").content.decode() for _ in range(2)]
answer = [*pages, log.getvalue().splitlines()]
""",
    )
    assert len(first) == len(second) == 32
    assert first != second
    assert len(lines) == 1
    assert "(session_key)" in lines[0]


def test_busy_page_does_not_flood_the_log(desk: Site) -> None:
    lines = logged(desk, "for _ in range(120): client.get('/basket/')")
    assert [line.partition("Seen ")[2].partition(" by")[0] for line in lines] == [
        "once",
        "10 times",
        "100 times",
    ]


def test_keys_without_end_are_counted_together(desk: Site) -> None:
    """Neither the log nor the count may grow with what visitors ask for."""
    lines, size, total = desk.ask(
        "main",
        f"""{FRESH}
for number in range(400):
    client.get(f"/step/{{number}}/")
answer = len(log.getvalue().splitlines()), len(losses.seen), losses.seen.total()
""",
    )
    assert (size, total) == (201, 400)
    assert lines < 210


def test_losses_can_be_read(desk: Site) -> None:
    counted = desk.ask(
        "main",
        f"""{FRESH}
for _ in range(3):
    client.get("/basket/")
answer = [[loss.method, loss.view, loss.keys, times] for loss, times in losses.seen.items()]
""",
    )
    assert counted == [["GET", "desk.views.basket", ["basket"], 3]]


def test_write_is_an_error_while_tests_run(desk: Site) -> None:
    said = raised(desk, "client.get('/basket/')")
    assert said == (
        f"GET /basket/ ({view(desk)}) wrote to the session (basket), "
        f"but main keeps no sessions: it is lost. {MEND}"
    )


def test_login_of_a_test_client_is_an_error_too(desk: Site) -> None:
    """It makes its session outside of a request, and would then ask as nobody."""
    code = "from django.contrib.auth.models import User; user = User.objects.create_user('tester')"
    said = raised(desk, f"{code}; client.force_login(user)")
    assert said.startswith("Code outside of a request")
    assert "signed a user in" in said
    assert raised(desk, "client.session") == ""


def test_loudness_can_be_declared(desk: Site) -> None:
    loud = variant(desk, "loud", added="DJANGO_SPLIT['loud'] = True")
    status = "answer = Client(HTTP_HOST='trial.example', raise_request_exception=False)"
    code = f"from django.test import Client\n{status}.get('/basket/').status_code"
    assert desk.ask(loud, code) == 500
    assert desk.ask("main", code) == 200
    quiet = variant(desk, "quiet", added="DJANGO_SPLIT['loud'] = False")
    assert raised(desk, "client.get('/basket/')", quiet) == ""


def test_accepted_views_are_counted_and_not_logged(desk: Site) -> None:
    def accept(plan: Plan) -> None:
        plan.main.urls.anonymous_views = ["desk.views.b*"]

    accepting = variant(desk, "accepting", change=accept)
    assert logged(desk, "client.get('/basket/')", accepting) == []
    assert raised(desk, "client.get('/basket/')", accepting) == ""
    assert desk.ask(accepting, f"{FRESH}\nclient.get('/basket/')\nanswer = len(losses.seen)") == 1
    assert len(logged(desk, "client.get('/cart/')", accepting)) == 1


@pytest.mark.parametrize(("times", "lines"), [(1, 0), (20, 1)])
def test_messages_that_do_not_fit_into_the_cookie_are_a_loss(
    desk: Site, times: int, lines: int
) -> None:
    """Django's default storage would have put them into the session."""
    found = logged(desk, f"client.get('/talk/{times}/')")
    assert len(found) == lines
    assert all("left more messages than main's cookie holds" in line for line in found)
    assert bool(raised(desk, f"client.get('/talk/{times}/')")) is bool(lines)


def test_async_writes_are_losses_too(desk: Site) -> None:
    (line,) = logged(
        desk,
        """
import asyncio
from django.test import AsyncClient, override_settings
with override_settings(ALLOWED_HOSTS=["testserver"]):
    asyncio.run(AsyncClient().get("/basket/"))
""",
    )
    assert line.startswith("GET /basket/ (desk.views.basket")
