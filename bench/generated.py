"""A site of any size, with views of many kinds: what the figures of the analysis are taken on.

    python bench/generated.py DIRECTORY [URLS]

Writes a project "big" whose apps have each two models with an admin, forms, templates and twenty
URLs: function and class views, generic ones, decorated ones, some that demand a user, one that
signs in and one that keeps something in the session; a third of them under i18n_patterns.
"""

from __future__ import annotations

import sys
from pathlib import Path

URLS_IN_AN_APP = 20

SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "for-the-bench-only"
DEBUG = True
ALLOWED_HOSTS = []
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    {apps}
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "big.urls"
WSGI_APPLICATION = "big.wsgi.application"
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
DATABASES = {{
    "default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Fran\\u00e7ais")]
"""

WSGI = """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "big.settings")
application = get_wsgi_application()
"""

URLS = """\
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls), {plain}]
urlpatterns += i18n_patterns({translated})
"""

MODELS = """\
from django.conf import settings
from django.db import models
from django.urls import reverse


class Topic(models.Model):
    name = models.CharField(max_length=80)


class Note(models.Model):
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    title = models.CharField(max_length=80)
    body = models.TextField()

    def get_absolute_url(self):
        return reverse("{app}:note", args=[self.pk])
"""

ADMIN = """\
from django.contrib import admin

from {app} import models

admin.site.register(models.Topic)


@admin.register(models.Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ["title", "topic", "author"]
    search_fields = ["title"]
"""

FORMS = """\
from django import forms

from {app} import models


class NoteForm(forms.ModelForm):
    class Meta:
        model = models.Note
        fields = ["topic", "title", "body"]
"""

VIEWS = """\
import functools

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_page
from django.views.generic import CreateView, DetailView, ListView, TemplateView

from {app} import forms, models


def counted(view):
    @functools.wraps(view)
    def wrapper(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["X-Notes"] = str(models.Note.objects.count())
        return response

    return wrapper


class Index(ListView):
    model = models.Note
    template_name = "{app}/list.html"


class Note(DetailView):
    model = models.Note
    template_name = "{app}/note.html"


class About(TemplateView):
    template_name = "{app}/about.html"


class Write(LoginRequiredMixin, CreateView):
    model = models.Note
    form_class = forms.NoteForm
    template_name = "{app}/form.html"


@method_decorator(cache_page(5), name="dispatch")
class Feed(View):
    def get(self, request):
        return JsonResponse({{"notes": list(models.Note.objects.values("pk", "title"))}})


@login_required
def mine(request):
    return render(request, "{app}/list.html", {{"object_list": []}})


@permission_required("{app}.change_note")
def review(request):
    return render(request, "{app}/list.html", {{"object_list": []}})


@counted
def plain(request, **kwargs):
    notes = models.Note.objects.select_related("topic")[:20]
    return render(request, "{app}/list.html", {{"object_list": notes}})


def contact(request):
    if request.method == "POST":
        messages.success(request, "Thank you")
        return redirect("{app}:index")
    return render(request, "{app}/form.html", {{"form": forms.NoteForm()}})


def remember(request, pk):
    note = get_object_or_404(models.Note, pk=pk)
    request.session["seen"] = [*request.session.get("seen", []), note.pk]
    return redirect(note)


def hello(request):
    if request.user.is_authenticated:
        return HttpResponse("hello " + request.user.get_username())
    return HttpResponse("hello")
"""

APP_URLS = """\
from django.contrib.auth import views as auth
from django.urls import include, path, re_path

from {app} import views

app_name = "{app}"
more = [path("p%d/" % number, views.plain, name="p%d" % number) for number in range(7)]
urlpatterns = [
    path("", views.Index.as_view(), name="index"),
    path("note/<int:pk>/", views.Note.as_view(), name="note"),
    path("about/", views.About.as_view(), name="about"),
    path("write/", views.Write.as_view(), name="write"),
    path("feed/", views.Feed.as_view(), name="feed"),
    path("mine/", views.mine, name="mine"),
    path("review/", views.review, name="review"),
    path("contact/", views.contact, name="contact"),
    path("remember/<int:pk>/", views.remember, name="remember"),
    path("hello/", views.hello, name="hello"),
    re_path(r"^archive/(?P<year>[0-9]{{4}})/$", views.plain, name="archive"),
    path("in/", auth.LoginView.as_view(template_name="{app}/form.html"), name="login"),
    path("out/", auth.LogoutView.as_view(), name="logout"),
    path("more/", include(more)),
]
"""

PAGE = """\
<!DOCTYPE html><title>{app}</title>
{{% if user.is_authenticated %}}<p>{{{{ user }}}}</p>{{% endif %}}
<ul>{{% for note in object_list %}}<li><a href="{{{{ note.get_absolute_url }}}}">
{{{{ note.title }}}}</a></li>{{% endfor %}}</ul>
<a href="{{% url '{app}:index' %}}">index</a> <a href="{{% url '{app}:about' %}}">about</a>
{{% if form %}}<form method="post">{{% csrf_token %}}{{{{ form }}}}</form>{{% endif %}}
"""


def write(folder: Path, urls: int = 300) -> None:
    """Write a project with about so many URLs outside the admin, each counted once."""
    apps = [f"app{number:02}" for number in range(max(1, urls // URLS_IN_AN_APP))]
    project = folder / "big"
    project.mkdir(parents=True)
    (project / "__init__.py").touch()
    (project / "wsgi.py").write_text(WSGI)
    names = "\n    ".join(f'"{app}",' for app in apps)
    (project / "settings.py").write_text(SETTINGS.format(apps=names))
    mounted = [f'path("{app}/", include("{app}.urls"))' for app in apps]
    third = len(mounted) // 3
    (project / "urls.py").write_text(
        URLS.format(plain=", ".join(mounted[third:]), translated=", ".join(mounted[:third]))
    )
    for app in apps:
        _app(folder / app, app)


def _app(folder: Path, app: str) -> None:
    (folder / "migrations").mkdir(parents=True)
    (folder / "migrations" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    for name, text in (
        ("models", MODELS),
        ("admin", ADMIN),
        ("forms", FORMS),
        ("views", VIEWS),
        ("urls", APP_URLS),
    ):
        (folder / f"{name}.py").write_text(text.format(app=app))
    templates = folder / "templates" / app
    templates.mkdir(parents=True)
    for name in ("list", "note", "about", "form"):
        (templates / f"{name}.html").write_text(PAGE.format(app=app))


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300)
